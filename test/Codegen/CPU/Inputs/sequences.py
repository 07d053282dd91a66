"""Recurrent layers and attention against onnxruntime: sequences.py FOLDER FAMILY...

For each case writes a model and its inputs to FOLDER, runs `dsc run`, and compares
all outputs. A case is one line below: sizes with a tail everywhere, directions,
lengths, activations, masks of every shape, symbols.
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from comparing import count_failures, run_command

random = np.random.default_rng(11)


def floats(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


class Model:
    """Nodes on named inputs; `symbols` maps an input to names for some of its axes."""

    def __init__(self, name):
        self.name, self.nodes, self.inputs, self.constants, self.outputs = name, [], {}, {}, []
        self.symbols = {}

    def input(self, name, array, symbols=None):
        self.inputs[name], self.symbols[name] = array, symbols or {}
        return name

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def node(self, kind, operands, results, **attributes):
        self.nodes.append(helper.make_node(kind, operands, results, **attributes))
        return results[0]

    def build(self):
        def value(name, array):
            dims = [self.symbols[name].get(i, n) for i, n in enumerate(array.shape)]
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            return helper.make_tensor_value_info(name, kind, dims)

        values = [value(n, a) for n, a in self.inputs.items()]
        kind = onnx.TensorProto.FLOAT
        results = [helper.make_tensor_value_info(n, kind, None) for n in self.outputs]
        constants = [numpy_helper.from_array(a, n) for n, a in self.constants.items()]
        graph = helper.make_graph(self.nodes, "g", values, results, constants)
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)

    def difference(self, folder):
        """The largest error of any output; infinite where NaNs are elsewhere."""
        model = self.build()
        path = folder / "model.onnx"
        onnx.save(model, path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        wanted = session.run(self.outputs, self.inputs)
        command = run_command(path, folder)
        for name, array in self.inputs.items():
            np.save(folder / f"{name}.npy", array)
            command += ["--input", f"{name}={folder / name}.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        worst = 0.0
        for name, want in zip(self.outputs, wanted):
            got = np.load(folder / f"{name}.npy")
            assert got.shape == want.shape, (got.shape, want.shape)
            if not np.array_equal(np.isnan(got), np.isnan(want)):
                return float("inf")
            worst = max(worst, float(np.nanmax(np.abs(got - want), initial=0.0)))
        return worst


GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def recurrent(kind, steps, batch, width, hidden, directions=1, lengths=None, states=True,
              peepholes=False, bias=True, symbols=False, outputs=None, **attributes):
    model = Model(f"{kind} {steps} {batch} {width} {hidden} {directions} {lengths} {attributes}")
    rows, scale = GATES[kind] * hidden, hidden**-0.5
    named = {0: "T", 1: "N"} if symbols else {}
    operands = [
        model.input("x", floats(steps, batch, width), named),
        model.constant("w", floats(directions, rows, width, scale=scale)),
        model.constant("r", floats(directions, rows, hidden, scale=scale)),
        model.constant("b", floats(directions, 2 * rows, scale=scale)) if bias else "",
    ]
    named = {1: "N"} if symbols else {}
    sizes = np.array(lengths or [], dtype=np.int32)
    operands.append(model.input("l", sizes, {0: "N"} if symbols else {}) if lengths else "")
    state = (directions, batch, hidden)
    operands.append(model.input("h", floats(*state), named) if states else "")
    if kind == "LSTM":
        operands.append(model.input("c", floats(*state), named) if states else "")
        weights = floats(directions, 3 * hidden, scale=scale)
        operands.append(model.constant("p", weights) if peepholes else "")
    if directions == 2:
        attributes["direction"] = "bidirectional"
    names = ["y", "y_h", "y_c"][: 3 if kind == "LSTM" else 2]
    model.outputs = [n for n in names if outputs is None or n in outputs]
    results = [n if n in model.outputs else "" for n in names]
    model.node(kind, operands, results, hidden_size=hidden, **attributes)
    return model


def recurrents():
    for kind in GATES:
        yield recurrent(kind, 7, 1, 5, 13)
        yield recurrent(kind, 53, 1, 16, 32, directions=2, symbols=True)
        yield recurrent(kind, 5, 3, 17, 11, directions=2, lengths=[5, 1, 3], symbols=True)
        yield recurrent(kind, 4, 17, 3, 8, lengths=[4, 2] * 8 + [3], direction="reverse")
        # Lengths far below the steps, of nothing, of all, mixed; more than a block of them.
        for direction in ("forward", "reverse", "bidirectional"):
            both = {"directions": 2} if direction == "bidirectional" else {"direction": direction}
            yield recurrent(kind, 41, 3, 5, 11, lengths=[2, 0, 3], symbols=True, **both)
            yield recurrent(kind, 9, 2, 4, 16, lengths=[0, 0], **both)
            yield recurrent(kind, 6, 1, 4, 16, lengths=[4], states=False, **both)
            yield recurrent(kind, 57, 5, 3, 8, lengths=[57, 1, 30, 57, 29], **both)
            yield recurrent(kind, 12, 37, 3, 8, lengths=[7, 0, 12, 1, 5] * 7 + [3, 11],
                            symbols=True, **both)
        yield recurrent(kind, 3, 31, 3, 5, states=False, bias=False, clip=0.7)
        yield recurrent(kind, 1, 2, 8, 16, outputs=["y_h"])
    yield recurrent("GRU", 6, 4, 5, 7, directions=2, linear_before_reset=1)
    yield recurrent("GRU", 6, 1, 5, 16, linear_before_reset=1, bias=False)
    yield recurrent("LSTM", 6, 4, 5, 7, peepholes=True, outputs=["y", "y_c"])
    yield recurrent("LSTM", 6, 4, 5, 7, input_forget=1)
    for name, parameters in {
        "Relu": {},
        "Affine": {"activation_alpha": [0.7], "activation_beta": [0.1]},
        "LeakyRelu": {"activation_alpha": [0.2]},
        "ThresholdedRelu": {"activation_alpha": [0.3]},
        "ScaledTanh": {"activation_alpha": [0.8], "activation_beta": [0.6]},
        "HardSigmoid": {"activation_alpha": [0.3], "activation_beta": [0.4]},
        "Elu": {"activation_alpha": [0.6]},
        "Softsign": {},
        "Softplus": {},
        "Sigmoid": {},
    }.items():
        yield recurrent("RNN", 7, 3, 5, 11, activations=[name], **parameters)
    six = ["Sigmoid", "Tanh", "Relu", "HardSigmoid", "Softsign", "Tanh"]
    yield recurrent("LSTM", 7, 3, 5, 11, directions=2, activations=six,
                    activation_alpha=[0.25], activation_beta=[0.45])


def attention(batch, heads, queries, keys, size, columns, mask=None, kind="float", guard=False,
              transposed=False, symbols=False):
    """Attention in the steps that exporters write."""
    model = Model(f"attention {batch} {heads} {queries} {keys} {size} {columns} {mask} {kind}")
    for name, rows, width, symbol in (("q", queries, size, "M"), ("k", keys, size, "N"),
                                      ("v", keys, columns, "N")):
        if transposed:
            named = {0: "B", 1: symbol} if symbols else {}
            model.input(name + "0", floats(batch, rows, heads, width), named)
            model.node("Transpose", [name + "0"], [name], perm=[0, 2, 1, 3])
        else:
            named = {0: "B", 2: symbol} if symbols else {}
            model.input(name, floats(batch, heads, rows, width), named)
    model.constant("scale", np.float32(0.25))
    model.constant("zero", np.float32(0))
    model.constant("hidden", np.float32(-np.inf))
    model.node("Transpose", ["k"], ["kt"], perm=[0, 1, 3, 2])
    model.node("MatMul", ["q", "kt"], ["product"])
    scores = model.node("Mul", ["product", "scale"], ["scaled"])
    if mask:
        offset = 4 - len(mask)
        names = {0: "B", 2: "M", 3: "N"}
        named = {i: names[i + offset] for i, n in enumerate(mask)
                 if symbols and n != 1 and i + offset in names}
        if kind == "bool":
            model.input("seen", random.random(mask) < 0.5, named)
            model.node("Where", ["seen", "zero", "hidden"], ["mask"])
        else:
            model.input("mask", floats(*mask), named)
        scores = model.node("Add", [scores, "mask"], ["masked"])
    weights = model.node("Softmax", [scores], ["weights"], axis=-1)
    if guard:
        model.node("IsNaN", [weights], ["undefined"])
        weights = model.node("Where", ["undefined", "zero", weights], ["guarded"])
    model.node("MatMul", [weights, "v"], ["y0"])
    if transposed:
        model.node("Transpose", ["y0"], ["y"], perm=[0, 2, 1, 3])
    else:
        model.node("Identity", ["y0"], ["y"])
    model.outputs = ["y"]
    return model


def attentions():
    yield attention(1, 2, 7, 13, 8, 8)
    yield attention(2, 3, 13, 17, 11, 5, transposed=True, symbols=True)
    yield attention(1, 2, 1, 300, 64, 64, symbols=True)
    yield attention(1, 2, 1, 300, 64, 64, mask=(1, 1, 1, 300))
    yield attention(3, 1, 2, 5, 7, 3, symbols=True)
    yield attention(2, 2, 3, 259, 16, 24, mask=(259,))
    yield attention(1, 2, 197, 197, 64, 64, transposed=True)
    yield attention(2, 2, 101, 257, 32, 40, mask=(2, 1, 1, 257), kind="bool", symbols=True)
    yield attention(1, 2, 6, 2, 8, 8, mask=(1, 1, 6, 2), kind="bool")
    yield attention(1, 2, 6, 2, 8, 8, mask=(1, 1, 6, 2), kind="bool", guard=True)
    yield attention(1, 2, 30, 31, 9, 64, mask=(2, 30, 31), symbols=True)
    yield attention(1, 2, 30, 31, 9, 64, mask=(1, 2, 30, 1))
    yield attention(1, 1, 200, 600, 64, 64, mask=(200, 600), transposed=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    families = {"recurrent": recurrents, "attention": attentions}
    return sum(count_failures(families[family](), folder) for family in sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
