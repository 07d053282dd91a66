"""Inputs of a run that do not fit the model, and values that an operator does not take."""

import struct

import numpy as np
from harness import Row, npy, onnx_file, run_table
from onnx import TensorProto, numpy_helper

# x[N,3] of floats and i[N] of integers.
MODEL = onnx_file("g (float[N, 3] x, int64[N] i) => (float[N, 3] y, int64[N] j) { y = Neg(x) j = Abs(i) }")
X, I = np.ones((2, 3), np.float32), np.ones(2, np.int64)


def wrong(name, arguments, *says, code=2, files=None):
    """A run of MODEL that ends with exit code 2."""
    given = {"m.onnx": MODEL, "x.npy": npy(X), "i.npy": npy(I), **(files or {})}
    return Row(name, given, f"dsc run m.onnx {arguments}", code, says)


def wrong_file(name, contents, *says, path="x.npy", code=2):
    return wrong(f"{path[2:]}: {name}", f"--input {path} --input i.npy", rf"(?=[^\0]*\b{path})", *says,
                 files={path: contents}, code=code)


def header(text, version=1, length=None):
    """The start of a .npy file."""
    text = text.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


def described(descr="'<f4'", order="False", shape="(2, 3)"):
    return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")


def tensor(**fields):
    return TensorProto(**fields).SerializeToString()


def out_of_range(name, graph, *arrays, says=(), code=2):
    """Values that are wrong only at run time; the node is named."""
    files = {"m.onnx": onnx_file(graph), **{f"{k}.npy": npy(a) for k, a in enumerate(arrays)}}
    inputs = " ".join(f"--input {k}.npy" for k in range(len(arrays)))
    return Row("value: " + name, files, f"dsc run m.onnx {inputs}", code,
               (r"error\[DSC0202\]", *(says or ("n\\d",))), seconds=10)


FIVE, HUGE = np.ones(5, np.float32), 1 << 62
DATA = np.arange(24, dtype=np.float32).reshape(4, 6)

ROWS = [
    wrong("right", "--input x.npy --input i.npy", code=0),
    wrong("right, by names", "--input i=i.npy --input x=x.npy", code=0),

    # Names, types, ranks, sizes.
    wrong("wrong name", "--input z=x.npy", "'z' is no input of the model", r"help: its inputs are 'x' f32\[N,3\], 'i' i64\[N\]"),
    wrong("missing input", "--input x.npy", r"no data for input 'i' i64\[N\]", "help: give --input i=FILE"),
    wrong("no inputs", "", "no data for input 'x'"),
    wrong("too many inputs", "--input x.npy --input i.npy --input i.npy", "the model has no more inputs"),
    wrong("an input twice", "--input x=x.npy --input x=x.npy", "'x' is given twice"),
    wrong("missing file", "--input nothing.npy --input i.npy", "cannot read 'nothing.npy': No such file", code=4),
    wrong("missing tensor file", "--input nothing.pb --input i.npy", "nothing.pb", code=4),
    wrong("a folder", "--input . --input i.npy", "'?[.]'?", code=4),
    wrong("another type", "--input d.npy --input i.npy", "'x'", r"f32\[N,? ?3\]", "f64", files={"d.npy": npy(np.ones((2, 3)))}),
    wrong("integers of 32 bits", "--input x.npy --input i4.npy", "'i'", "i64", "i32", files={"i4.npy": npy(np.ones(2, np.int32))}),
    wrong("another rank", "--input r.npy --input i.npy", "'x'", "f32", files={"r.npy": npy(np.ones(3, np.float32))}),
    wrong("a scalar", "--input r.npy --input i.npy", "'x'", files={"r.npy": npy(np.float32(1))}),
    wrong("another size", "--input r.npy --input i.npy", "'x'", "3.*4|4.*3", files={"r.npy": npy(np.ones((2, 4), np.float32))}),
    wrong("sizes that disagree", "--input x.npy --input r.npy", "N", "2.*3|3.*2", files={"r.npy": npy(np.ones(3, np.int64))}),
    wrong("nothing", "--input r.npy --input e.npy", code=0,
          files={"r.npy": npy(np.ones((0, 3), np.float32)), "e.npy": npy(np.ones(0, np.int64))}),

    # --shape and --random.
    wrong("--shape of no input", "--random 1 --shape y=1", "'y', which is no input|'y' names no input"),
    wrong("--shape of another rank", "--random 1 --shape x=1x2x3", r"'x'.*3 sizes.*f32\[N,3\]"),
    wrong("--shape of another size", "--random 1 --shape x=2x4", "x", "3"),
    wrong("--shape that disagrees", "--random 1 --shape x=2x3 --shape i=5", "N|i"),
    wrong("--shape negative", "--random 1 --shape x=-2x3", "'-2' is no size", "help: write --shape"),
    wrong("--shape of words", "--random 1 --shape x=twox3", "'two' is no size"),
    wrong("--shape too large to parse", "--random 1 --shape x=99999999999999999999x3", "is no size"),
    wrong("--shape with a hole", "--random 1 --shape x=2xx3", "'' is no size"),
    wrong("--shape without a name", "--random 1 --shape 2x3", "names no input"),
    wrong("--shape twice", "--random 1 --shape x=2x3 --shape x=2x3", "twice for 'x'"),
    wrong("--shape of nothing", "--random 1 --shape x=0x3", code=0),
    wrong("--random of a word", "--random one", "--random"),
    wrong("--random with --input", "--random 1 --input x.npy", "exclude each other"),
    wrong("--random twice", "--random 1 --random 2", "--random", code={0, 2}),

    # Files in npy format.
    wrong_file("empty", b"", "npy format"),
    wrong_file("other bytes", b"not an array at all", "npy format"),
    wrong_file("a text file", b"1 2 3\n", "npy format"),
    *(wrong_file(f"truncated to {size} bytes", npy(X)[:size], "truncated|fewer bytes|npy format")
      for size in (5, 6, 8, 9, 10, 40, 127, 128, 130, 151)),
    wrong_file("a header that is longer than the file", header("{}", length=60000), "truncated"),
    wrong_file("a header of 4 GB", header("{}", version=2, length=0xFFFFFFFF), "truncated"),
    wrong_file("no header", header(""), "type"),
    wrong_file("another version", header("{}", version=9), "version|type"),
    wrong_file("a header that is no dictionary", header("[1, 2, 3]\n"), "type"),
    wrong_file("no shape", header("{'descr': '<f4', 'fortran_order': False}\n"), "shape"),
    wrong_file("no type", header("{'fortran_order': False, 'shape': (2, 3)}\n"), "type"),
    wrong_file("objects", described("'|O'") + bytes(48), "'[|]O'.*not supported"),
    wrong_file("big-endian numbers", described("'>f4'") + bytes(24), "'>f4'.*not supported"),
    wrong_file("texts", described("'<U5'") + bytes(120), "'<U5'.*not supported"),
    wrong_file("dates", described("'<M8[ns]'") + bytes(48), "not supported"),
    wrong_file("records", described("[('a', '<f4'), ('b', '<i4')]") + bytes(48), "not supported"),
    wrong_file("long doubles", described("'<f16'") + bytes(96), "not supported"),
    wrong_file("a shape that is no tuple", described(shape="6") + bytes(24), "shape"),
    wrong_file("a shape without end", described(shape="(2, 3") + bytes(24), "shape"),
    wrong_file("a shape of words", described(shape="(two, 3)") + bytes(24), "shape"),
    wrong_file("a negative shape", described(shape="(-2, 3)") + bytes(24), "shape"),
    wrong_file("a shape that overflows", described(shape="(9223372036854775807, 3)") + bytes(24), "fewer bytes"),
    wrong_file("a shape beyond 64 bits", described(shape="(99999999999999999999, 3)") + bytes(24), "shape"),
    wrong_file("more elements than bytes", described(shape="(1000000000, 3)") + bytes(24), "fewer bytes"),
    wrong_file("2^40 x 2^40 x 0", described(shape="(1099511627776, 1099511627776, 0)"), "x|shape|bytes"),
    wrong("columns first", "--input f.npy --input i.npy", code=0, files={"f.npy": npy(np.asfortranarray(X))}),
    wrong("columns first, of 2^62 columns and no rows", "--input f.npy --input i.npy", "'x'|f.npy",
          files={"f.npy": described(order="True", shape="(0, 4611686018427387904)")}),

    # Files with a TensorProto.
    wrong_file("empty", b"", "x.pb", path="x.pb"),
    wrong_file("other bytes", npy(X), "no tensor|protobuf|type", path="x.pb"),
    *(wrong_file(f"truncated to {size} bytes", numpy_helper.from_array(X, "x").SerializeToString()[:size],
                 "tensor|bytes|truncated", path="x.pb") for size in (1, 3, 5, 10, 20, 34)),
    wrong_file("fewer bytes", tensor(dims=[2, 3], data_type=1, raw_data=bytes(20)), "24.*20", path="x.pb"),
    wrong_file("fewer numbers", tensor(dims=[2, 3], data_type=1, float_data=[1, 2]), "x.pb", path="x.pb"),
    wrong_file("unknown type", tensor(dims=[2, 3], data_type=99, raw_data=bytes(24)), "99", path="x.pb"),
    wrong_file("no type", tensor(dims=[2, 3], raw_data=bytes(24)), "type|0", path="x.pb"),
    wrong_file("negative size", tensor(dims=[-2, -3], data_type=1, raw_data=bytes(24)), "negative", path="x.pb"),
    wrong_file("size that overflows", tensor(dims=[HUGE, 4], data_type=1, raw_data=bytes(24)), "64 bits|overflow", path="x.pb"),
    wrong_file("external data", tensor(dims=[2, 3], data_type=1, data_location=1,
                                       external_data=[dict(key="location", value="/etc/passwd")]),
               "external", path="x.pb"),
    wrong("a tensor of another type", "--input d.pb --input i.npy", "'x'", "f64",
          files={"d.pb": tensor(dims=[2, 3], data_type=TensorProto.DOUBLE, raw_data=bytes(48))}),
    wrong("a model as a tensor", "--input m.onnx --input i.npy", "m.onnx"),

    # Values.
    *(out_of_range(f"Gather of {i}", "g (float[5] x, int64[2] i) => (float[2] y) { y = Gather(x, i) }", FIVE,
                   np.array([0, i])) for i in (5, -6, HUGE, -HUGE, -(1 << 63))),
    out_of_range("GatherElements", "g (float[4, 6] x, int64[1, 2] i) => (float[1, 2] y) { y = GatherElements(x, i) }",
                 DATA, np.array([[4, 0]])),
    out_of_range("GatherND", "g (float[4, 6] x, int64[1, 2] i) => (float[1] y) { y = GatherND(x, i) }",
                 DATA, np.array([[0, 6]])),
    out_of_range("GatherND, negative", "g (float[4, 6] x, int64[1, 2] i) => (float[1] y) { y = GatherND(x, i) }",
                 DATA, np.array([[-5, 0]])),
    *(out_of_range(f"ScatterElements to {i}",
                   "g (float[5] x, int64[1] i, float[1] u) => (float[5] y) { y = ScatterElements(x, i, u) }",
                   FIVE, np.array([i]), np.ones(1, np.float32)) for i in (5, -6, HUGE)),
    *(out_of_range(f"ScatterND to {i}",
                   "g (float[5] x, int64[1, 1] i, float[1] u) => (float[5] y) { y = ScatterND(x, i, u) }",
                   FIVE, np.array([[i]]), np.ones(1, np.float32)) for i in (5, -6, HUGE)),
    out_of_range("embedding of a word that is not there",
                 "g (int64[S] words, float[10, 4] table) => (float[S, 4] y) { e = Gather(table, words) y = Relu(e) }",
                 np.array([1, 10]), np.ones((10, 4), np.float32)),
    Row("value: OneHot out of range is no error",
        {"m.onnx": onnx_file("g (int64[3] i) => (float[] y) <int64 d = {4}, float[2] v = {0.0, 1.0}> { y = OneHot(i, d, v) }"),
         "0.npy": npy(np.array([0, 9, -9]))}, "dsc run m.onnx --input 0.npy", 0),
    Row("value: Slice out of range is no error",
        {"m.onnx": onnx_file("g (float[5] x, int64[1] a, int64[1] b) => (float[] y) { y = Slice(x, a, b) }"),
         "0.npy": npy(FIVE), "1.npy": npy(np.array([-HUGE])), "2.npy": npy(np.array([HUGE]))},
        "dsc run m.onnx --input 0.npy --input 1.npy --input 2.npy", 0),
    out_of_range("Slice by steps of zero",
                 "g (float[5] x, int64[1] a, int64[1] b, int64[1] c, int64[1] d) => (float[] y) { y = Slice(x, a, b, c, d) }",
                 FIVE, np.array([0]), np.array([5]), np.array([0]), np.array([0])),
    out_of_range("Slice of an axis that is not there",
                 "g (float[5] x, int64[1] a, int64[1] b, int64[1] c) => (float[] y) { y = Slice(x, a, b, c) }",
                 FIVE, np.array([0]), np.array([5]), np.array([7])),
    out_of_range("Reshape to another count", "g (float[5] x, int64[2] s) => (float[] y) { y = Reshape(x, s) }",
                 FIVE, np.array([2, 3])),
    out_of_range("Reshape with two unknowns", "g (float[5] x, int64[2] s) => (float[] y) { y = Reshape(x, s) }",
                 FIVE, np.array([-1, -1])),
    out_of_range("Expand that does not broadcast", "g (float[5] x, int64[1] s) => (float[] y) { y = Expand(x, s) }",
                 FIVE, np.array([3])),
    out_of_range("Add of other sizes", "g (float[N] a, float[M] b) => (float[] y) { y = Add(a, b) }", FIVE,
                 np.ones(3, np.float32)),
    out_of_range("MatMul of other depths", "g (float[2, K] a, float[L, 2] b) => (float[2, 2] y) { y = MatMul(a, b) }",
                 np.ones((2, 3), np.float32), np.ones((4, 2), np.float32)),
    out_of_range("Concat of other sizes", "g (float[N, 2] a, float[M, 3] b) => (float[] y) { y = Concat<axis = 1>(a, b) }",
                 np.ones((2, 2), np.float32), np.ones((3, 3), np.float32)),
    out_of_range("Split into other sums", "g (float[5] x, int64[2] s) => (float[] y, float[] z) { y, z = Split(x, s) }",
                 FIVE, np.array([2, 2])),
    out_of_range("Tile a negative number of times", "g (float[5] x, int64[1] s) => (float[] y) { y = Tile(x, s) }", FIVE,
                 np.array([-1]), says=(r"'n\d+'.*: repeats axis 0 s times where s = -1",)),
    out_of_range("Pad that takes too much", "g (float[5] x, int64[2] s) => (float[] y) { y = Pad(x, s) }", FIVE,
                 np.array([-3, -3]), says=(r"'n\d+'.*: pads take away more than .* where s_0 = -3, s_1 = -3",)),
    out_of_range("Range by zero", "g (int64 d) => (int64[] y) <int64 a = {0}, int64 b = {9}> { y = Range(a, b, d) }",
                 np.array(0)),
    out_of_range("TopK of more than there is", "g (float[5] x, int64[1] k) => (float[] y, int64[] i) { y, i = TopK(x, k) }",
                 FIVE, np.array([6])),
    out_of_range("TopK of a negative number", "g (float[5] x, int64[1] k) => (float[] y, int64[] i) { y, i = TopK(x, k) }",
                 FIVE, np.array([-1]), says=(r"'n\d+'.*: k is k for the 5 elements of axis 0 where k = -1",)),
    out_of_range("Resize to a negative size",
                 "g (float[N, 3] x, int64[2] s) => (float[] y) { y = Resize(x, , , s) }", np.ones((2, 3), np.float32),
                 np.array([1, -2]), says=(r"'n\d+'.*: sizes has the size s_1 where s_1 = -2",)),
    out_of_range("Reshape to a negative size",
                 "g (float[N, 3] x, int64[2] s) => (float[] y) { y = Reshape(x, s) }", np.ones((2, 3), np.float32),
                 np.array([1, -2]), says=(r"'n\d+'.*: cannot reshape f32\[N,3\] to \[s_0, s_1\] where N = 2, s_0 = 1, s_1 = -2",)),
    out_of_range("iterations that give slices of different sizes",
                 """g (int64 n) => (int64[A, B] y) <int64 zero = {0}, int64 one = {1}, bool yes = {1}> {
                     y = Loop(n, yes) <body = b (int64 i, bool c) => (bool d, int64[K] r) {
                         d = Identity(c) r = Range(zero, i, one) }> }""",
                 np.int64(3), says=(r"node 0 .*expected i64\[0\], got i64\[1\]",)),
    out_of_range("a window larger than the picture",
                 "g (float[1, 1, H, W] x) => (float[] y) { y = MaxPool<kernel_shape = [3, 3]>(x) }",
                 np.ones((1, 1, 2, 2), np.float32)),
    Row("value: integers divided by zero are no signal",
        {"m.onnx": onnx_file("g (int64[N] a, int64[N] b) => (int64[N] y, int64[N] z) { y = Div(a, b) z = Mod(a, b) }"),
         "0.npy": npy(np.array([7, -(1 << 63)])), "1.npy": npy(np.array([0, -1]))},
        "dsc run m.onnx --input 0.npy --input 1.npy", 0),
]

if __name__ == "__main__":
    run_table(ROWS)
