"""The cases of products.py in 16-bit floats: short_floats.py FOLDER f16|bf16 FAMILY...

Every number is rounded to the type beforehand, so that float32 computes the exact result
of the same model. In float16, inputs and the result have the type, too, and the result is
rounded once; bfloat16, which numpy does not have, is cast to and from in the model, and what
is computed in between is not rounded at all.
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

import products
from comparing import run_command

BITS = {"f16": 11, "bf16": 8}
ELEMENT = {"f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}


def rounded(array, element):
    if element == "f16":
        return array.astype(np.float16).astype(np.float32)
    bits = array.view(np.uint32)
    even = (bits >> 16) & 1
    return ((bits + 0x7FFF + even) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def short_bytes(array, element):
    if element == "f16":
        return array.astype(np.float16).tobytes()
    return (array.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def short_model(model, element):
    """The model with its constants in the type, and whatever is computed from them."""
    short = onnx.ModelProto()
    short.CopyFrom(model)
    graph = short.graph
    for tensor in graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        tensor.data_type = ELEMENT[element]
        tensor.raw_data = short_bytes(array, element)
    values = [*graph.input, graph.output[0]]
    if element == "f16":
        for value in values:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
        return short
    if any(node.op_type in ("Conv", "LSTM", "GRU", "RNN") for node in graph.node):
        short.opset_import[0].version = 22  # the first where these take bfloat16
    names = {value.name: value.name + "_short" for value in values}
    for node in graph.node:
        for list_of_names in (node.input, node.output):
            for i, name in enumerate(list_of_names):
                list_of_names[i] = names.get(name, name)
    before = [helper.make_node("Cast", [v.name], [names[v.name]], to=ELEMENT[element]) for v in graph.input]
    after = helper.make_node("Cast", [names["y"]], ["y"], to=TensorProto.FLOAT)
    nodes = [*before, *graph.node, after]
    del graph.node[:]
    graph.node.extend(nodes)
    return short


def excess(case, element, folder):
    """How far the results are off beyond one rounding, relative to the largest value."""
    case.constants = {name: rounded(array, element) for name, array in case.constants.items()}
    inputs = {name: rounded(array, element) for name, _, array in case.inputs}
    model = case.model()
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)[0]
    path = folder / "model.onnx"
    onnx.save(short_model(model, element), path)
    command = run_command(path, folder)
    for name, array in inputs.items():
        np.save(folder / f"{name}.npy", array.astype(np.float16) if element == "f16" else array)
        command += ["--input", f"{name}={folder / name}.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    got = np.load(folder / "y.npy").astype(np.float32)
    assert got.shape == want.shape, (got.shape, want.shape)
    rounding = np.abs(want) * 2.0 ** -BITS[element] if element == "f16" else 0
    return float((np.abs(got - want) - rounding).max(initial=0) / max(1e-30, np.abs(want).max(initial=0)))


def attention(queries, keys, size):
    """Keys and values are inputs: read as they are."""
    case = products.Case(f"attention {queries} {keys} {size}")
    q, k, v = case.input(1, 3, queries, size), case.input(1, 3, keys, size), case.input(1, 3, keys, size)
    transposed = case.node("Transpose", k, perm=[0, 1, 3, 2])
    weights = case.node("Softmax", case.node("MatMul", q, transposed), axis=-1)
    case.node("MatMul", weights, v)
    return case


def attentions():
    yield attention(33, 70, 20)
    yield attention(96, 300, 64)
    yield attention(1, 37, 13)
    yield attention(3, 5, 16)


def rows():
    for shape in ((7, 33), (2, 3, 64), (5, 1)):
        case = products.Case(f"softmax {shape}")
        case.node("Softmax", case.input(*shape), axis=-1)
        yield case
        case = products.Case(f"layer normalization {shape}")
        x, size = case.input(*shape), shape[-1]
        y = case.node("LayerNormalization", x, case.constant(size), case.constant(size), axis=-1)
        case.node("Add", y, x)
        yield case
        case = products.Case(f"map {shape}")
        x = case.input(*shape, symbols=(0,))
        case.node("Tanh", case.node("Mul", case.node("Add", x, case.constant(shape[-1])), x))
        yield case


def recurrents():
    case = products.Case("lstm")
    operands = [case.input(5, 2, 7), case.constant(1, 24, 7), case.constant(1, 24, 6), case.constant(1, 48)]
    case.node("LSTM", *operands, hidden_size=6)
    yield case


def main():
    folder, element = pathlib.Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    families = {"matmul": products.matmuls, "gemm": products.gemms, "conv": products.convs,
                "depthwise": products.depthwises, "attention": attentions, "rows": rows,
                "recurrent": recurrents}
    failures = 0
    for family in sys.argv[3:]:
        for case in families[family]():
            off = excess(case, element, folder)
            if not off < 3e-5:
                print(f"{element} {case.name}: off by {off:.2e} of the largest value")
                failures += 1
    return failures


if __name__ == "__main__":
    sys.exit(main())
