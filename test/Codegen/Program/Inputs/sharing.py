"""Tensors that lie in others, against onnxruntime: sharing.py FOLDER.

Runs each case with `dsc run`, compares the outputs, and compares the number of kernels and
of KiB of the arena in `dsc inspect` with what the case says. Prints what differs.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx.parser
import onnx
import onnxruntime

# Name: kernels, KiB of the arena (None: depends on sizes of the run), graph. W is 64x64 of
# small numbers. A product that is not the last gets 16 KiB for 64 rows.
CASES = {
    "both inputs are computed in place": (5, 32, """
        (float[1,32,64] x) => (float[1,64,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = Concat<axis=1>(a, b)
            d = MatMul(c, W)  e = MatMul(d, W)  y = MatMul(e, W) }"""),
    "inputs of the model and constants are copied": (4, 48, """
        (float[1,64,64] x) => (float[1,192,64] y) {
            w = Unsqueeze(W, zero)
            a = MatMul(x, W)  c = Concat<axis=1>(x, a, w)  y = MatMul(c, W) }"""),
    "the same tensor twice": (3, 32, """
        (float[1,64,64] x) => (float[1,128,64] y) {
            a = MatMul(x, W)  c = Concat<axis=1>(a, a)  y = MatMul(c, W) }"""),
    "in two tensors": (6, 48, """
        (float[1,32,64] x) => (float[1,128,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)
            c = Concat<axis=1>(a, b)  d = Concat<axis=1>(b, a)
            e = MatMul(c, W)  f = MatMul(d, W)  y = Concat<axis=1>(e, f) }"""),
    "in one that is in another": (5, 64, """
        (float[1,64,64] x) => (float[1,256,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = MatMul(b, W)
            d = Concat<axis=1>(a, b)  e = Concat<axis=1>(c, d)  f = Concat<axis=1>(a, e)
            y = Relu(f) }"""),
    "an input that the model returns": (4, None, """
        (float[1,64,64] x) => (float[1,64,64] a, float[1,128,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = Concat<axis=1>(b, a)  y = MatMul(c, W) }"""),
    "a concatenation that the model returns": (3, 32, """
        (float[1,64,64] x) => (float[1,128,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  y = Concat<axis=1>(b, a) }"""),
    "of any size": (4, None, """
        (float[1,N,64] x) => (float[1,M,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = Concat<axis=1>(a, x, b)  y = MatMul(c, W) }"""),
    "in another shape": (3, 32, """
        (float[64,64] x) => (float[1,128,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)
            s = Unsqueeze(a, zero)  t = Unsqueeze(b, zero)
            c = Concat<axis=1>(s, t)  y = MatMul(c, W) }"""),
    "parts of a row": (4, 0.5, """
        (float[1,1,64] x) => (float[1,1,32] y) {
            a = MatMul(x, W)  p, q = Split<axis=2>(a, halves)
            b = Concat<axis=2>(q, p)  c = MatMul(b, W)  d, e = Split<axis=2>(c, halves)
            y = Mul(d, e) }"""),
    "rows of a matrix": (2, 16, """
        (float[64,64] x) => (float[64] y) {
            a = MatMul(x, W)  r = Gather<axis=0>(a, three)  s = Gather<axis=0>(a, last)
            y = Mul(r, s) }"""),
    "a residual is overwritten": (4, 32, """
        (float[64,64] x) => (float[64,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = MatMul(b, W)  d = Add(c, a)
            y = MatMul(d, W) }"""),
    "not when it is read again": (4, 32, """
        (float[64,64] x) => (float[64,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = Add(b, a)  e = MatMul(c, W)
            f = Add(e, a)  y = MatMul(f, W) }"""),
    "not when it is read elsewhere": (5, 48, """
        (float[64,64] x) => (float[64,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  t = Transpose(a)  c = Add(a, t)
            d = Mul(c, b)  y = MatMul(d, W) }"""),
    "not when it is the other operand": (3, 32, """
        (float[64,64] x) => (float[64,64] y) {
            a = MatMul(x, W)  b = MatMul(a, W)  c = Add(b, a)  y = MatMul(c, W) }"""),
    "in a branch": (5, None, """
        (float[1,64,64] x, bool k) => (float[1,128,64] y) {
            a = MatMul(x, W)
            y = If(k) <then_branch = g () => (float[1,128,64] t) {
                    b = MatMul(a, W)  c = Concat<axis=1>(b, a)  t = Relu(c) },
                else_branch = h () => (float[1,128,64] e) {
                    d = Concat<axis=1>(a, a)  e = Neg(d) }> }"""),
}
CONSTANTS = ("int64[1] zero = {0}, int64[2] halves = {32, 32}, int64 three = {3}, "
             "int64 last = {-1}")


def build(graph):
    head, tail = graph.split("{", 1)
    text = f'<ir_version: 8, opset_import: ["" : 17]> g {head} <{CONSTANTS}> {{ {tail}'
    model = onnx.parser.parse_model(text)
    weights = np.random.default_rng(3).standard_normal((64, 64)).astype(np.float32) / 8
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "W"))
    used = {name for node in model.graph.node for name in node.input}
    for constant in list(model.graph.initializer):
        if constant.name not in used:
            model.graph.initializer.remove(constant)
    return model


def make_inputs(model):
    random = np.random.default_rng(4)
    for value in model.graph.input:
        shape = [d.dim_value or 37 for d in value.type.tensor_type.shape.dim]
        if value.type.tensor_type.elem_type == onnx.TensorProto.BOOL:
            yield value.name, np.ones(shape, bool)
        else:
            yield value.name, random.standard_normal(shape).astype(np.float32)


def problems(graph, kernels, kibibytes, folder):
    model = build(graph)
    path = folder / "model.onnx"
    onnx.save(model, path)
    inputs = dict(make_inputs(model))
    names = [value.name for value in model.graph.output]
    wanted = onnxruntime.InferenceSession(model.SerializeToString()).run(names, inputs)
    command = ["dsc", "run", "-q", path, "--output-dir", folder]
    for name, array in inputs.items():
        np.save(folder / f"{name}.npy", array)
        command += ["--input", f"{name}={folder / name}.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for name, want in zip(names, wanted):
        difference = np.abs(np.load(folder / f"{name}.npy") - want).max() / np.abs(want).max()
        if not difference < 2e-5:
            yield f"{name} is off by {difference:.2e} of the largest value"
    report = json.loads(subprocess.run(["dsc", "inspect", path, "--json"], check=True,
                                       capture_output=True).stdout)
    if len(report["kernels"]) != kernels:
        listed = ["+".join(kernel["ops"]) for kernel in report["kernels"]]
        yield f"{len(listed)} kernels instead of {kernels}: {' '.join(listed)}"
    if kibibytes is not None and report["memory"]["arena_bytes"] != kibibytes * 1024:
        yield f"{report['memory']['arena_bytes'] / 1024:g} KiB instead of {kibibytes}"


def main():
    folder, failures = pathlib.Path(sys.argv[1]), 0
    for name, (kernels, kibibytes, graph) in CASES.items():
        for problem in problems(graph, kernels, kibibytes, folder):
            print(f"{name}: {problem}")
            failures += 1
    return failures


if __name__ == "__main__":
    sys.exit(main())
