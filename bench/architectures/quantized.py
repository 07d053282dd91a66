"""int8 models as quantizers write them: QDQ pairs and dynamic quantization.

Weights of integer products have 7 bits ("reduce_range"): on CPUs without VNNI, ONNX
Runtime saturates sums of two products of 8 bits.
"""

import numpy as np

from .builder import FLOAT, architecture
from .vision import PICTURES, TIMED

TOLERANCE = 1e-2


def quantize_dequantize(g, x, scale, zero_point):
    zero = np.array(zero_point)
    scale = np.array(scale, np.float32)
    return g.DequantizeLinear(g.QuantizeLinear(x, scale, zero), scale, zero)


def quantized_weight(g, shape, per_channel):
    values = g.random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    scale = np.abs(values.reshape(shape[0], -1)).max(1) / 127 if per_channel else np.abs(values).max() / 127
    wide = scale.reshape(-1, *[1] * (len(shape) - 1)) if per_channel else scale
    integers = np.round(values / wide).astype(np.int8)
    zero = np.zeros(shape[0], np.int8) if per_channel else np.array(0, np.int8)
    scale = np.array(scale, np.float32)
    if per_channel:
        return g.DequantizeLinear(integers, scale, zero, axis=0), scale
    return g.DequantizeLinear(integers, scale, zero), scale


@architecture(PICTURES, TIMED, [dict(opset=13)], tolerance=TOLERANCE)
def mobilenet_qdq(g):
    w = 8 * g.wide
    x = quantize_dequantize(g, g.input("images", ["batch", 3, "height", "width"]), 0.03, np.uint8(128))
    previous = 0.03

    def conv(x, cin, cout, kernel, stride, groups, out_scale, zero, relu):
        weight, scale = quantized_weight(g, (cout, cin // groups, kernel, kernel), True)
        bias_scale = (scale * np.float32(previous)).astype(np.float32)
        bias = g.DequantizeLinear(g.random.integers(-500, 500, cout).astype(np.int32), bias_scale,
                                  np.zeros(cout, np.int32), axis=0)
        y = g.Conv(x, weight, bias, kernel_shape=[kernel] * 2, strides=[stride] * 2, group=groups, pads=[kernel // 2] * 4)
        if relu:
            y = g.Clip(y, 0.0, 6.0)
        return quantize_dequantize(g, y, out_scale, zero)

    x = conv(x, 3, w, 3, 2, 1, 0.02, np.uint8(0), True)
    previous = 0.02
    for stride in (1, 2):
        y = conv(x, w, 4 * w, 1, 1, 1, 0.02, np.uint8(0), True)
        y = conv(y, 4 * w, 4 * w, 3, stride, 4 * w, 0.02, np.uint8(0), True)
        y = conv(y, 4 * w, w, 1, 1, 1, 0.03, np.uint8(120), False)
        x = quantize_dequantize(g, g.Add(x, y), 0.02, np.uint8(110)) if stride == 1 else quantize_dequantize(g, y, 0.02, np.uint8(110))
    x = quantize_dequantize(g, g.GlobalAveragePool(x), 0.01, np.uint8(128))
    weight, scale = quantized_weight(g, (11, w), False)
    y = g.Gemm(g.Flatten(x), weight, g.weight(11), transB=1)
    g.output(y, "logits")


def dynamic_linear(g, x, cin, cout):
    """x is quantized by its own range; MatMulInteger, Cast, Mul, Add."""
    values = g.random.standard_normal((cin, cout)) / np.sqrt(cin)
    scale = np.float32(np.abs(values).max() / 63)
    integers, zero = np.round(values / scale).astype(np.int8), np.array(0, np.int8)
    q, x_scale, x_zero = g.DynamicQuantizeLinear(x, outputs=3)
    product = g.MatMulInteger(q, integers, x_zero, zero)
    y = g.Mul(g.Cast(product, to=FLOAT), g.Mul(x_scale, np.array(scale, np.float32)))
    return g.Add(y, g.weight(cout, scale=0.1))


@architecture([dict(batch=1, sequence=17), dict(batch=3, sequence=61), dict(batch=7, sequence=5)], dict(batch=1, sequence=128),
              [dict(opset=14)], tolerance=TOLERANCE)
def bert_dynamic_int8(g):
    w, heads = 32 * g.wide, 4
    size = w // heads
    x = g.input("hidden", ["batch", "sequence", w])
    q, k, v = (g.heads(dynamic_linear(g, x, w, w), heads, size) for _ in range(3))
    y = g.merge_heads(g.attend(q, k, v, size), w)
    x = g.layer_norm(g.Add(x, dynamic_linear(g, y, w, w)), w)
    y = dynamic_linear(g, g.gelu(dynamic_linear(g, x, w, 4 * w)), 4 * w, w)
    g.output(g.layer_norm(g.Add(x, y), w), "out")


@architecture(PICTURES, TIMED, [dict(opset=13)], tolerance=TOLERANCE)
def convolution_dynamic_int8(g):
    w = 16 * g.wide
    x, cin = g.input("images", ["batch", 3, "height", "width"]), 3
    for stride in (2, 1):
        values = g.random.standard_normal((w, cin, 3, 3)) / np.sqrt(9 * cin)
        scale = np.float32(np.abs(values).max() / 63)
        q, x_scale, x_zero = g.DynamicQuantizeLinear(x, outputs=3)
        y = g.ConvInteger(q, np.round(values / scale).astype(np.int8), x_zero, np.array(0, np.int8), kernel_shape=[3, 3],
                          strides=[stride] * 2, pads=[1] * 4)
        y = g.Mul(g.Cast(y, to=FLOAT), g.Mul(x_scale, np.array(scale, np.float32)))
        x, cin = g.Relu(g.Add(y, g.weight(1, w, 1, 1, scale=0.1))), w
    g.output(g.gemm(g.Flatten(g.GlobalAveragePool(x)), w, 11), "logits")


@architecture([dict(batch=1, sequence=17), dict(batch=3, sequence=61), dict(batch=7, sequence=5)], dict(batch=1, sequence=128),
              [dict(opset=13)], tolerance=TOLERANCE)
def linear_operators_int8(g):
    """QLinearMatMul and QLinearConv, as older quantizers write them."""
    w = 32 * g.wide
    x = g.input("hidden", ["batch", "sequence", w])
    q = g.QuantizeLinear(x, np.float32(0.03), np.uint8(128))
    a = g.random.integers(-63, 64, (w, w)).astype(np.int8)
    y = g.QLinearMatMul(q, np.float32(0.03), np.uint8(128), a, np.float32(0.003), np.int8(0), np.float32(0.05), np.uint8(128))
    y = g.Transpose(y, perm=[0, 2, 1])
    kernel = g.random.integers(-63, 64, (w, w, 1)).astype(np.int8)
    y = g.QLinearConv(y, np.float32(0.05), np.uint8(128), kernel, np.float32(0.003), np.int8(0), np.float32(0.05), np.uint8(128),
                      g.random.integers(-1000, 1000, w).astype(np.int32), kernel_shape=[1])
    g.output(g.DequantizeLinear(y, np.float32(0.05), np.uint8(128)), "out")
