"""Runs a model with ONNX Runtime on the inputs that `dsc verify --against ort` made.

usage: python -c SCRIPT MODEL FOLDER...

Each folder holds names.json ({"inputs": [...], "outputs": [...]}) and input_0.npy,
input_1.npy, ...; the outputs become output_0.npy, output_1.npy, ... there.
"""

import json
import os
import sys


def main():
    model, *folders = sys.argv[1:]
    # ONNX Runtime leaves a file among the temporary ones: this folder is removed.
    os.environ["TMPDIR"] = folders[0]
    try:
        import numpy as np
        import onnxruntime as ort
    except ImportError as error:
        sys.exit(f"{sys.executable} lacks a package: {error}")
    ort.disable_telemetry_events()
    ort.set_default_logger_severity(3)
    options = ort.SessionOptions()
    # Without it, where a CPU has no instruction for sums of products of 8-bit integers, its
    # kernels let the sums of two products saturate at 16 bits.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    for folder in folders:
        with open(os.path.join(folder, "names.json")) as file:
            names = json.load(file)
        inputs = {name: np.load(os.path.join(folder, f"input_{i}.npy"))
                  for i, name in enumerate(names["inputs"])}
        for i, output in enumerate(session.run(names["outputs"], inputs)):
            np.save(os.path.join(folder, f"output_{i}.npy"), output)


main()
