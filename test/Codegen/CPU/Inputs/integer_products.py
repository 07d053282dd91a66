"""Integer products and convolutions against exact sums: integer_products.py FOLDER.

For each case writes a model and its inputs to FOLDER, runs `dsc run`, and compares with
sums in int64; where results are quantized, one unit of difference is a failure too.
Shapes have a tail in every direction, zero points are at the ends of their ranges, scales
and zero points are for all or for each channel, operands are constants or not.
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper

from comparing import run_command

random = np.random.default_rng(11)
TYPES = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8,
         np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32}


def integers(dtype, *shape):
    """Random ones, and many of the largest magnitude."""
    info = np.iinfo(dtype)
    values = random.integers(info.min, info.max + 1, shape)
    ends = random.integers(0, 3, shape)
    return np.where(ends == 0, info.min, np.where(ends == 1, info.max, values)).astype(dtype)


class Case:
    def __init__(self, name):
        self.name, self.nodes, self.inputs, self.constants = name, [], {}, {}
        self.declared = {}

    def value(self, array, constant=True, symbols=()):
        name = f"v{len(self.inputs) + len(self.constants)}"
        (self.constants if constant else self.inputs)[name] = np.asarray(array)
        self.declared[name] = [f"{name}_{i}" if i in symbols else n for i, n in enumerate(np.shape(array))]
        return name

    def node(self, kind, *operands, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, operands, [name], **attributes))
        return name

    def run(self, folder, want):
        self.nodes[-1].output[0] = "y"
        values = [helper.make_tensor_value_info(n, TYPES[a.dtype], self.declared[n]) for n, a in self.inputs.items()]
        result = helper.make_tensor_value_info("y", TYPES[want.dtype], None)
        constants = [numpy_helper.from_array(a, n) for n, a in self.constants.items()]
        graph = helper.make_graph(self.nodes, "g", values, [result], constants)
        path = folder / "model.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        command = run_command(path, folder)
        for name, array in self.inputs.items():
            np.save(folder / f"{name}.npy", array)
            command += ["--input", f"{name}={folder / name}.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        got = np.load(folder / "y.npy")
        assert got.shape == want.shape, (got.shape, want.shape)
        if want.dtype == np.float32:
            return bool(np.abs(got - want).max() <= 1e-6 * np.abs(want).max())
        return bool(np.array_equal(got, want))


def saturated(values, dtype):
    info = np.iinfo(dtype)
    return np.clip(values, info.min, info.max).astype(dtype)


def requantized(sums, multiplier, zero, dtype):
    scaled = np.rint(sums.astype(np.float32) * np.asarray(multiplier, np.float32))
    return saturated(scaled + np.float32(zero), dtype)


def matmul_integer(folder, m, k, n, ta, tb, zero_a, zero_b, weight, batch=(), symbols=()):
    a, b = integers(ta, *batch, m, k), integers(tb, *batch, k, n)
    za, zb = np.asarray(zero_a, ta), np.asarray(zero_b, tb)
    case = Case(f"matmul_integer {batch}{m}x{k}x{n} {ta.__name__} {tb.__name__} {zero_a} {zero_b} {weight} {symbols}")
    case.node("MatMulInteger", case.value(a, False, symbols), case.value(b, weight), case.value(za), case.value(zb))
    wide_a = a.astype(np.int64) - (za.reshape(-1, 1) if za.ndim else za)
    return case, case.run(folder, (wide_a @ (b.astype(np.int64) - zb)).astype(np.int32))


def qlinear_matmul(folder, m, k, n, dtype, weight):
    a, b = integers(np.uint8, m, k), integers(np.int8, k, n)
    sa, sb, sy = np.float32(0.02), random.uniform(0.001, 0.003, n).astype(np.float32), np.float32(0.4)
    za, zb, zy = np.uint8(255), np.zeros(n, np.int8), dtype(7)
    case = Case(f"qlinear_matmul {m}x{k}x{n} {dtype.__name__} {weight}")
    case.node("QLinearMatMul", case.value(a, False), case.value(sa), case.value(za), case.value(b, weight),
              case.value(sb), case.value(zb), case.value(sy), case.value(zy))
    sums = (a.astype(np.int64) - za) @ b.astype(np.int64)
    return case, case.run(folder, requantized(sums, (sa * sb).astype(np.float32) / sy, zy, dtype))


def convolved(x, w, zx, zw, strides, pads, group):
    """Sums of an N C H W image less its zero point, 0 around it."""
    x = np.pad(x.astype(np.int64) - zx, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    w = w.astype(np.int64) - np.reshape(zw, (-1, 1, 1, 1))
    windows = sliding_window_view(x, w.shape[2:], (2, 3))[:, :, :: strides[0], :: strides[1]]
    parts = zip(np.split(windows, group, 1), np.split(w, group, 0))
    return np.concatenate([np.einsum("nchwij,ocij->nohw", p, q) for p, q in parts], 1)


def conv(folder, n, c, size, out, kernel, group=1, stride=1, pad=0, qdq=False, relu=False, zero=255, per_channel=True,
         symbols=(), qlinear=False):
    h, w = size
    x, k = integers(np.uint8, n, c, h, w), integers(np.int8, out, c // group, kernel, kernel)
    case = Case(f"conv {n}x{c}x{h}x{w} {out} {kernel} group={group} stride={stride} pad={pad} qdq={qdq} relu={relu} "
                f"zero={zero} qlinear={qlinear} {symbols}")
    attributes = dict(kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=group)
    zx, zw = np.uint8(zero), np.zeros(out, np.int8)
    sums = lambda z: convolved(x, k, zx, z, [stride] * 2, [pad] * 4, group)
    if not qdq and not qlinear:
        zw = integers(np.int8, out) if per_channel else np.int8(-128)
        case.node("ConvInteger", case.value(x, False, symbols), case.value(k), case.value(zx), case.value(zw), **attributes)
        return case, case.run(folder, sums(zw).astype(np.int32))
    sx, sw = np.float32(0.01), random.uniform(0.001, 0.004, out).astype(np.float32)
    sy, zy = np.float32(0.02 * np.sqrt(c * kernel * kernel)), np.uint8(0 if relu else 100)
    bias, sb = random.integers(-5000, 5000, out).astype(np.int32), (sx * sw).astype(np.float32)
    total = sums(0) + bias.reshape(-1, 1, 1)
    multiplier = (sb / sy).reshape(-1, 1, 1)
    image = case.value(x, False, symbols)
    if qlinear:
        case.node("QLinearConv", image, case.value(sx), case.value(zx), case.value(k), case.value(sw), case.value(zw),
                  case.value(sy), case.value(zy), case.value(bias), **attributes)
    else:
        a = case.node("DequantizeLinear", image, case.value(sx), case.value(zx))
        b = case.node("DequantizeLinear", case.value(k), case.value(sw), case.value(zw), axis=0)
        d = case.node("DequantizeLinear", case.value(bias), case.value(sb), axis=0)
        y = case.node("Conv", a, b, d, **attributes)
        if relu:
            y = case.node("Relu", y)
        case.node("QuantizeLinear", y, case.value(sy), case.value(zy))
    return case, case.run(folder, requantized(total, multiplier, zy, np.uint8))


def gemm(folder, m, k, n, same_scale):
    """Not quantized again; a bias of another scale is added in float32."""
    a, b = integers(np.uint8, m, k), integers(np.int8, n, k)
    sa, sb, za = np.float32(0.02), random.uniform(0.001, 0.003, n).astype(np.float32), np.uint8(3)
    bias, scale = random.integers(-9999, 9999, n).astype(np.int32), (sa * sb).astype(np.float32)
    if not same_scale:
        scale = (scale * 9).astype(np.float32)
    case = Case(f"gemm {m}x{k}x{n} {same_scale}")
    x = case.node("DequantizeLinear", case.value(a, False), case.value(sa), case.value(za))
    w = case.node("DequantizeLinear", case.value(b), case.value(sb), axis=0)
    c = case.node("DequantizeLinear", case.value(bias), case.value(scale), axis=0)
    case.node("Gemm", x, w, c, transB=1)
    sums = (a.astype(np.int64) - za) @ b.astype(np.int64).T
    return case, case.run(folder, (sums * (sa.astype(float) * sb) + bias * scale.astype(float)).astype(np.float32))


def quantized_sum(folder, shape, other):
    a, b = integers(np.uint8, *shape), integers(np.int8, *other)
    sa, sb, sy = np.float32(0.03), np.float32(0.011), np.float32(0.04)
    za, zb, zy = np.uint8(200), np.int8(-5), np.uint8(128)
    case = Case(f"sum {shape} {other}")
    x = case.node("DequantizeLinear", case.value(a, False), case.value(sa), case.value(za))
    w = case.node("DequantizeLinear", case.value(b, False), case.value(sb), case.value(zb))
    case.node("QuantizeLinear", case.node("Add", x, w), case.value(sy), case.value(zy))
    fa, fb = sa / sy, sb / sy
    offset = np.float32(zy) - (fa * np.float32(za) + fb * np.float32(zb))
    total = (a.astype(float) * fa + offset).astype(np.float32)
    total = (b.astype(float) * fb + total).astype(np.float32)
    return case, case.run(folder, saturated(np.rint(total), np.uint8))


def all_cases(folder):
    u, s = np.uint8, np.int8
    for ta, tb, za, zb in [(u, s, 255, 0), (u, u, 0, 255), (s, s, -128, 127), (s, u, 127, 0), (u, s, 255, -128)]:
        for m, k, n in [(1, 1, 1), (3, 7, 5), (13, 64, 33), (40, 97, 70)]:
            for weight in (True, False):
                yield matmul_integer(folder, m, k, n, ta, tb, za, zb, weight)
    yield matmul_integer(folder, 7, 31, 19, u, s, integers(u, 7), integers(s, 19), True)
    yield matmul_integer(folder, 7, 30, 19, u, s, integers(u, 7), integers(s, 19), False)
    yield matmul_integer(folder, 9, 33, 17, u, s, 128, 0, False, batch=(2, 3))
    yield matmul_integer(folder, 9, 33, 17, u, s, 128, 0, True, symbols=(0,))
    yield matmul_integer(folder, 9, 33, 17, u, s, 128, 3, False, symbols=(0, 1))
    yield matmul_integer(folder, 130, 2050, 40, u, s, 255, 0, True)
    for m, k, n in [(3, 7, 5), (29, 64, 48)]:
        for dtype in (u, s):
            yield qlinear_matmul(folder, m, k, n, dtype, True)
            yield qlinear_matmul(folder, m, k, n, dtype, False)
    yield conv(folder, 1, 3, (13, 17), 9, 3, pad=1)
    yield conv(folder, 2, 4, (7, 7), 5, 1, per_channel=False)
    yield conv(folder, 1, 6, (9, 8), 8, 3, group=2, stride=2, pad=1)
    yield conv(folder, 1, 8, (15, 14), 8, 3, group=8, pad=1, zero=0)
    yield conv(folder, 1, 4, (15, 14), 8, 3, group=4, pad=1)
    for options in (dict(qdq=True), dict(qdq=True, relu=True), dict(qlinear=True)):
        yield conv(folder, 1, 3, (23, 21), 16, 7, stride=2, pad=3, **options)
        yield conv(folder, 2, 16, (14, 14), 24, 3, pad=1, zero=0, **options)
        yield conv(folder, 1, 32, (7, 7), 40, 1, **options)
        yield conv(folder, 1, 12, (28, 28), 12, 3, group=12, pad=1, **options)
    yield conv(folder, 2, 5, (11, 12), 6, 3, pad=1, qdq=True, symbols=(0, 2, 3))
    for same_scale in (True, False):
        yield gemm(folder, 5, 33, 11, same_scale)
    yield quantized_sum(folder, (2, 5, 9), (2, 5, 9))
    yield quantized_sum(folder, (2, 5, 9), (5, 1))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    failures = [case.name for case, is_right in all_cases(folder) if not is_right]
    print(*failures, sep="\n")
    sys.exit(len(failures))


if __name__ == "__main__":
    main()
