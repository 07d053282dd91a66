"""Writes the models of the tests of PTX: models.py FOLDER."""

import pathlib
import sys

from onnx import parser

MODELS = {
    "add": "(float[N, M] a, float[N, M] b) => (float[N, M] y) { s = Add(a, b) y = Tanh(s) }",
    "softmax": "(float[N, 300] x) => (float[N, 300] y) { y = Softmax(x) }",
    "norm": """(float[N, S, 64] x, float[64] s, float[64] b) => (float[N, S, 64] y)
        { y = LayerNormalization(x, s, b) }""",
    "bfloat16": "(bfloat16[N, 300] x) => (bfloat16[N, 300] y) { y = Softmax(x) }",
    "mean": """(float[N, 300] x) => (float[N] y)
        { a = Constant<value = int64[1] {1}>() y = ReduceMean<keepdims = 0>(x, a) }""",
    "pool": "(float[N, 30, 7, 7] x) => (float[N, 30, 1, 1] y) { y = GlobalAveragePool(x) }",
    "argmax": "(float[N, 300] x) => (int64[N, 1] y) { y = ArgMax<axis = 1>(x) }",
    "conv": """(float[1, 3, 16, 16] x, float[8, 3, 3, 3] w) => (float[1, 8, 14, 14] y)
        { c = Conv(x, w) y = Sigmoid(c) }""",
    "attention": """(float[1, 4, 16, 32] q, float[1, 4, 16, 32] k, float[1, 4, 16, 32] v)
        => (float[1, 4, 16, 32] y) { y = Attention(q, k, v) }""",
    "gather": "(float[5] x, int64[2] i) => (float[2] y) { y = Gather(x, i) }",
    "sin": "(float[N] x) => (float[N] y) { y = Sin(x) }",
    "cumsum": "(float[4, 300] x, int64 a) => (float[4, 300] y) { y = CumSum(x, a) }",
}

HEADER = '<ir_version: 10, opset_import: ["": 23]>\n'


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, graph in MODELS.items():
        model = parser.parse_model(f"{HEADER}g {graph}")
        for i, node in enumerate(model.graph.node):
            node.name = f"n{i}"
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


main()
