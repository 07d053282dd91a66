#!/usr/bin/env python3
"""How far results of quantized models are from each other: ONNX Runtime's with exact sums, as it is by default,
without optimisations, and dsc's.

usage: agreement.py [--dsc build/bin/dsc] MODEL.onnx...

Prints for each pair the largest and the mean difference of all outputs, by the largest magnitude. By default
ONNX Runtime lets sums of two products of 8 bits saturate on x86 CPUs without VNNI.
"""

import argparse
import itertools
import os
import subprocess
import tempfile

import numpy as np
import onnxruntime

onnxruntime.disable_telemetry_events()

LEVELS = onnxruntime.GraphOptimizationLevel
MODES = {"exact": (LEVELS.ORT_ENABLE_ALL, "1"), "default": (LEVELS.ORT_ENABLE_ALL, "0"), "off": (LEVELS.ORT_DISABLE_ALL, "0")}


def session(path, mode):
    level, precision = MODES[mode]
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", precision)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def make_inputs(infos):
    """Normal floats, integers below 1000, masks of ones."""
    random, inputs = np.random.default_rng(0), {}
    for info in infos:
        shape = [d if isinstance(d, int) else 1 for d in info.shape]
        if "float" in info.type:
            inputs[info.name] = random.standard_normal(shape).astype(np.float32)
        else:
            inputs[info.name] = np.ones(shape, np.int64) if "mask" in info.name else random.integers(0, 1000, shape)
    return inputs


def run_dsc(dsc, path, inputs, names):
    with tempfile.TemporaryDirectory() as folder:
        command = [dsc, "run", "-q", path, "--output-dir", folder]
        for name, array in inputs.items():
            np.save(os.path.join(folder, f"in_{name}.npy"), array)
            command += ["--input", f"{name}={folder}/in_{name}.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return [np.load(os.path.join(folder, f"{name}.npy")) for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsc", default="build/bin/dsc")
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    for path in arguments.models:
        first = session(path, "off")
        inputs = make_inputs(first.get_inputs())
        names = [output.name for output in first.get_outputs()]
        results = {f"ORT {mode}": session(path, mode).run(names, inputs) for mode in MODES}
        results["dsc"] = run_dsc(arguments.dsc, path, inputs, names)
        flat = {name: np.concatenate([r.astype(float).ravel() for r in values]) for name, values in results.items()}
        print(os.path.basename(path))
        for a, b in itertools.combinations(flat, 2):
            difference, scale = np.abs(flat[a] - flat[b]), np.abs(flat[a]).max()
            print(f"  {a:12} {b:12} largest {difference.max() / scale:.5f}  mean {difference.mean() / scale:.6f}")


if __name__ == "__main__":
    main()
