#!/usr/bin/env python3
"""Writes where ops, their Specs and kernel templates are defined, for `dsc explain`.

usage: find_definitions.py SOURCE_ROOT OUTPUT

Each line of the output is one initializer {"dsc.conv", "Spec", "lib/.../Convolution.cpp", 158}.
The file is not touched if nothing has changed.
"""

import pathlib
import re
import sys

# def Dsc_ConvOp : Dsc_Op<"conv", ...>, where a line break may come before the colon.
OP = re.compile(r'^def Dsc_(\w+)Op\s*:\s*\w+<"(\w+)"', re.MULTILINE)
SPEC = re.compile(r"^FailureOr<Spec> (\w+)Op::getSpec\(\)", re.MULTILINE)
TEMPLATE = re.compile(r'StringRef getName\(\) const override \{ return "([\w-]+)"; \}')


def matches(root, pattern, regex):
    """(match, path relative to root, line number) of all matches in the files."""
    for path in sorted(root.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        for match in regex.finditer(text):
            yield match, path.relative_to(root).as_posix(), text.count("\n", 0, match.start()) + 1


def definitions(root):
    mnemonics = {}
    for match, path, line in matches(root, "include/dsc/Dialect/IR/*.td", OP):
        mnemonics[match[1]] = "dsc." + match[2]
        yield mnemonics[match[1]], "op", path, line
    for match, path, line in matches(root, "lib/Dialect/IR/*.cpp", SPEC):
        if match[1] in mnemonics:
            yield mnemonics[match[1]], "Spec", path, line
    for match, path, line in matches(root, "lib/Codegen/*/*.cpp", TEMPLATE):
        yield match[1], "template", path, line


def main():
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = "".join(f'{{"{name}", "{kind}", "{path}", {line}}},\n'
                   for name, kind, path, line in definitions(root))
    if not output.exists() or output.read_text(encoding="utf-8") != text:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
