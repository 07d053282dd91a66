"""Matrix products and convolutions against onnxruntime: products.py FOLDER FAMILY...
Or writes one of the named models: products.py FOLDER --model NAME FILE.

For each case writes a model and its inputs to FOLDER, runs `dsc run`, and compares.
Prints the cases that differ and ends with their number. A case is one line below:
shapes with a tail in every direction, strides, padding, groups, epilogues, symbols.
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from comparing import count_failures, run_command

random = np.random.default_rng(7)


def tensor(*shape):
    return random.standard_normal(shape).astype(np.float32)


class Case:
    """Nodes on inputs x0, x1, ... and constants; the last node's output is y."""

    def __init__(self, name):
        self.name, self.nodes, self.inputs, self.constants = name, [], [], {}

    def input(self, *shape, symbols=()):
        """An input; sizes of the axes in `symbols` are named by their number."""
        name = f"x{len(self.inputs)}"
        declared = [f"{name}_{i}" if i in symbols else n for i, n in enumerate(shape)]
        self.inputs.append((name, declared, tensor(*shape)))
        return name

    def constant(self, *shape):
        name = f"c{len(self.constants)}"
        self.constants[name] = tensor(*shape)
        return name

    def node(self, kind, *operands, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, operands, [name], **attributes))
        return name

    def model(self):
        self.nodes[-1].output[0] = "y"
        values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d, _ in self.inputs]
        result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        constants = [numpy_helper.from_array(a, n) for n, a in self.constants.items()]
        graph = helper.make_graph(self.nodes, "g", values, [result], constants)
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)

    def difference(self, folder):
        """The largest error, relative to the largest value."""
        model = self.model()
        path = folder / "model.onnx"
        onnx.save(model, path)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        want = session.run(None, {n: a for n, _, a in self.inputs})[0]
        command = run_command(path, folder)
        for name, _, array in self.inputs:
            np.save(folder / f"{name}.npy", array)
            command += ["--input", f"{name}={folder / name}.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        got = np.load(folder / "y.npy")
        assert got.shape == want.shape, (got.shape, want.shape)
        return float(np.abs(got - want).max() / max(1e-30, np.abs(want).max()))


def matmul(a, b, weight=False, symbols=()):
    case = Case(f"matmul {a} {b} weight={weight} symbols={symbols}")
    x = case.input(*a, symbols=symbols)
    case.node("MatMul", x, case.constant(*b) if weight else case.input(*b))
    return case


def gemm(m, n, k, bias=None, activation=None, weight=True, symbols=(), **attributes):
    case = Case(f"gemm {m}x{n}x{k} {bias} {activation} weight={weight} {attributes}")
    x = case.input(*((k, m) if attributes.get("transA") else (m, k)), symbols=symbols)
    shape = (n, k) if attributes.get("transB") else (k, n)
    operands = [x, case.constant(*shape) if weight else case.input(*shape)]
    y = case.node("Gemm", *operands, *([case.constant(*bias)] if bias else []), **attributes)
    if activation:
        case.node(activation, y)
    return case


def conv(x, w, bias=False, residual=False, activation=None, symbols=(), **attributes):
    case = Case(f"conv {x} {w} {bias} {residual} {activation} symbols={symbols} {attributes}")
    operands = [case.input(*x, symbols=symbols), case.constant(*w)]
    y = case.node("Conv", *operands, *([case.constant(w[0])] if bias else []), **attributes)
    if residual:
        y = case.node("Add", y, operands[0])
    if activation:
        case.node(activation, y)
    return case


def depthwise(x, kernel, **attributes):
    return conv(x, (x[1], 1, *kernel), group=x[1], **attributes)


def matmuls():
    for weight in (False, True):
        yield matmul((7, 5), (5, 3), weight)
        yield matmul((1, 1), (1, 1), weight)
        yield matmul((1, 61), (61, 200), weight)
        yield matmul((13, 31), (31, 17), weight)
        yield matmul((37, 1000), (1000, 53), weight)
        yield matmul((2, 3, 17, 8), (2, 3, 8, 19), weight)
        yield matmul((2, 3, 17, 8), (8, 19), weight)
        yield matmul((2, 1, 17, 8), (1, 3, 8, 19), weight)
        yield matmul((5, 64), (64,), weight)
        yield matmul((64,), (64, 5), weight)
        yield matmul((600, 9), (9, 16), weight)
        yield matmul((33, 300), (300, 40), weight, symbols=(0,))
    yield matmul((2, 3, 9, 5), (2, 3, 5, 7), symbols=(0, 2, 3))
    yield matmul((33, 3000), (3000, 40), True, symbols=(0, 1))
    # More depth than the cache keeps for all rows, and hardly any rows.
    yield matmul((2, 5000), (5000, 200), symbols=(0, 1))
    yield matmul((300, 5000), (5000, 200), symbols=(0, 1))
    yield matmul((9, 0), (0, 7), symbols=(0, 1))


def gemms():
    yield gemm(31, 29, 67, transA=1)
    yield gemm(31, 29, 67, transB=1)
    yield gemm(31, 29, 67, transA=1, transB=1)
    yield gemm(31, 29, 67, bias=(1, 29), alpha=0.5, beta=2.0)
    yield gemm(31, 29, 67, bias=(29,), activation="Relu")
    yield gemm(31, 29, 67, bias=(31, 1), transB=1)
    yield gemm(31, 29, 67, bias=(31, 29), activation="Sigmoid", weight=False, transB=1)
    yield gemm(31, 29, 67, bias=(29,), activation="Relu", symbols=(0,), transB=1)


def convs():
    yield conv((1, 3, 9, 9), (5, 3, 3, 3))
    yield conv((2, 3, 13, 17), (5, 3, 3, 3), bias=True, activation="Relu", pads=[1, 1, 1, 1])
    yield conv((1, 16, 28, 28), (16, 16, 3, 3), bias=True, residual=True, pads=[1, 1, 1, 1])
    yield conv((1, 20, 7, 7), (33, 20, 1, 1), activation="Sigmoid")
    yield conv((1, 40, 7, 7), (33, 40, 3, 3), pads=[1, 1, 1, 1])
    yield conv((1, 3, 32, 35), (16, 3, 7, 7), bias=True, strides=[2, 2], pads=[3, 3, 3, 3])
    yield conv((1, 8, 15, 14), (16, 8, 1, 1), strides=[2, 2])
    yield conv((1, 8, 15, 14), (16, 8, 3, 3), strides=[1, 2], pads=[0, 1, 2, 3])
    yield conv((1, 8, 15, 14), (16, 8, 3, 2), dilations=[2, 3], pads=[2, 0, 1, 2])
    yield conv((2, 12, 10, 11), (18, 4, 3, 3), bias=True, group=3, pads=[1, 1, 1, 1])
    yield conv((2, 12, 10, 11), (24, 1, 3, 3), bias=True, group=12, pads=[1, 1, 1, 1])
    yield conv((2, 12, 50), (7, 12, 5), bias=True, pads=[2, 2])
    yield conv((2, 12, 50), (7, 12, 5), strides=[3], pads=[2, 2])
    yield conv((1, 4, 5, 6, 9), (7, 4, 2, 3, 3), strides=[2, 1, 2], pads=[0, 1, 1, 1, 1, 1])
    yield conv((1, 4, 13, 3), (7, 4, 3, 3), pads=[1, 1, 1, 1])
    yield conv((1, 4, 13, 13), (7, 4, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER")
    yield conv((1, 4, 13, 13), (7, 4, 4, 4), auto_pad="SAME_LOWER")
    yield conv((1, 8, 13, 17), (5, 8, 3, 3), symbols=(0, 2, 3), pads=[1, 1, 1, 1])
    yield conv((1, 8, 13, 5), (5, 8, 3, 3), symbols=(0, 2, 3), pads=[1, 1, 1, 1])
    yield conv((3, 8, 13, 17), (5, 8, 3, 3), symbols=(0, 2, 3), strides=[2, 2], pads=[1] * 4)
    yield conv((3, 8, 13, 17), (40, 8, 1, 1), symbols=(0, 2, 3), bias=True)
    yield conv((1, 300, 5, 9), (80, 300, 3, 3), pads=[1, 1, 1, 1])
    # Panels within a line; the epilogue on vectors, with a padded one at the end.
    yield conv((1, 5, 6, 48), (33, 5, 3, 3), residual=False, activation="Relu", pads=[1] * 4)
    yield conv((2, 16, 9, 64), (16, 16, 3, 3), bias=True, residual=True, pads=[1] * 4)
    yield conv((1, 3, 11, 63), (16, 3, 7, 7), bias=True, strides=[2, 2], pads=[3] * 4)
    yield conv((1, 3, 11, 64), (16, 3, 3, 3), strides=[2, 2], dilations=[1, 2], pads=[1, 2, 1, 2])
    yield conv((1, 3, 11, 64), (16, 3, 3, 4), strides=[1, 2], auto_pad="SAME_LOWER")
    yield conv((1, 6, 11, 56), (16, 3, 3, 3), group=2, dilations=[2, 3], pads=[2, 3, 2, 3])
    yield conv((1, 300, 4, 24), (70, 300, 3, 3), bias=True, activation="Sigmoid", pads=[1] * 4)
    yield conv((2, 4, 5, 6, 40), (7, 4, 2, 3, 3), bias=True, pads=[0, 1, 1, 1, 1, 1])
    yield conv((2, 12, 80), (7, 12, 5), bias=True, activation="Elu", pads=[2, 2])
    yield conv((3, 8, 13, 48), (20, 8, 3, 3), symbols=(0, 2), bias=True, pads=[1] * 4)
    # Lines of the run, long enough to be read as such, or not; panels of each width.
    for width in (1, 7, 8, 16, 23, 40, 64, 97, 160):
        yield conv((2, 8, 5, width), (20, 8, 3, 3), symbols=(0, 2, 3), bias=True, pads=[1] * 4)
    yield conv((1, 3, 11, 63), (16, 3, 7, 7), symbols=(2, 3), strides=[2, 2], pads=[3] * 4)
    yield conv((1, 3, 11, 64), (16, 3, 3, 3), symbols=(3,), strides=[2, 2], dilations=[1, 2])
    yield conv((1, 3, 11, 64), (16, 3, 3, 4), symbols=(2, 3), strides=[1, 2], auto_pad="SAME_UPPER")
    yield conv((1, 6, 11, 56), (16, 3, 3, 3), symbols=(2, 3), group=2, dilations=[2, 3])
    yield conv((1, 300, 4, 48), (70, 300, 3, 3), symbols=(2, 3), activation="Relu", pads=[1] * 4)
    yield conv((2, 16, 9, 64), (16, 16, 3, 3), symbols=(0, 3), residual=True, pads=[1] * 4)
    yield conv((2, 4, 5, 6, 40), (7, 4, 2, 3, 3), symbols=(2, 3, 4), pads=[0, 1, 1, 1, 1, 1])
    # Few pixels, many channels; groups, tails of channels, and rows of no common divisor.
    for height, width in ((1, 1), (1, 2), (1, 3), (2, 2), (1, 5), (2, 3), (7, 1), (2, 4)):
        few = dict(symbols=(0, 2, 3), bias=True)
        yield conv((2, 191, height, width), (191, 191, 1, 1), residual=True, **few)
        yield conv((1, 350, height, width), (384, 175, 1, 1), activation="Sigmoid", group=2, **few)
        yield conv((3, 512, height, width), (250, 512, 1, 1), **few)
    yield conv((2, 12, 80), (7, 12, 5), symbols=(2,), bias=True, pads=[2, 2])
    for width in (1, 3, 9, 20):
        yield conv((1, 24, 3, width), (40, 24, 1, 1), symbols=(2, 3), activation="HardSwish")
    # Pointwise: read in place, but for the last pixels.
    yield conv((2, 24, 9, 9), (40, 24, 1, 1), bias=True, activation="HardSwish")
    yield conv((2, 24, 8, 8), (16, 12, 1, 1), group=2, bias=True, activation="Relu")
    yield conv((2, 40, 7, 7), (40, 40, 1, 1), bias=True, residual=True, activation="Relu")
    # Few pixels: vectors of channels. In place, or gathered.
    yield conv((1, 1, 640), (258, 1, 256), strides=[128])
    yield conv((2, 1, 50), (33, 1, 9), bias=True, activation="Relu", strides=[11], dilations=[2])
    yield conv((1, 1, 30), (40, 1, 9), strides=[8], pads=[3, 4])
    yield conv((3, 48, 1, 1), (130, 48, 1, 1), bias=True, activation="Sigmoid", symbols=(0,))
    yield conv((2, 300, 2, 2), (200, 300, 1, 1), bias=True, activation="Relu")
    yield conv((2, 24, 3), (40, 24, 3), bias=True, activation="Relu", pads=[1, 1])
    yield conv((2, 24, 4, 4), (24, 24, 3, 3), bias=True, residual=True, pads=[1] * 4)
    yield conv((2, 12, 4, 3), (20, 6, 3, 3), group=2, bias=True, pads=[1] * 4)
    yield conv((3, 8, 7, 7), (50, 8, 3, 3), strides=[2, 2], dilations=[2, 2], pads=[2] * 4)
    yield conv((2, 4, 3, 4, 5), (17, 4, 3, 3, 3), bias=True, strides=[2, 2, 2], pads=[1] * 6)


def depthwises():
    yield depthwise((1, 6, 9, 9), (3, 3), bias=True, activation="Relu", pads=[1] * 4)
    yield depthwise((2, 5, 56, 57), (3, 3), strides=[2, 2], pads=[1] * 4)
    yield depthwise((2, 5, 56, 56), (3, 3), residual=True, activation="Relu", pads=[1] * 4)
    yield depthwise((2, 5, 13, 33), (5, 5), strides=[2, 2], pads=[2] * 4)
    yield depthwise((2, 5, 13, 33), (5, 3), strides=[1, 3], pads=[0, 1, 2, 3])
    yield depthwise((2, 5, 13, 33), (3, 3), dilations=[2, 2], pads=[2] * 4)
    yield depthwise((2, 5, 14, 14), (3, 3), residual=True, activation="HardSwish", pads=[1] * 4)
    yield depthwise((2, 5, 33), (3,), pads=[1, 1])
    yield depthwise((2, 3, 5, 6, 17), (2, 3, 3), pads=[1] * 6)
    yield depthwise((1, 4, 3, 3), (7, 7), pads=[3] * 4)
    yield depthwise((1, 4, 5, 5), (3, 3))
    yield depthwise((2, 4, 19, 23), (3, 3), strides=[2, 2], symbols=(0, 2, 3), pads=[1] * 4)
    # Lines of one vector, where only the run knows it.
    for width in (1, 2, 4, 7, 8, 9):
        for strides in ([1, 1], [2, 2], [1, 3]):
            yield depthwise((3, 4, 5, width), (5, 5), symbols=(0, 2, 3), strides=strides,
                            bias=True, activation="HardSwish", pads=[2] * 4)
        yield depthwise((2, 3, 6, width), (3, 3), symbols=(2, 3), dilations=[2, 2],
                        activation="Elu", pads=[2] * 4)
        yield depthwise((2, 5, width), (3,), symbols=(2,), pads=[1, 1])
        yield depthwise((1, 3, 4, 5, width), (2, 3, 3), symbols=(2, 3, 4), pads=[1] * 6)
    # Few lines: how many are inside, and whether they come in pairs.
    for symbols in ((), (2, 3)):
        for height in range(1, 12):
            yield depthwise((1, 3, height, 13), (5, 5), symbols=symbols, pads=[2] * 4)
        yield depthwise((1, 3, 7, 40), (3, 3), symbols=symbols, bias=True, pads=[1] * 4)
        yield depthwise((1, 3, 10, 40), (5, 3), symbols=symbols, dilations=[3, 2], pads=[6, 2, 6, 2])
        yield depthwise((1, 3, 9, 20), (5, 5), symbols=symbols, strides=[2, 1], pads=[2] * 4)
        yield depthwise((1, 3, 9, 20), (4, 3), symbols=symbols, strides=[3, 2], pads=[0, 1, 3, 1])
        yield depthwise((1, 3, 30, 20), (4, 3), symbols=symbols, strides=[3, 1], pads=[2, 1, 1, 1])


def two_depthwises():
    """Layers that differ in nothing but their number of channels."""
    case = Case("two depthwise convolutions")
    attributes = dict(pads=[1] * 4)
    x = case.input(2, 8, 20, 20, symbols=(0, 2, 3))
    x = case.node("Conv", x, case.constant(8, 1, 3, 3), group=8, **attributes)
    x = case.node("Conv", x, case.constant(24, 8, 1, 1))
    case.node("Conv", x, case.constant(24, 1, 3, 3), group=24, **attributes)
    return case


def broadcast_sum():
    """Whether an operand is broadcast, only the run knows."""
    case = Case("sum")
    case.node("Add", case.input(3, 40, symbols=(0, 1)), case.input(3, 40, symbols=(0, 1)))
    return case


MODELS = {
    "sum": broadcast_sum,
    "two-depthwises": two_depthwises,
    "few-pixels": lambda: conv((1, 384, 1, 2), (96, 384, 1, 1), symbols=(2, 3), bias=True),
    "gemm-120x768x768": lambda: gemm(120, 768, 768, bias=(768,), activation="Relu"),
    "conv-72x64x3x3": lambda: conv((1, 64, 56, 56), (72, 64, 3, 3), bias=True, pads=[1] * 4),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[2] == "--model":
        onnx.save(MODELS[sys.argv[3]]().model(), sys.argv[4])
        return 0
    families = {"matmul": matmuls, "gemm": gemms, "conv": convs, "depthwise": depthwises}
    return sum(count_failures(families[family](), folder) for family in sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
