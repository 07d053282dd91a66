"""Writes models for tests: make_model.py KIND FILE.

Kinds are the functions below; each returns the bytes of the file.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, parser

HEADER = '<ir_version: 10, opset_import: ["": 21]>\n'


def text(graph, names=True):
    """A model in ONNX's text syntax; its nodes are named n0, n1, ..."""
    model = parser.parse_model(HEADER + graph)
    for i, node in enumerate(model.graph.node if names else []):
        node.name = f"n{i}"
    return model


def relu():
    return text("g (float[2, 3] x) => (float[2, 3] y) { y = Relu(x) }").SerializeToString()


def mlp():
    """Batch N, weights in the model: x[N,4] -> Gemm -> Relu -> Gemm -> y[N,2]."""
    model = text("""g (float[N, 4] x) => (float[N, 2] y)
      { h = Gemm(x, w1, b1)  r = Relu(h)  y = Gemm(r, w2, b2) }""")
    random = np.random.default_rng(0)
    for name, shape in {"w1": (4, 8), "b1": (8,), "w2": (8, 2), "b2": (2,)}.items():
        values = random.normal(size=shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    return model.SerializeToString()


def add_types():
    """Two inputs of different types."""
    return text("g (float[N, 3] x, int64[N] i) => (float[N, 3] y, int64[N] j)"
                "{ y = Neg(x)  j = Abs(i) }").SerializeToString()


def gather():
    return text("g (float[5] x, int64[2] i) => (float[2] y) { y = Gather(x, i) }"
                ).SerializeToString()


def lookup():
    """Rows of a constant that is computed when compiling: table[16,100], i[N] -> y[N,16]."""
    model = text("""g (int64[N] i) => (float[N, 16] y)
      { t = Transpose <perm = [1, 0]> (table)  y = Gather(t, i) }""")
    table = np.arange(1600, dtype=np.float32).reshape(16, 100)
    model.graph.initializer.append(numpy_helper.from_array(table, "table"))
    return model.SerializeToString()


def slashes():
    """Names as exporters write them."""
    node = helper.make_node("Relu", ["x"], ["/out/y"], name="/layer/Relu")
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("/out/y", TensorProto.FLOAT, [2])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                             ir_version=10).SerializeToString()


def bfloat16():
    return text("g (bfloat16[2, 3] x) => (bfloat16[2, 3] y) { y = Relu(x) }").SerializeToString()


def long_chain():
    """Takes a while to compile: no two of its operators give the same kernel."""
    nodes = "".join(f"h{i + 1} = MatMul(h{i}, w{i}) " for i in range(200))
    model = text(f"g (float[N, 3] h0) => (float[N, 203] h200) {{ {nodes} }}")
    for i in range(200):
        values = np.ones((i + 3, i + 4), np.float32)
        model.graph.initializer.append(numpy_helper.from_array(values, f"w{i}"))
    return model.SerializeToString()


def unknown_operators():
    """Two problems, to be listed at once."""
    return text("g (float[2] x) => (float[2] y) { h = NoSuchOp(x)  y = NeitherThis(h) }"
                ).SerializeToString()


def inconsistent():
    return text("g (float[2, 3] x, float[4, 5] z) => (float[2, 3] y) { y = Add(x, z) }"
                ).SerializeToString()


def empty():
    return b""


def truncated():
    return mlp()[:-40]


def garbage():
    return bytes(range(256)) * 4


if __name__ == "__main__":
    kind, path = sys.argv[1:]
    with open(path, "wb") as file:
        file.write(globals()[kind]())
