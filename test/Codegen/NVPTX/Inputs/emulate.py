"""Runs GPU artifacts in the emulator behind the fake driver and compares with onnxruntime.

emulate.py FOLDER DRIVER [NAME...]: the models of models.py and networks.py in FOLDER; DRIVER is the folder
of the fake libcuda.so.1. bfloat16, which onnxruntime does not multiply on CPUs, is
compared with numpy's float32.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

# Model and the shapes of its inputs. One artifact is run at all shapes of a model.
CASES = [
    ("add", [{"a": (13, 17), "b": (13, 17)}]),
    ("softmax", [{"x": (9, 300)}]),
    ("norm", [{"x": (3, 5, 64), "s": (64,), "b": (64,)}]),
    ("mean", [{"x": (9, 300)}]),
    ("pool", [{"x": (2, 30, 7, 7)}]),
    ("argmax", [{"x": (9, 300)}]),
    ("conv", [{"x": (1, 3, 16, 16), "w": (8, 3, 3, 3)}]),
    ("loop", [{"x": (5,), "n": (), "c": ()}]),
    # Whole tiles, tails on all sides, less than a tile, one row, no depth to pipeline.
    ("matmul", [{"a": (128, 64), "b": (64, 128)}, {"a": (67, 41), "b": (41, 35)},
                {"a": (1, 300), "b": (300, 9)}, {"a": (33, 3), "b": (3, 130)}]),
    ("batched", [{"a": (2, 3, 20, 36), "b": (3, 36, 68)}]),
    ("gemm_t", [{"a": (37, 70), "b": (66, 37), "c": (66,)}, {"a": (40, 72), "b": (64, 40), "c": (64,)}]),
    ("matmul_bf16", [{"a": (64, 64), "b": (64, 72)}, {"a": (67, 41), "b": (41, 35)}]),
    ("gemm_bf16_t", [{"a": (40, 72), "b": (64, 40)}, {"a": (37, 70), "b": (66, 37)}]),
    ("matmul_f16", [{"a": (70, 48), "b": (48, 40)}]),
    ("conv_strided", [{"x": (2, 5, 17, 23)}, {"x": (1, 5, 9, 7)}]),
    ("conv_1x1", [{"x": (2, 96, 14, 14)}, {"x": (1, 96, 5, 7)}]),
    # Whole networks.
    ("residual", [{"x": (2, 3, 32, 33)}]),
    ("transformer", [{"ids": (2, 9)}, {"ids": (1, 17)}]),
]

TOLERANCE = {"matmul_bf16": 1e-2, "gemm_bf16_t": 1e-2, "matmul_f16": 2e-3}


SHORT_FLOATS = (onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT16)


def write_tensor(path, array, dtype):
    """Writes the array, or threes of other types than floats; returns what onnxruntime is given."""
    if dtype == onnx.TensorProto.FLOAT or dtype in SHORT_FLOATS:
        tensor = onnx.helper.make_tensor("t", dtype, array.shape, array.ravel())
    else:
        tensor = numpy_helper.from_array(
            np.full(array.shape, 3).astype(onnx.helper.tensor_dtype_to_np_dtype(dtype)))
    path.write_bytes(tensor.SerializeToString())
    given = numpy_helper.to_array(tensor)
    return given.astype(np.float32) if dtype in SHORT_FLOATS else given


def widened(path):
    """The model with float32 for its 16-bit floats."""
    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type in SHORT_FLOATS:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return model.SerializeToString()


def read_output(folder):
    for path in folder.iterdir():
        if path.suffix == ".npy":
            return np.load(path)
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        return numpy_helper.to_array(tensor)
    raise AssertionError("no output")


def check(folder, driver, name, shapes, artifact, number):
    model = folder / f"{name}.onnx"
    random = np.random.default_rng(number)
    types = {value.name: value.type.tensor_type.elem_type for value in onnx.load(model).graph.input}
    inputs, arguments = {}, []
    for key, shape in shapes.items():
        path = folder / f"{name}{number}.{key}.pb"
        inputs[key] = write_tensor(path, random.normal(size=shape).astype(np.float32), types[key])
        arguments += ["--input", f"{key}={path}"]
    outputs = folder / f"{name}{number}.out"
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver)}
    subprocess.run(["dsc", "run", artifact, *arguments, "--output-dir", outputs], check=True,
                   env=environment, stdout=subprocess.DEVNULL)
    wanted = onnxruntime.InferenceSession(widened(model)).run(None, inputs)[0]
    output = read_output(outputs).astype(np.float64)
    tolerance = TOLERANCE.get(name, 2e-5)
    error = np.abs(output - wanted).max() / max(1e-30, np.abs(wanted).max())
    print(f"{name} {list(shapes.values())}: {error:.2e} of the largest element")
    assert output.shape == wanted.shape and error <= tolerance, name


def main():
    folder, driver, only = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    for name, runs in CASES:
        if only and name not in only:
            continue
        artifact = folder / f"{name}.dsc"
        subprocess.run(["dsc", "compile", "-q", folder / f"{name}.onnx", "--target", "nvptx:sm_80",
                        "-o", artifact], check=True)
        for number, shapes in enumerate(runs):
            check(folder, driver, name, shapes, artifact, number)


main()
