"""Writes the models of cuda.test: gpu_models.py FOLDER."""

import pathlib
import sys

from onnx import parser

MODELS = {
    # Two products: weights, an intermediate in the arena, a symbolic batch.
    "mlp": """(float[N, 300] x) => (float[N, 7] y) <float[300, 192] a = {A}, float[192, 7] b = {B}>
        { h = MatMul(x, a) r = Relu(h) y = MatMul(r, b) }""",
    "gather": "(float[5] x, int64[2] i) => (float[2] y) { y = Gather(x, i) }",
}


def numbers(count):
    return ", ".join(f"{(i * 7919 % 211 - 105) / 100:.2f}" for i in range(count))


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, graph in MODELS.items():
        graph = graph.replace("{A}", "{%s}" % numbers(300 * 192)).replace("{B}", "{%s}" % numbers(192 * 7))
        model = parser.parse_model(f'<ir_version: 10, opset_import: ["": 23]>\ng {graph}')
        for i, node in enumerate(model.graph.node):
            node.name = f"n{i}"
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


main()
