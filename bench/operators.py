#!/usr/bin/env python3
"""Times models of one operator (or of a few that belong together) in dsc and in ONNX Runtime.

usage: operators.py [--build DIR] [--seconds S] [--threads N] [--below R] [--list] [FILTER...]

FILTERs are parts of names. Sizes are those of real models. Both run by turns on the same
inputs; the least time of each counts. With --below only lines whose ratio is smaller.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from compare import interleave
from demo_runtime import DTYPES, DscRunner, Library, OrtRunner  # compare.py adds its folder

TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64,
         np.dtype(np.int32): TensorProto.INT32, np.dtype(np.bool_): TensorProto.BOOL}
DTYPES.setdefault("bool", 9)


class Case:
    """A model: inputs by name, constants by name, nodes as (type, inputs, outputs, attributes)."""

    def __init__(self, name, inputs, nodes, constants=None, opset=20):
        self.name, self.inputs, self.opset = name, inputs, opset
        self.nodes, self.constants = nodes, constants or {}

    def save(self, path):
        nodes = [helper.make_node(kind, taken, given, **attributes)
                 for kind, taken, given, attributes in self.nodes]
        graph = helper.make_graph(
            nodes, self.name,
            [helper.make_tensor_value_info(name, TYPES[array.dtype], array.shape)
             for name, array in self.inputs.items()],
            [helper.make_empty_tensor_value_info(name) for name in nodes[-1].output if name],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()])
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                               ir_version=10), path)


def floats(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def one(name, kind, arrays, constants=None, outputs=("y",), opset=20, **attributes):
    """A case of one node, whose inputs are `arrays`, then `constants`."""
    inputs = {f"x{i}": array for i, array in enumerate(arrays)}
    constants = {f"c{i}": array for i, array in enumerate(constants or []) if array is not None}
    names = list(inputs) + list(constants)
    return Case(name, inputs, [(kind, names, list(outputs), attributes)], constants, opset)


def row_cases():
    hidden = floats(1, 128, 768)
    scale, bias = floats(768), floats(768)
    yield one("softmax 8x12x197x197", "Softmax", [floats(8, 12, 197, 197)])
    yield one("softmax 12x128x128", "Softmax", [floats(12, 128, 128)])
    yield one("softmax 1x1000", "Softmax", [floats(1, 1000)])
    yield one("softmax 40x6625", "Softmax", [floats(40, 6625)])
    yield one("softmax axis1 1x21x128x128", "Softmax", [floats(1, 21, 128, 128)], axis=1)
    yield one("log_softmax 128x1000", "LogSoftmax", [floats(128, 1000)])
    yield one("layer_norm 128x768", "LayerNormalization", [hidden], [scale, bias])
    yield one("layer_norm 8x197x768", "LayerNormalization", [floats(8, 197, 768)], [scale, bias])
    yield Case("add layer_norm 128x768", {"x": hidden, "y": hidden + 1},
               [("Add", ["x", "y"], ["s"], {}),
                ("LayerNormalization", ["s", "scale", "bias"], ["z"], {"axis": -1})],
               {"scale": scale, "bias": bias})
    yield Case("rms_norm by hand 128x768", {"x": hidden},
               [("Mul", ["x", "x"], ["xx"], {}),
                ("ReduceMean", ["xx", "axes"], ["m"], {}),
                ("Add", ["m", "eps"], ["me"], {}), ("Sqrt", ["me"], ["s"], {}),
                ("Div", ["x", "s"], ["n"], {}), ("Mul", ["n", "scale"], ["y"], {})],
               {"axes": ints(-1), "eps": np.float32(1e-6), "scale": scale})
    yield one("instance_norm 1x64x64x64", "InstanceNormalization", [floats(1, 64, 64, 64)],
              [floats(64), floats(64)])
    yield one("group_norm 1x64x64x64", "GroupNormalization", [floats(1, 64, 64, 64)],
              [floats(64), floats(64)], opset=21, num_groups=8)
    yield one("lp_norm 128x512", "LpNormalization", [floats(128, 512)], axis=-1)


def reduction_cases():
    x = floats(32, 512, 768)
    for axis in range(3):
        yield one(f"reduce_sum 32x512x768 axis {axis}", "ReduceSum", [x], [ints(axis)])
    yield one("reduce_sum 32x512x768 all", "ReduceSum", [x])
    yield one("reduce_mean 1x256x56x56 axes 2,3", "ReduceMean", [floats(1, 256, 56, 56)], [ints(2, 3)])
    yield one("reduce_max 128x1000", "ReduceMax", [floats(128, 1000)], [ints(-1)])
    yield one("reduce_l2 128x768", "ReduceL2", [floats(128, 768)], [ints(-1)])
    yield one("reduce_log_sum_exp 128x1000", "ReduceLogSumExp", [floats(128, 1000)], [ints(-1)])
    yield one("argmax 1x1000", "ArgMax", [floats(1, 1000)], axis=-1)
    yield one("argmax 40x6625", "ArgMax", [floats(40, 6625)], axis=-1)
    yield one("argmax axis1 1x21x128x128", "ArgMax", [floats(1, 21, 128, 128)], axis=1)
    yield one("cumsum 128x768", "CumSum", [floats(128, 768)], [np.array(1, np.int64)])
    yield one("cumsum axis0 128x768", "CumSum", [floats(128, 768)], [np.array(0, np.int64)])
    yield one("topk 5 of 1000", "TopK", [floats(1, 1000)], [ints(5)], ("v", "i"))
    yield one("topk 100 of 8400", "TopK", [floats(1, 8400)], [ints(100)], ("v", "i"))
    yield one("topk 2 of 16, 4096 rows", "TopK", [floats(4096, 16)], [ints(2)], ("v", "i"))
    yield one("topk all of 8400", "TopK", [floats(1, 8400)], [ints(8400)], ("v", "i"))
    yield one("global_average_pool 1x512x7x7", "GlobalAveragePool", [floats(1, 512, 7, 7)])
    yield one("max_pool 3x3/2 1x64x112x112", "MaxPool", [floats(1, 64, 112, 112)],
              kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    yield one("max_pool 5x5 1x256x20x20", "MaxPool", [floats(1, 256, 20, 20)],
              kernel_shape=[5, 5], pads=[2, 2, 2, 2])
    yield one("average_pool 2x2/2 1x128x56x56", "AveragePool", [floats(1, 128, 56, 56)],
              kernel_shape=[2, 2], strides=[2, 2])


def movement_cases():
    yield one("transpose 0213 1x197x12x64", "Transpose", [floats(1, 197, 12, 64)], perm=[0, 2, 1, 3])
    yield one("transpose 0231 1x197x12x64", "Transpose", [floats(1, 197, 12, 64)], perm=[0, 2, 3, 1])
    yield one("transpose 10 768x3072", "Transpose", [floats(768, 3072)], perm=[1, 0])
    yield one("transpose 10 197x131", "Transpose", [floats(197, 131)], perm=[1, 0])
    yield one("transpose nchw-nhwc 1x64x56x56", "Transpose", [floats(1, 64, 56, 56)], perm=[0, 2, 3, 1])
    yield one("transpose nhwc-nchw 1x224x224x3", "Transpose", [floats(1, 224, 224, 3)], perm=[0, 3, 1, 2])
    yield one("transpose shuffle 1x2x58x28x28", "Transpose", [floats(1, 2, 58, 28, 28)],
              perm=[0, 2, 1, 3, 4])
    yield one("concat channels 2x1x64x80x80", "Concat", [floats(1, 64, 80, 80), floats(1, 64, 80, 80)],
              axis=1)
    yield one("concat last 2x128x12x64", "Concat", [floats(128, 12, 64), floats(128, 12, 64)], axis=-1)
    yield one("split qkv 128x2304", "Split", [floats(128, 2304)], outputs=("a", "b", "c"), axis=-1,
              num_outputs=3)
    yield one("slice 1x64x80x80 channels", "Slice", [floats(1, 64, 80, 80)],
              [ints(0), ints(32), ints(1)])
    yield one("slice 1x64x80x80 step 2", "Slice", [floats(1, 64, 80, 80)],
              [ints(0, 0), ints(80, 80), ints(2, 3), ints(2, 2)])
    yield one("gather rows 30522x768", "Gather", [np.arange(128, dtype=np.int64).reshape(1, 128) * 7],
              [])
    yield one("gather axis1 128x1000", "Gather", [floats(128, 1000)], [np.arange(0, 1000, 3)], axis=1)
    yield one("pad 1x64x56x56", "Pad", [floats(1, 64, 56, 56)], [ints(0, 0, 1, 1, 0, 0, 1, 1)])
    yield one("expand 1x64x1x1 to 80x80", "Expand", [floats(1, 64, 1, 1)], [ints(1, 64, 80, 80)])
    yield one("tile 1x64x20x20 by 2", "Tile", [floats(1, 64, 20, 20)], [ints(1, 1, 2, 2)])
    for mode in ("nearest", "linear", "cubic"):
        yield Case(f"resize {mode} x2 1x64x80x80", {"x": floats(1, 64, 80, 80)},
                   [("Resize", ["x", "", "scales"], ["y"],
                     {"mode": mode, "coordinate_transformation_mode":
                      "asymmetric" if mode == "nearest" else "half_pixel",
                      **({"nearest_mode": "floor"} if mode == "nearest" else {})})],
                   {"scales": np.array([1, 1, 2, 2], np.float32)})
    yield one("depth_to_space 1x64x56x56", "DepthToSpace", [floats(1, 64, 56, 56)], blocksize=2)
    yield one("space_to_depth 1x16x112x112", "SpaceToDepth", [floats(1, 16, 112, 112)], blocksize=2)
    yield one("gather_elements 128x768", "GatherElements",
              [floats(128, 768), np.random.default_rng(0).integers(0, 768, (128, 768))], axis=1)
    yield one("gather_nd 64x64x64", "GatherND",
              [floats(64, 64, 64), np.random.default_rng(0).integers(0, 64, (512, 2))])
    yield one("scatter_nd 512x256", "ScatterND",
              [floats(512, 256), np.arange(64, dtype=np.int64)[:, None] * 3, floats(64, 256)])
    yield one("scatter_elements 128x768", "ScatterElements",
              [floats(128, 768), np.random.default_rng(0).permutation(768)[None, :128].repeat(128, 0),
               floats(128, 128)], axis=1)
    yield one("one_hot 128x1000", "OneHot", [np.arange(128, dtype=np.int64)],
              [np.array(1000, np.int64), np.array([0, 1], np.float32)])
    yield one("nonzero 128x768", "NonZero", [(floats(128, 768) > 1.5).astype(np.float32)])
    yield one("trilu 512x512", "Trilu", [floats(512, 512)])


def elementwise_cases():
    x = floats(1, 64, 80, 80)
    for kind in ("Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Sqrt", "Neg", "HardSwish", "Mish",
                 "Softplus", "Elu", "Floor", "Round", "Abs", "Reciprocal", "Sign", "LeakyRelu"):
        yield one(kind.lower() + " 1x64x80x80", kind, [np.abs(x) if kind == "Sqrt" else x])
    yield one("log 1x64x80x80", "Log", [np.abs(x) + 0.1])
    yield one("sin 1x64x80x80", "Sin", [x])
    yield one("cos 1x64x80x80", "Cos", [x])
    yield one("tan 1x64x80x80", "Tan", [x])
    yield one("asin 1x64x80x80", "Asin", [np.tanh(x)])
    yield one("sinh 1x64x80x80", "Sinh", [x])
    yield one("asinh 1x64x80x80", "Asinh", [x])
    yield one("gelu 128x3072", "Gelu", [floats(128, 3072)])
    yield one("gelu tanh 128x3072", "Gelu", [floats(128, 3072)], approximate="tanh")
    yield one("add 1x64x80x80", "Add", [x, x + 1])
    yield one("add channel 1x64x80x80", "Add", [x, floats(64, 1, 1)])
    yield one("mul row 128x768", "Mul", [floats(128, 768), floats(768)])
    yield one("mul column 128x768", "Mul", [floats(128, 768), floats(128, 1)])
    yield one("div scalar 128x768", "Div", [floats(128, 768)], [np.array(8, np.float32)])
    yield one("pow 2 128x768", "Pow", [floats(128, 768)], [np.array(2, np.float32)])
    yield one("pow 0.5 128x768", "Pow", [np.abs(floats(128, 768))], [np.array(0.5, np.float32)])
    yield one("pow 1.7 128x768", "Pow", [np.abs(floats(128, 768))], [np.array(1.7, np.float32)])
    yield one("pow tensor 128x768", "Pow", [np.abs(floats(128, 768)), floats(128, 768)])
    yield one("where 12x128x128", "Where",
              [floats(1, 1, 128, 128) > 0, floats(1, 12, 128, 128), floats(1)])
    yield one("greater 128x768", "Greater", [floats(128, 768), floats(768)])
    yield one("mod 128x768", "Mod", [ints(*range(98304)).reshape(128, 768)], [ints(7)])
    yield one("cast f32 i64 128x768", "Cast", [floats(128, 768)], to=TensorProto.INT64)
    yield one("cast f32 f16 128x768", "Cast", [floats(128, 768)], to=TensorProto.FLOAT16)
    yield one("cast i64 f32 128x768", "Cast", [ints(*range(98304)).reshape(128, 768)],
              to=TensorProto.FLOAT)
    yield one("clip 1x64x80x80", "Clip", [x], [np.array(0, np.float32), np.array(6, np.float32)])
    yield one("prelu 1x64x80x80", "PRelu", [x, floats(64, 1, 1)])
    yield one("batch_norm 1x64x80x80", "BatchNormalization", [x],
              [floats(64), floats(64), floats(64), np.abs(floats(64)) + 1])


def all_cases():
    for cases in (row_cases, reduction_cases, movement_cases, elementwise_cases):
        for case in cases():
            if case.name.startswith("gather rows"):
                case.constants["table"] = floats(30522, 768)
                case.nodes = [("Gather", ["table", "x0"], ["y"], {})]
            yield case


def measure(case, arguments, library, folder):
    model, artifact = os.path.join(folder, "model.onnx"), os.path.join(folder, "model.dsc")
    case.save(model)
    dsc = os.path.join(arguments.build, "bin", "dsc")
    subprocess.run([dsc, "compile", model, "-o", artifact, "-q"], check=True, timeout=300)
    ours = DscRunner(library, artifact, case.inputs, arguments.threads)
    theirs = OrtRunner(model, case.inputs, arguments.threads)
    times = interleave([ours.run, theirs.run], arguments.seconds)
    ours.close()
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--below", type=float, default=float("inf"), metavar="R")
    parser.add_argument("--list", action="store_true", help="only the names")
    parser.add_argument("filters", nargs="*", metavar="FILTER")
    arguments = parser.parse_args()
    cases = [case for case in all_cases()
             if not arguments.filters or any(part in case.name for part in arguments.filters)]
    if arguments.list:
        return print("\n".join(case.name for case in cases))
    library = Library(os.path.join(arguments.build, "lib", "libdsc_runtime.so"))
    print(f"| model | dsc, us | ORT, us | ORT / dsc |\n|{'---|' * 4}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            try:
                ours, theirs = measure(case, arguments, library, folder)
            except (subprocess.SubprocessError, RuntimeError) as error:
                print(f"| {case.name} | {error} |", flush=True)
                continue
            if theirs / ours < arguments.below:
                print(f"| {case.name} | {1e3 * ours:.4g} | {1e3 * theirs:.4g} | {theirs / ours:.2f} |",
                      flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main())
