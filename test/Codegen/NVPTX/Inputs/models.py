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
    "matmul": "(float[M, K] a, float[K, N] b) => (float[M, N] y) { s = MatMul(a, b) y = Relu(s) }",
    "batched": """(float[A, B, M, K] a, float[B, K, 68] b) => (float[A, B, M, 68] y)
        { s = MatMul(a, b) y = Sigmoid(s) }""",
    "gemm_t": """(float[K, M] a, float[N, K] b, float[N] c) => (float[M, N] y)
        { y = Gemm<transA = 1, transB = 1>(a, b, c) }""",
    "matmul_bf16": """(bfloat16[M, K] a, bfloat16[K, N] b) => (bfloat16[M, N] y)
        { y = MatMul(a, b) }""",
    "gemm_bf16_t": """(bfloat16[K, M] a, bfloat16[N, K] b) => (bfloat16[M, N] y)
        { y = Gemm<transA = 1, transB = 1>(a, b) }""",
    "matmul_f16": "(float16[M, K] a, float16[K, N] b) => (float16[M, N] y) { y = MatMul(a, b) }",
    "conv_strided": """(float[B, 5, H, W] x) => (float[B, 24, P, Q] y)
        <float[24, 5, 3, 3] w = {WEIGHTS}, float[24] b = {BIAS}>
        { c = Conv<pads = [1, 1, 1, 1], strides = [2, 2]>(x, w, b) y = Relu(c) }""",
    "conv_1x1": """(float[B, 96, H, W] x) => (float[B, 24, H, W] y)
        <float[24, 96, 1, 1] w = {WEIGHTS}, float[24] b = {BIAS}> { y = Conv(x, w, b) }""",
    "loop": """(float[5] x, int64 n, bool c) => (float[5] y) { y = Loop(n, c, x) <body =
        b (int64 i, bool p, float[5] v) => (bool q, float[5] w) { q = Identity(p) w = Add(v, v) }> }""",
    "attention": """(float[1, 4, 16, 32] q, float[1, 4, 16, 32] k, float[1, 4, 16, 32] v)
        => (float[1, 4, 16, 32] y) { y = Attention(q, k, v) }""",
    "gather": "(float[5] x, int64[2] i) => (float[2] y) { y = Gather(x, i) }",
    "sin": "(float[N] x) => (float[N] y) { y = Sin(x) }",
    "sin64": "(double[N] x) => (double[N] y) { y = Sin(x) }",
    "cumsum": "(float[4, 300] x, int64 a) => (float[4, 300] y) { y = CumSum(x, a) }",
}

HEADER = '<ir_version: 10, opset_import: ["": 23]>\n'


def numbers(count):
    """Initializers' elements: small, of both signs, no two rows alike."""
    return ", ".join(f"{(i * 7919 % 211 - 105) / 100:.2f}" for i in range(count))


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, graph in MODELS.items():
        weights = 24 * 96 if name == "conv_1x1" else 24 * 5 * 9
        graph = graph.replace("WEIGHTS", numbers(weights)).replace("BIAS", numbers(24))
        model = parser.parse_model(f"{HEADER}g {graph}")
        for i, node in enumerate(model.graph.node):
            node.name = f"n{i}"
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


main()
