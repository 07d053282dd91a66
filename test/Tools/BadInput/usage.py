"""Wrong use of the command line: exit code 2, what is wrong and what to do."""

import os

import numpy as np
from harness import Row, model, npy, onnx_file, run_table, weights
from onnx import numpy_helper

RELU = onnx_file("g (float[N, 3] x) => (float[N, 3] y) { y = Relu(x) }")
X = np.ones((2, 3), np.float32)


def pb(array, name=""):
    return numpy_helper.from_array(array, name).SerializeToString()


FILES = {"r.onnx": RELU, "good/input_0.pb": pb(X, "x"), "good/output_0.pb": pb(X, "y")}


def usage(command, *says, code=2, files=None, **options):
    return Row(command, {**FILES, **(files or {})}, "dsc " + command, code, says, **options)


def golden(name, files, *says, code=2):
    """dsc verify with a folder of test data."""
    return Row("golden data: " + name, {"r.onnx": RELU, "d": os.makedirs, **files}, "dsc verify r.onnx --golden d", code, says)


ROWS = [
    usage("", "help: see dsc --help"),
    usage("optimise r.onnx", "optimise", "help: see dsc --help"),
    usage("compile", "model is required", "help: see dsc compile --help"),
    usage("compile r.onnx r.onnx", "r.onnx", "help: see dsc compile --help"),
    usage("compile r.onnx --fast", "--fast", "help: see dsc compile --help"),
    usage("compile r.onnx -o", "-o|--output"),
    usage("compile r.onnx -o a.dsc -o b.dsc", "-o|--output"),
    usage("compile r.onnx --emit exe", "--emit: exe not in"),
    usage("compile r.onnx --emit", "--emit"),
    usage("compile r.onnx --emit dsc --emit obj", "--emit"),
    usage("compile r.onnx --emit ptx", "PTX", "help: add --target nvptx"),
    usage("compile r.onnx --target nvptx:sm_80", "GPU", code={0, 2}, leaves=("r.dsc",)),
    usage("compile r.onnx --target nvptx:sm_1", "unknown target 'nvptx:sm_1'", "help: known are"),
    usage("compile r.onnx --target z80", "unknown target 'z80'", "help: known are native, .*x86-64-v3"),
    usage("compile r.onnx --target native,", "target"),
    usage("compile r.onnx --target native,z80", "unknown target 'z80'"),
    usage("compile r.onnx --stop-after lunch", "--stop-after: lunch not in .*import.*schedule"),
    usage("compile r.onnx --stop-after ''", "phase|--stop-after"),
    usage("compile r.onnx --precision exact", "--precision: exact not in"),
    usage("compile r.onnx --sparsity always", "--sparsity"),
    usage("compile r.onnx -O9", "-O"),
    usage("compile r.onnx -Ofast", "-O"),
    *(usage(f"{verb} --threads {count}", "--threads")
      for verb in ("compile r.onnx", "run r.onnx --random 1", "bench r.onnx", "verify r.onnx --golden good")
      for count in ("-1", "100000", "99999999999999999999", "two", "1.5")),
    *(usage(f"{verb} --threads 0", code=0, leaves=("r.dsc",))
      for verb in ("compile r.onnx", "run r.onnx --random 1", "bench r.onnx --min-time 0")),
    usage("run r.onnx --random 1 --threads 999", code={0, 2}),
    usage("bench r.onnx --min-time -1", "--min-time"),
    usage("bench r.onnx --min-time forever", "--min-time"),
    usage("bench r.onnx --min-time nan", "--min-time"),
    *(usage(f"{verb} --shape {shape}", "--shape|'x'|no size|names no|too large|memory|larger", code=code)
      for verb in ("compile r.onnx", "bench r.onnx", "inspect r.onnx")
      for shape, code in (("x", 2), ("=2x3", 2), ("x=2xThree", 2), ("x=-2x3", 2), ("x=2,3", 2), ("x=2x3x4", 2),
                          ("nothing=2", 2), ("x=99999999999999999999x3", 2), ("x=2x4", {2, 3}),
                          ("x=4611686018427387904x3", {2, 3, 6}))),
    usage("compile r.onnx --shape x=2x3 --shape x=4x3", "twice for 'x'"),
    usage("compile r.onnx --shape nothing=2", "'nothing' names no input", "help|inputs"),
    usage("explain r.onnx", "node is required"),
    usage("explain r.onnx n7", "the model has no node 'n7'", "help: .*n0"),
    usage("explain r.onnx ''", "no node ''"),
    usage("explain r.onnx -1", "-1"),
    usage("explain r.onnx 99999999999999999999", "no node"),
    usage("run r.onnx --output-dir", "--output-dir"),
    usage("ops r.onnx", "r.onnx"),
    usage("inspect r.onnx --html", "--html"),

    # dsc verify
    usage("verify", "model is required"),
    usage("verify r.onnx", "nothing to compare 'r.onnx' with", "help: give --golden"),
    usage("verify r.onnx --against tensorflow", "--against"),
    usage("verify r.onnx --golden good --rtol -1", "--rtol"),
    usage("verify r.onnx --golden good --atol nan", "--atol"),
    usage("verify r.onnx --golden good --seeds 0", "--seeds"),
    usage("verify r.onnx --golden good --timeout -1", "--timeout"),
    usage("verify r.onnx --against ort --python no-such-python", "no-such-python", code=4),
    golden("right", {"d/input_0.pb": pb(X, "x"), "d/output_0.pb": pb(X, "y")}, code=0),
    golden("empty", {}, "'d' has no data for input 'x'", code=4),
    golden("no input", {"d/output_0.pb": pb(X)}, "'d' has no data for input 'x'", code=4),
    golden("no output", {"d/input_0.pb": pb(X)}, "'d' has no output_0.pb", code=4),
    golden("too many inputs", {"d/input_0.pb": pb(X), "d/input_1.pb": pb(X), "d/output_0.pb": pb(X)}, "input_1.pb"),
    golden("too many outputs", {"d/input_0.pb": pb(X), "d/output_0.pb": pb(X), "d/output_1.pb": pb(X)}, "output_1.pb"),
    golden("an input that is no tensor", {"d/input_0.pb": b"none", "d/output_0.pb": pb(X)}, "no tensor", "input_0.pb"),
    golden("an output that is no tensor", {"d/input_0.pb": pb(X), "d/output_0.pb": b"none"}, "no tensor", "output_0.pb"),
    golden("another shape", {"d/input_0.pb": pb(np.ones((2, 4), np.float32)), "d/output_0.pb": pb(X)}, "'x'"),
    golden("another type", {"d/input_0.pb": pb(np.ones((2, 3))), "d/output_0.pb": pb(X)}, "'x'"),
    golden("folders instead of files", {"d/input_0.pb": os.makedirs, "d/output_0.pb": os.makedirs}, "input_0.pb", code=4),
    Row("golden data: no folder", FILES, "dsc verify r.onnx --golden nowhere", 4, ("'nowhere'",)),
    Row("golden data: a file", FILES, "dsc verify r.onnx --golden r.onnx", 4, ("'r.onnx'",)),
    Row("golden data: a folder without a model", {"case/test_data_set_0": os.makedirs}, "dsc verify case", 4, ("case/model.onnx",)),
    Row("golden data: a folder without data", {"case/model.onnx": RELU}, "dsc verify case", 4, ("no test_data_set_",)),
    Row("golden data: a mismatch", {**FILES, "good/output_0.pb": pb(X * 2)}, "dsc verify r.onnx --golden good", 1),
]

if __name__ == "__main__":
    run_table(ROWS)
