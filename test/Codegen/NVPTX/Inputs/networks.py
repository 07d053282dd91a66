"""Writes small networks with the groups of ResNet-50 and of BERT: networks.py FOLDER."""

import pathlib
import sys

import numpy as np
from onnx import helper, numpy_helper, TensorProto


class Network:
    """A graph under construction; values are names."""

    def __init__(self):
        self.nodes, self.weights = [], []
        self.random = np.random.default_rng(0)

    def op(self, kind, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, *shape, values=None):
        if values is None:
            values = (self.random.normal(size=shape) / max(1, shape[-1])).astype(np.float32)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def shape(self, *values):
        return self.weight(values=np.array(values, np.int64))

    def write(self, path, inputs, output, rank):
        values = [helper.make_tensor_value_info(name, kind, dims) for name, kind, dims in inputs]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * rank)
        graph = helper.make_graph(self.nodes, "g", values, [result], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        path.write_bytes(model.SerializeToString())


def conv(net, x, inputs, outputs, size, stride=1):
    return net.op("Conv", x, net.weight(outputs, inputs, size, size), net.weight(outputs),
                  pads=[size // 2] * 4, strides=[stride] * 2)


def bottleneck(net, x, inputs, width, stride):
    y = net.op("Relu", conv(net, x, inputs, width, 1))
    y = net.op("Relu", conv(net, y, width, width, 3, stride))
    y = conv(net, y, width, 4 * width, 1)
    if stride != 1 or inputs != 4 * width:
        x = conv(net, x, inputs, 4 * width, 1, stride)
    return net.op("Relu", net.op("Add", y, x))


def residual(path):
    """ResNet-50 with one block of each kind and fewer channels."""
    net = Network()
    x = net.op("Relu", conv(net, "x", 3, 16, 7, 2))
    x = net.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    x = bottleneck(net, x, 16, 16, 1)
    x = bottleneck(net, x, 64, 16, 1)
    x = bottleneck(net, x, 64, 32, 2)
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    y = net.op("Gemm", x, net.weight(50, 128), net.weight(50), transB=1)
    net.write(path, [("x", TensorProto.FLOAT, ["N", 3, "H", "W"])], y, 2)


def transformer(path, hidden=64, heads=4):
    """BERT with one layer: embeddings, attention, GELU, normalisations."""
    net = Network()

    def dense(x, inputs, outputs):
        return net.op("Add", net.op("MatMul", x, net.weight(inputs, outputs)), net.weight(outputs))

    def norm(x):
        return net.op("LayerNormalization", x, net.weight(hidden), net.weight(hidden), axis=-1,
                      epsilon=1e-12)

    def split(x):
        x = net.op("Reshape", x, net.shape(0, 0, heads, hidden // heads))
        return net.op("Transpose", x, perm=[0, 2, 1, 3])

    x = norm(net.op("Gather", net.weight(100, hidden), "ids"))
    q, k, v = (split(dense(x, hidden, hidden)) for _ in range(3))
    scores = net.op("MatMul", q, net.op("Transpose", k, perm=[0, 1, 3, 2]))
    scores = net.op("Div", scores, net.weight(values=np.float32((hidden / heads) ** 0.5)))
    a = net.op("MatMul", net.op("Softmax", scores, axis=-1), v)
    a = net.op("Reshape", net.op("Transpose", a, perm=[0, 2, 1, 3]), net.shape(0, 0, hidden))
    x = norm(net.op("Add", dense(a, hidden, hidden), x))
    y = net.op("Gelu", dense(x, hidden, 4 * hidden))
    y = norm(net.op("Add", dense(y, 4 * hidden, hidden), x))
    net.write(path, [("ids", TensorProto.INT64, ["N", "S"])], y, 3)


def main():
    folder = pathlib.Path(sys.argv[1])
    residual(folder / "residual.onnx")
    transformer(folder / "transformer.onnx")


main()
