"""Rows, columns, transposes and other movement against numpy in float64: rows.py FOLDER FAMILY...
or rows.py --model NAME FILE: the model of one case.

For each case writes a model and its inputs to FOLDER, runs `dsc run`, and compares all
outputs. Sizes have tails, are prime, shorter than a vector, or known to the run alone.
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

from comparing import count_failures, run_command

random = np.random.default_rng(5)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def layer_norm(x, axes, epsilon=1e-5):
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + epsilon)


class Case:
    """Nodes on the input x (and constants); `want`: float64 results from x's value."""

    def __init__(self, name, shape, nodes, want, constants=None, dtype=np.float32, symbolic=False):
        self.name, self.nodes, self.want, self.dtype = name, nodes, want, dtype
        self.constants, self.symbolic = constants or {}, symbolic
        self.x = random.standard_normal(shape).astype(dtype)

    def build(self):
        kind = helper.np_dtype_to_tensor_dtype(self.x.dtype)
        dims = [f"n{i}" if self.symbolic else n for i, n in enumerate(self.x.shape)]
        nodes = [helper.make_node(kind_, taken, given, **attributes)
                 for kind_, taken, given, attributes in self.nodes]
        produced = [name for node in nodes for name in node.output]
        used = {name for node in nodes for name in node.input}
        self.results = [name for name in produced if name not in used or name.startswith("y")]
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", kind, dims)],
            [helper.make_empty_tensor_value_info(name) for name in self.results],
            [numpy_helper.from_array(np.asarray(a), n) for n, a in self.constants.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def difference(self, folder):
        """The largest error of any result by its largest value, at its type's precision."""
        model, source = folder / "m.onnx", folder / "x.npy"
        onnx.save(self.build(), model)
        np.save(source, self.x)
        subprocess.run([*run_command(model, folder), "--input", f"x={source}"], check=True)
        want = self.want(self.x.astype(np.float64))
        want = want if isinstance(want, tuple) else (want,)
        worst = 0
        for name, expected in zip(self.results, want, strict=True):
            got = np.load(folder / f"{name}.npy").astype(np.float64)
            if got.shape != expected.shape or not np.array_equal(np.isnan(got), np.isnan(expected)):
                return float("inf")
            scale = max(np.nanmax(np.abs(expected), initial=0), 1e-30)
            worst = max(worst, np.nanmax(np.abs(got - expected), initial=0) / scale)
        return worst * {2: 0.01, 4: 1, 8: 1e6}[self.x.dtype.itemsize]


def sized(name, shapes, make):
    """Cases of each shape, with sizes known when compiling and when running."""
    for shape in shapes:
        for symbolic in (False, True):
            text = "x".join(map(str, shape)) + ("-symbolic" if symbolic else "")
            yield make(f"{name}-{text}", shape, symbolic)


def rows():
    shapes = [(3, 197), (5, 8), (2, 3), (1, 1), (2, 1000), (4, 5, 31), (7, 1), (0, 5)]
    yield from sized("softmax", shapes, lambda name, shape, symbolic: Case(
        name, shape, [("Softmax", ["x"], ["y"], {"axis": -1})], lambda x: softmax(x, -1),
        symbolic=symbolic))
    yield from sized("log-softmax", shapes[:4], lambda name, shape, symbolic: Case(
        name, shape, [("LogSoftmax", ["x"], ["y"], {"axis": -1})], lambda x: np.log(softmax(x, -1)),
        symbolic=symbolic))
    for dtype in (np.float16, np.float64):
        yield Case(f"softmax-{dtype.__name__}", (3, 37), [("Softmax", ["x"], ["y"], {"axis": -1})],
                   lambda x: softmax(x, -1), dtype=dtype)
    yield from sized("norm", [(3, 5, 96), (2, 7, 13), (1, 4, 4097)], lambda name, shape, symbolic: Case(
        name, shape,
        [("Add", ["x", "bias"], ["y0"], {}),
         ("ReduceMean", ["y0", "axes"], ["mean"], {}), ("Sub", ["y0", "mean"], ["d"], {}),
         ("Mul", ["d", "d"], ["dd"], {}), ("ReduceMean", ["dd", "axes"], ["v"], {}),
         ("Add", ["v", "eps"], ["ve"], {}), ("Sqrt", ["ve"], ["s"], {}),
         ("Div", ["d", "s"], ["n"], {}), ("Exp", ["n"], ["e"], {}), ("Mul", ["e", "n"], ["y1"], {})],
        lambda x: (x + 2, layer_norm(x + 2, (-1,)) * np.exp(layer_norm(x + 2, (-1,)))),
        {"bias": np.float32(2), "axes": np.int64([-1]), "eps": np.float32(1e-5)}, symbolic=symbolic))
    yield Case("instance-norm", (2, 5, 7, 9), [("InstanceNormalization", ["x", "s", "b"], ["y"], {})],
               lambda x: layer_norm(x, (2, 3)) * 2 + 1,
               {"s": np.full(5, 2, np.float32), "b": np.ones(5, np.float32)})
    yield Case("group-norm", (2, 6, 5, 3),
               [("GroupNormalization", ["x", "s", "b"], ["y"], {"num_groups": 2})],
               lambda x: layer_norm(x.reshape(2, 2, 45), (2,)).reshape(x.shape) * 2 + 1,
               {"s": np.full(6, 2, np.float32), "b": np.ones(6, np.float32)})
    for axes in ([2, 3], [1, 2, 3], [0, 2], [3], [1, 3]):
        yield Case(f"mean-{axes}", (3, 4, 5, 17),
                   [("Exp", ["x"], ["e"], {}), ("ReduceMean", ["e", "axes"], ["m"], {}),
                    ("Sub", ["e", "m"], ["y"], {})],
                   lambda x, axes=tuple(axes): np.exp(x) - np.exp(x).mean(axes, keepdims=True),
                   {"axes": np.int64(axes)})
    yield Case("everything-dropped", (3, 37),
               [("Abs", ["x"], ["a"], {}), ("ReduceSum", ["a"], ["y"], {"keepdims": 0})],
               lambda x: np.abs(x).sum())
    yield Case("infinities", (2, 40),
               [("Relu", ["x"], ["r"], {}), ("Log", ["r"], ["l"], {}), ("Softmax", ["l"], ["y"], {})],
               lambda x: np.maximum(x, 0) / np.maximum(x, 0).sum(-1, keepdims=True))


def columns():
    shapes = [(2, 5, 3, 11), (1, 21, 16, 33), (3, 4, 1, 1), (1, 1000, 7, 7), (2, 3, 40, 1)]
    yield from sized("softmax-1", shapes, lambda name, shape, symbolic: Case(
        name, shape, [("Softmax", ["x"], ["y"], {"axis": 1})], lambda x: softmax(x, 1),
        symbolic=symbolic))
    yield from sized("softmax-0", [(13, 31), (3, 2000)], lambda name, shape, symbolic: Case(
        name, shape, [("Softmax", ["x"], ["y"], {"axis": 0})], lambda x: softmax(x, 0),
        symbolic=symbolic))
    yield Case("norm-1", (2, 19, 5, 7),
               [("LpNormalization", ["x"], ["y"], {"axis": 1, "p": 2})],
               lambda x: x / np.sqrt((x * x).sum(1, keepdims=True)))
    yield Case("deviation-0", (19, 70),
               [("ReduceMean", ["x", "axes"], ["y0"], {}), ("Sub", ["x", "y0"], ["d"], {}),
                ("Mul", ["d", "d"], ["dd"], {}), ("ReduceMean", ["dd", "axes"], ["v"], {}),
                ("Sqrt", ["v"], ["y1"], {})],
               lambda x: (x.mean(0, keepdims=True), x.std(0, keepdims=True)),
               {"axes": np.int64([0])})


def movement():
    for shape, perm in [((19, 37), (1, 0)), ((2, 9, 70, 17), (0, 3, 1, 2)), ((2, 9, 70, 17), (0, 2, 3, 1)),
                        ((1, 64, 65), (2, 0, 1)), ((3, 8, 5, 16), (2, 1, 3, 0)), ((130, 129), (1, 0)),
                        ((0, 9), (1, 0)), ((5, 3), (1, 0)), ((2, 12, 24, 8), (0, 2, 1, 3))]:
        for symbolic in (False, True):
            for dtype in (np.float32, np.float64, np.float16):
                yield Case(f"transpose-{shape}-{perm}-{dtype.__name__}-{symbolic}", shape,
                           [("Transpose", ["x"], ["y"], {"perm": perm})],
                           lambda x, perm=perm: x.transpose(perm), dtype=dtype, symbolic=symbolic)
    for axis in range(3):
        yield from sized(f"concat-{axis}", [(2, 3, 19), (1, 4, 40)], lambda name, shape, symbolic, axis=axis: Case(
            name, shape,
            [("Neg", ["x"], ["n"], {}), ("Concat", ["x", "n", "c", "x"], ["k"], {"axis": axis}),
             ("Abs", ["k"], ["a"], {}), ("Add", ["a", "k"], ["y"], {})],
            lambda x, axis=axis: (lambda k: np.abs(k) + k)(
                np.concatenate([x, -x, np.full(x.shape, 0.5), x], axis)),
            {"c": np.full(shape, 0.5, np.float32)}, symbolic=symbolic))
    yield Case("pad", (2, 3, 19), [("Pad", ["x", "p", "v"], ["y"], {})],
               lambda x: np.pad(x, [(0, 0), (2, 1), (3, 0)], constant_values=0.5),
               {"p": np.int64([0, 2, 3, 0, 1, 0]), "v": np.float32(0.5)})
    for mode, rounding, factor in [("asymmetric", "floor", 2), ("asymmetric", "floor", 3),
                                   ("half_pixel", "round_prefer_floor", 2),
                                   ("half_pixel", "round_prefer_ceil", 4),
                                   ("pytorch_half_pixel", "round_prefer_floor", 2)]:
        yield from sized(f"nearest-{mode}-{rounding}-{factor}", [(1, 3, 5, 19)],
                         lambda name, shape, symbolic, mode=mode, rounding=rounding, factor=factor: Case(
            name, shape,
            [("Neg", ["x"], ["n"], {}),
             ("Resize", ["n", "", "scales"], ["r"],
              {"coordinate_transformation_mode": mode, "mode": "nearest", "nearest_mode": rounding}),
             ("Exp", ["r"], ["y"], {})],
            lambda x, factor=factor: np.exp(-x.repeat(factor, 2).repeat(factor, 3)),
            {"scales": np.float32([1, 1, factor, factor])}, symbolic=symbolic))
    yield Case("gather", (30, 40), [("Gather", ["x", "i"], ["y"], {})],
               lambda x: x[[3, 29, -1, 0, 3]], {"i": np.int64([3, 29, -1, 0, 3])})
    yield Case("cumsum", (19, 37), [("CumSum", ["x", "a"], ["y"], {"exclusive": 1, "reverse": 1})],
               lambda x: np.flip(np.cumsum(np.flip(x, 0), 0), 0) - x, {"a": np.int64(0)})


def threads():
    yield Case("threads", (2, 300, 1000),
               [("Softmax", ["x"], ["y0"], {"axis": -1}), ("Softmax", ["x"], ["y1"], {"axis": 1}),
                ("Transpose", ["x"], ["y2"], {"perm": [0, 2, 1]}), ("CumSum", ["x", "a"], ["y3"], {})],
               lambda x: (softmax(x, 2), softmax(x, 1), x.transpose(0, 2, 1), np.cumsum(x, 1)),
               {"a": np.int64(1)})


FAMILIES = {"rows": rows, "columns": columns, "movement": movement, "threads": threads}


def main():
    if sys.argv[1] == "--model":
        return onnx.save(next(case.build() for family in FAMILIES.values() for case in family()
                              if case.name == sys.argv[2]), sys.argv[3])
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    failures = sum(count_failures(FAMILIES[name](), folder) for name in sys.argv[2:])
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
