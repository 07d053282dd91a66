#!/usr/bin/env python3
"""Checks that no file includes a header of a layer that it must not see.

Usage: check_layers.py SOURCE_ROOT TABLE

TABLE is written by dsc_check_layers when CMake configures; each line says
"target layer sees directory". A target owns the files below its directory and the
headers of the mirrored one: lib/X owns include/dsc/X, runtime owns
runtime/include. `sees` is the highest layer that it may include.
"""

import os
import re
import sys
from typing import NamedTuple, Optional

INCLUDE = re.compile(r'^\s*#\s*include\s+["<](dsc/[^">]+)[">]')
EXTENSIONS = (".cpp", ".h", ".hpp", ".c", ".td")


class Owner(NamedTuple):
    target: str
    layer: int
    sees: int


def read_table(path):
    """Returns {directory: Owner}, header directories included."""
    owners = {}
    with open(path) as lines:
        for line in lines:
            if not line.strip():
                continue
            target, layer, sees, directory = line.split()
            owner = Owner(target, int(layer), int(sees))
            owners[directory] = owner
            if directory.startswith("lib/"):
                owners["include/dsc/" + directory[len("lib/"):]] = owner
    return owners


def owner_of(path, owners) -> Optional[Owner]:
    """The owner of the longest directory that contains `path`."""
    directory = os.path.dirname(path)
    while directory:
        if directory in owners:
            return owners[directory]
        directory = os.path.dirname(directory)
    return None


def resolve(root, header):
    """Path of an included header relative to the source root; generated ones lie
    where their .td file does."""
    for base in ("include", "runtime/include"):
        if os.path.exists(os.path.join(root, base, header)):
            return os.path.join(base, header)
    return os.path.join("include", header)


def source_files(root):
    for top in ("include", "lib", "runtime", "tools", "test/Unit"):
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith(EXTENSIONS):
                    yield os.path.relpath(os.path.join(directory, name), root)


def check_file(root, path, owners):
    """Yields one message for each wrong #include of the file."""
    owner = owner_of(path, owners)
    if owner is None:
        return
    with open(os.path.join(root, path), encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            included = match and owner_of(resolve(root, match[1]), owners)
            if not included or included.target == owner.target:
                continue
            if included.layer > owner.sees:
                yield (f"{path}:{number}: {owner.target} sees layers up to {owner.sees} and must "
                       f"not include {match[1]} of {included.target} (layer {included.layer})")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root, table = sys.argv[1:]
    owners = read_table(table)
    files = sorted(source_files(root))
    errors = [error for path in files for error in check_file(root, path, owners)]
    print("\n".join(errors) if errors else f"{len(files)} files, no include against the layers")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
