#!/usr/bin/env python3
"""Where a model's time goes by template: estimated by the compiler, and measured with perf.

usage: templates.py [--build DIR] [--kernels N] [--shape NAME=1x3x224x224]... MODEL...

MODEL is an ONNX model or an artifact. Prints for each template its share of the time on one
thread, then the N kernels that take longest.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import tempfile


def measure(dsc, artifact, shapes, folder):
    """Samples of each kernel by name, from perf's view of a bench."""
    data = os.path.join(folder, "perf.data")
    options = [text for shape in shapes for text in ("--shape", shape)]
    subprocess.run(["perf", "record", "-q", "-o", data, dsc, "bench", artifact, "--threads", "1",
                    "--min-time", "2", "-q", *options], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "DSC_PERF_MAP": "1"})
    text = subprocess.run(["perf", "report", "-i", data, "--stdio", "-q", "-F", "overhead,symbol"],
                          check=True, capture_output=True, text=True).stdout
    found = re.findall(r"([\d.]+)%\s+\[.\] (dsc_kernel_\d+)", text)
    return {name: float(percent) for percent, name in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--kernels", type=int, default=0)
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    dsc = os.path.join(arguments.build, "bin", "dsc")
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            artifact = model
            if model.endswith(".onnx"):
                artifact = os.path.join(folder, "model.dsc")
                subprocess.run([dsc, "compile", model, "-o", artifact, "-q"], check=True)
            report = json.loads(subprocess.run([dsc, "inspect", artifact, "--json"], check=True,
                                               capture_output=True, text=True).stdout)
            print_shares(model, report, measure(dsc, artifact, arguments.shape, folder), arguments.kernels)


def print_shares(model, report, samples, count):
    total = sum(samples.values())
    measured = collections.Counter()
    kernels = {kernel["name"]: kernel for kernel in report["kernels"]}
    for name, percent in samples.items():
        template = kernels[name]["template"] if name in kernels else "runtime"
        measured[template] += 100 * percent / total
    estimated = {name: 100 * share for name, share in report.get("time_share", {}).items()}
    print(os.path.basename(model))
    for template, percent in measured.most_common():
        print(f"  {template:<16} {percent:5.1f} %  (estimated {estimated.get(template, 0):5.1f} %)")
    for name, percent in sorted(samples.items(), key=lambda item: -item[1])[:count]:
        kernel = kernels[name]
        print(f"    {percent:5.1f} %  {name} {kernel['template']}: {' '.join(kernel['ops'])[:150]}")


if __name__ == "__main__":
    main()
