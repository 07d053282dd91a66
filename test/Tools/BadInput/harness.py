"""What the tables of bad input have in common.

A table is a list of rows; each is one command in a folder of its own. It must end with
the row's exit code, within limits of time and memory, say the row's texts on stderr in
a well-formed diagnostic, and leave no file that was not there before.
"""

import argparse
import io
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import numpy as np
from onnx import numpy_helper, parser

# What no message may hold: traces of a crash, an exception or a library's source.
UNWANTED = re.compile(r"terminate called|what\(\):|Assertion|LLVM ERROR|Stack dump|"
                      r"PLEASE submit|core dumped|Traceback|std::|\.(?:cpp|cc|h):\d+")
DIAGNOSTIC = re.compile(r"^error\[DSC\d{4}\]: \S.*$", re.MULTILINE)
# Codes that come with a diagnostic; of 1, the verdict is on stdout.
EXPLAINED = {2, 3, 4, 5, 6}

MOST_SHOWN = 30


@dataclass
class Row:
    name: str
    files: dict  # path -> bytes, or a function that makes what is there
    command: str  # for sh
    code: int | set  # a set: any of them
    says: tuple = ()  # regular expressions that stderr matches
    leaves: tuple = ()  # files that may be there afterwards
    seconds: float = 20
    megabytes: int = 700
    at_work: object = None  # called with the process and the folder while it runs


def model(graph, header='ir_version: 10, opset_import: ["": 21]', functions=""):
    """An onnx.ModelProto from ONNX's text syntax; its nodes are named n0, n1, ..."""
    proto = parser.parse_model(f"<{header}>\n{graph}\n{functions}")
    for i, node in enumerate(proto.graph.node):
        node.name = f"n{i}"
    return proto


def onnx_file(graph, change=None, **options):
    """The bytes of such a model, after `change` was applied to it."""
    proto = model(graph, **options)
    if change:
        change(proto)
    return proto.SerializeToString()


def weights(proto, **arrays):
    for name, array in arrays.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))


def npy(array):
    """The bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def write_files(folder, files):
    for path, contents in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if callable(contents):
            contents(target)
        else:
            with open(target, "wb") as file:
                file.write(contents)


def snapshot(folder):
    """Every path below the folder, with what tells whether a file was changed."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            status = os.lstat(path)
            found[os.path.relpath(path, folder)] = (
                (status.st_ino, status.st_size, status.st_mtime_ns) if name in files else ())
    return found


def execute(row, folder):
    """Exit code, stderr, seconds, megabytes."""
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        # Temporary files count as left behind, too.
        process = subprocess.Popen(row.command, shell=True, cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=errors,
                                   env=os.environ | {"TMPDIR": os.path.abspath(folder)})
        if row.at_work:
            row.at_work(process, folder)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    return os.waitstatus_to_exitcode(status), text, seconds, usage.ru_maxrss / 1024


def faults_of(row, folder):
    """What is wrong with what the command does, as sentences."""
    write_files(folder, row.files)
    before = snapshot(folder)
    code, text, seconds, megabytes = execute(row, folder)
    codes = row.code if isinstance(row.code, set) else {row.code}
    if code not in codes:
        yield f"exit code {code}, expected {', '.join(map(str, sorted(codes)))}"
    if code in EXPLAINED and not DIAGNOSTIC.search(text):
        yield "no diagnostic"
    if found := UNWANTED.search(text):
        yield f"'{found.group()}' is nothing for users"
    for wanted in row.says if code or codes == {0} else ():
        if not re.search(wanted, text, re.MULTILINE):
            yield f"does not say '{wanted}'"
    after = snapshot(folder)
    for path in sorted(set(after) - set(before) - set(row.leaves)):
        yield f"leaves {path}"
    for path in before:
        if path not in row.leaves and after.get(path) != before[path]:
            yield f"changes {path}"
    if seconds > row.seconds:
        yield f"takes {seconds:.1f} s"
    if megabytes > row.megabytes:
        yield f"takes {megabytes:.0f} MB"
    if row.says == () and code in EXPLAINED and len(codes) == 1:
        yield "the row expects no text"


def run_table(rows):
    """The main program of a table: TABLE.py FOLDER [--only REGEX] [--show]."""
    arguments = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    arguments.add_argument("folder", help="for files; emptied first")
    arguments.add_argument("--only", default="", help="rows whose names match")
    arguments.add_argument("--show", action="store_true", help="what every row says")
    options = arguments.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    # A limit for all: what runs away must not take the machine along.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = count = 0
    for number, row in enumerate(rows):
        if not re.search(options.only, row.name):
            continue
        count += 1
        folder = os.path.join(options.folder, str(number))
        os.makedirs(folder)
        faults = list(faults_of(row, folder))
        failed += bool(faults)
        if options.show or (faults and failed <= MOST_SHOWN):
            text = execute(row, folder)[1] if not row.at_work else ""
            print(f"{'FAIL' if faults else 'ok'}: {row.name}: {'; '.join(faults)}\n"
                  f"  {row.command}\n" + "".join(f"  > {line}\n" for line in text.splitlines()[:30]))
    print(f"{count - failed} of {count} rows are right")
    sys.exit(failed > 0 or count == 0)
