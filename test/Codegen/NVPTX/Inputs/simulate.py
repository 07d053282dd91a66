"""Runs kernels for GPUs on the CPU and compares with onnxruntime.

simulate.py FOLDER CC: the models of models.py in FOLDER. Each must become one kernel;
its buffers are then the model's inputs and its output.
"""

import ctypes
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnxruntime

# Model, shapes of its inputs, shapes for the compiler.
CASES = [
    ("add", {"a": (13, 17), "b": (13, 17)}),
    ("softmax", {"x": (9, 300)}),
    ("norm", {"x": (3, 5, 64), "s": (64,), "b": (64,)}),
    ("mean", {"x": (9, 300)}),
    ("pool", {"x": (2, 30, 7, 7)}),
    ("argmax", {"x": (9, 300)}),
    ("conv", {"x": (1, 3, 16, 16), "w": (8, 3, 3, 3)}),
]

NAMES = {
    r"llvm\.nvvm\.read\.ptx\.sreg\.(ctaid|tid|ntid|nctaid)\.x": r"grid_\1",
    r"llvm\.nvvm\.shfl\.sync\.bfly\.(f32|i32)": r"grid_shfl_\1",
    r"ptx_kernel ": "",
    r" addrspace\(1\)": "",
    r'"target-cpu"="\w+"': "",
    r"target (datalayout|triple) = .*": "",
    r"addrspacecast ptr (%\d+) to ptr": r"getelementptr i8, ptr \1, i64 0",
}


def build(model, shapes, compiler):
    """The kernel of a model as a shared object."""
    options = [f"--shape={name}={'x'.join(map(str, shape))}" for name, shape in shapes.items()]
    text = subprocess.run(["dsc", "compile", model, "--target", "nvptx:sm_80", "--emit", "llvm",
                           *options], check=True, capture_output=True, text=True).stdout
    for pattern, replacement in NAMES.items():
        text = re.sub(pattern, replacement, text)
    code, obj, library = (model.with_suffix(ending) for ending in (".ll", ".o", ".so"))
    code.write_text(text)
    subprocess.run(["llc", "-O1", "-relocation-model=pic", "-filetype=obj",
                    "-mtriple=x86_64-linux-gnu", code, "-o", obj], check=True)
    grid = pathlib.Path(__file__).with_name("grid.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", grid, obj, "-o", library, "-lm",
                    "-lpthread"], check=True)
    assert "@dsc_kernel_1" not in text, f"{model}: more than one kernel"
    return ctypes.CDLL(str(library))


def run(library, inputs, output):
    """Fills `output`; returns the status."""
    status = np.zeros(1, np.int32)
    arrays = [*inputs, output, status]
    arguments = (ctypes.c_void_p * 8)(*[array.ctypes.data for array in arrays])
    library.grid_run(library.dsc_kernel_0, arguments)
    return status[0]


def main():
    folder, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    random = np.random.default_rng(0)
    for name, shapes in CASES:
        model = folder / f"{name}.onnx"
        inputs = [random.normal(size=shape).astype(np.float32) for shape in shapes.values()]
        session = onnxruntime.InferenceSession(model)
        wanted = session.run(None, dict(zip(shapes, inputs)))[0]
        output = np.zeros_like(wanted)
        status = run(build(model, shapes, compiler), inputs, output)
        np.testing.assert_allclose(output, wanted, rtol=2e-5, atol=1e-6, err_msg=name)
        assert status == 0, name

    library = build(folder / "gather.onnx", {"x": (5,), "i": (2,)}, compiler)
    x, y = np.arange(5, dtype=np.float32), np.zeros(2, np.float32)
    assert run(library, [np.array([4, -5]), x], y) == 0 and list(y) == [4, 0], y
    assert run(library, [np.array([1, 5]), x], y) == 1


main()
