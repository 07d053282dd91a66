"""make_case.py FOLDER: test cases for `dsc verify`: good, wrong (one expected value is
off) and broken (an unknown operator)."""

import os
import sys

import make_model
import numpy as np
from onnx import numpy_helper

root = sys.argv[1]
x = np.array([[1, 2, 3], [-4, -5, 6]], np.float32)
for case in ("good", "wrong", "broken"):
    data = os.path.join(root, case, "test_data_set_0")
    os.makedirs(data)
    model = make_model.relu() if case != "broken" else make_model.unknown_operators()
    y = np.maximum(x, 0)
    if case == "wrong":
        y[0, 1] = 2.5
    files = {"../model.onnx": model,
             "input_0.pb": numpy_helper.from_array(x, "x").SerializeToString(),
             "output_0.pb": numpy_helper.from_array(y, "y").SerializeToString()}
    for name, contents in files.items():
        with open(os.path.join(data, name), "wb") as file:
            file.write(contents)
