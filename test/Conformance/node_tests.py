#!/usr/bin/env python3
"""Runs ONNX's node tests through `dsc verify` and compares with a checked-in list.

Fails when a test on the list does not pass, and when one that is not on it does.
The tests come from the installed onnx package and are written to a folder once.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time

import onnx
from onnx import TensorProto, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsc", default="dsc", help="the compiler (default: from PATH)")
    parser.add_argument("--cases", required=True, metavar="DIR", help="where the tests are kept")
    parser.add_argument("--symbolic", action="store_true", help="compile for any sizes")
    parser.add_argument("--list", metavar="FILE", help="default: passing.txt or "
                        "passing-symbolic.txt beside this script")
    parser.add_argument("--update", action="store_true", help="rewrite the list")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only tests that match")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one test")
    parser.add_argument("--results", metavar="FILE", help="also write each result as a JSON line")
    parser.add_argument("-v", "--verbose", action="store_true", help="show why tests do not pass")
    return parser.parse_args()


# The tests, as files -------------------------------------------------------------


def serialize(value, info):
    """One input or output in the form that ONNX's own test data have."""
    if isinstance(value, TensorProto):
        return value.SerializeToString()
    kind = info.type.WhichOneof("value")
    convert = {
        "map_type": numpy_helper.from_dict,
        "sequence_type": numpy_helper.from_list,
        "optional_type": numpy_helper.from_optional,
        "tensor_type": numpy_helper.from_array,
    }[kind]
    return convert(value, info.name).SerializeToString()


def write_case(case, folder):
    os.makedirs(folder)
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(case.model.SerializeToString())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data_set = os.path.join(folder, f"test_data_set_{number}")
        os.makedirs(data_set)
        series = (("input", inputs, case.model.graph.input),
                  ("output", outputs, case.model.graph.output))
        for prefix, values, infos in series:
            for i, value in enumerate(values):
                with open(os.path.join(data_set, f"{prefix}_{i}.pb"), "wb") as file:
                    file.write(serialize(value, infos[i]))


def write_cases(root):
    """Writes all node tests below root/onnx-VERSION unless they are there."""
    folder = os.path.join(root, f"onnx-{onnx.__version__}")
    if os.path.isdir(folder):
        return folder
    from onnx.backend.test.case.node import collect_testcases
    partial = f"{folder}.{os.getpid()}.tmp"
    shutil.rmtree(partial, ignore_errors=True)
    for case in collect_testcases(None):
        write_case(case, os.path.join(partial, case.name))
    os.rename(partial, folder)
    return folder


# Running -------------------------------------------------------------------------


def verify(arguments, folders):
    """Results of some cases, by name. A case without a result has crashed dsc."""
    command = [arguments.dsc, "verify", "--json", "--no-bisect", "--threads", "1",
               "--timeout", str(arguments.timeout)]
    if arguments.symbolic:
        command.append("--symbolic")
    process = subprocess.run(command + folders, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    results = {}
    for line in process.stdout.decode(errors="replace").splitlines():
        result = json.loads(line)
        if "case" in result:
            results[result["case"]] = result
    for folder in folders:
        name = os.path.basename(folder)
        if name not in results:
            text = process.stderr.decode(errors="replace")[-500:]
            results[name] = {"case": name, "status": "error", "message": f"no result: {text}"}
    return results


def run_all(arguments, folders):
    # Small chunks keep all processes busy; starting one costs about 0.1 s.
    chunks = [folders[i:i + 32] for i in range(0, len(folders), 32)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for part in pool.map(lambda chunk: verify(arguments, chunk), chunks):
            results.update(part)
            if sys.stderr.isatty():
                print(f"\r{len(results)}/{len(folders)}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    return results


# The verdict ---------------------------------------------------------------------


def first_line(text):
    lines = text.strip().splitlines()
    return lines[0] if lines else ""


def read_list(path):
    try:
        with open(path) as lines:
            return {line.strip() for line in lines if line.strip() and line[0] != "#"}
    except FileNotFoundError:
        return set()


def write_list(path, names, symbolic):
    mode = "with all sizes symbolic" if symbolic else "as given"
    with open(path, "w") as file:
        file.write(f"# ONNX node tests that pass {mode}; written by node_tests.py --update.\n")
        file.writelines(f"{name}\n" for name in sorted(names))


def summarize_reasons(results):
    """The most frequent reasons, with names and numbers left out."""
    reasons = collections.Counter()
    for result in results.values():
        if result["status"] != "pass":
            reason = re.sub(r"'[^']*'|\d+(\.\d+)?(e[-+]?\d+)?", "_", first_line(result["message"]))
            reasons[f"{result['status']}: {reason}"] += 1
    for reason, count in reasons.most_common(25):
        print(f"{count:5} {reason}")


def main():
    arguments = parse_arguments()
    if not arguments.list:
        name = "passing-symbolic.txt" if arguments.symbolic else "passing.txt"
        arguments.list = os.path.join(HERE, name)
    root = write_cases(arguments.cases)
    names = [name for name in sorted(os.listdir(root)) if re.search(arguments.filter, name)]

    start = time.time()
    results = run_all(arguments, [os.path.join(root, name) for name in names])
    seconds = time.time() - start
    if arguments.results:
        with open(arguments.results, "w") as file:
            file.writelines(json.dumps(results[name]) + "\n" for name in names)
    if arguments.verbose:
        for name in names:
            if results[name]["status"] != "pass":
                print(f"{name}: {results[name]['status']}: {first_line(results[name]['message'])}")

    passing = {name for name in names if results[name]["status"] == "pass"}
    listed = read_list(arguments.list)
    summarize_reasons(results)
    counts = collections.Counter(result["status"] for result in results.values())
    print(", ".join(f"{count} {status}" for status, count in sorted(counts.items())),
          f"of {len(names)} node tests in {seconds:.0f} s")
    if arguments.update:
        write_list(arguments.list, (listed - set(names)) | passing, arguments.symbolic)
        return 0
    lost = sorted((listed & set(names)) - passing)
    gained = sorted(passing - listed)
    for name in lost:
        print(f"listed, but does not pass: {name}: {results[name]['message']}")
    for name in gained:
        print(f"passes, but is not listed: {name}")
    if not arguments.filter:
        for name in sorted(listed - set(names)):
            print(f"listed, but does not exist: {name}")
            lost.append(name)
    if lost or gained:
        print(f"to accept: node_tests.py --update{' --symbolic' if arguments.symbolic else ''}")
    return 1 if lost or gained else 0


if __name__ == "__main__":
    sys.exit(main())
