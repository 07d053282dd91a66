#!/usr/bin/env python3
"""Times models in dsc and in ONNX Runtime by turns, and prints a table.

usage: compare.py [--build DIR] [--seconds S] [--threads 1,2] [--shape NAME=1x3x224x224]... MODEL.onnx...

A MODEL may also be `architectures[:PATTERN]`: those of bench/architectures, wide enough to
be timed. Both get the same random inputs and the same number of threads; ONNX Runtime has all its
optimisations on. The machine is shared by both in slices, one after the other, so that what
disturbs one disturbs the other; the least time of each counts.
"""

import argparse
import fnmatch
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

from architectures import all_architectures

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))
from demo_compare import ort_session  # noqa: E402
from demo_runtime import DscRunner, Library  # noqa: E402

NUMPY = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64, "tensor(int32)": np.int32,
         "tensor(bool)": np.bool_}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=float, default=4, help="for each model and number of threads")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=SIZES")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    parser.add_argument("--option", action="append", default=[], help="of dsc compile")
    parser.add_argument("--wide", type=int, default=4, help="of architectures")
    parser.add_argument("models", nargs="+")
    return parser.parse_args()


def make_inputs(session, shapes):
    """Normal floats; integers are ones, which any embedding or mask takes."""
    generator = np.random.default_rng(0)
    inputs = {}
    for info in session.get_inputs():
        shape = shapes.get(info.name) or [d if isinstance(d, int) and d > 0 else 1 for d in info.shape]
        dtype = NUMPY[info.type]
        inputs[info.name] = (generator.standard_normal(shape).astype(dtype)
                             if np.issubdtype(dtype, np.floating) else np.ones(shape, dtype))
    return inputs


def interleave(runs, seconds):
    """Least time of each callable, in ms; they run in slices by turns."""
    least = [float("inf")] * len(runs)
    for run in runs:
        run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for number, run in enumerate(runs):
            slice_end = time.perf_counter() + seconds / 20
            while True:
                start = time.perf_counter()
                run()
                least[number] = min(least[number], time.perf_counter() - start)
                if time.perf_counter() > slice_end:
                    break
    return [1e3 * value for value in least]


def models_of(names, wide, folder):
    """Paths and, of architectures, inputs."""
    for name in names:
        if not name.startswith("architectures"):
            yield name, None
            continue
        pattern = name.partition(":")[2] or "*"
        for known, architecture in all_architectures().items():
            if fnmatch.fnmatch(known, pattern):
                graph = architecture.graph(wide)
                path = os.path.join(folder, known + ".onnx")
                onnx.save(graph.model(known), path)
                yield path, graph.make_inputs(architecture.timed)


def measure(model, given, arguments, library, folder):
    artifact = os.path.join(folder, "model.dsc")
    dsc = os.path.join(arguments.build, "bin", "dsc")
    start = time.perf_counter()
    subprocess.run([dsc, "compile", model, "-o", artifact, "-q", *arguments.option], check=True)
    row = {"model": os.path.basename(model), "compile_s": time.perf_counter() - start,
           "artifact_mb": os.path.getsize(artifact) / 1e6}
    shapes = {name: [int(size) for size in sizes.split("x")]
              for name, sizes in (shape.rsplit("=", 1) for shape in arguments.shape)}
    for threads in (int(text) for text in arguments.threads.split(",")):
        session = ort_session(model, threads)
        inputs = given or make_inputs(session, shapes)
        runner = DscRunner(library, artifact, inputs, threads)
        ours, theirs = interleave([runner.run, lambda: session.run(None, inputs)], arguments.seconds)
        runner.close()
        row[f"dsc_ms_{threads}"], row[f"ort_ms_{threads}"] = ours, theirs
    os.remove(artifact)
    return row


def print_row(row, threads):
    cells = [row["model"], f"{row['compile_s']:.1f} s", f"{row['artifact_mb']:.1f} MB"]
    for count in threads:
        ours, theirs = row[f"dsc_ms_{count}"], row[f"ort_ms_{count}"]
        cells += [f"{ours:.3g}", f"{theirs:.3g}", f"{theirs / ours:.2f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    arguments = parse_arguments()
    threads = arguments.threads.split(",")
    library = Library(os.path.join(arguments.build, "lib", "libdsc_runtime.so"))
    heads = ["model", "compile", "artifact"]
    for count in threads:
        heads += [f"dsc, ms x{count}", f"ORT, ms x{count}", "ORT / dsc"]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs\n")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads), flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model, given in models_of(arguments.models, arguments.wide, folder):
            try:
                rows.append(measure(model, given, arguments, library, folder))
                print_row(rows[-1], threads)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                print(f"| {os.path.basename(model)} | {error} |", flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
