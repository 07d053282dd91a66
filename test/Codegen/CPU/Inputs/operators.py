"""Single operators against numpy in float64: operators.py FOLDER FAMILY... or
operators.py --model NAME FILE: the model of one case.

Functions are compared in units of the last place, over all magnitudes; selections and
maxima exactly; sums and interpolation at float32's precision. Shapes have tails, edges and
sizes that only the run knows.
"""

import itertools
import math
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from comparing import run_command

random = np.random.default_rng(7)


class Case:
    """One node. `want`: its results from the inputs; None: what ONNX's reference computes.
    `ulps`: how far float32 results may be off; None: 1e-5 of the largest value."""

    def __init__(self, name, kind, inputs, attributes=None, constants=None, outputs=1, want=None,
                 ulps=0, symbolic=False):
        self.name, self.kind, self.attributes = name, kind, attributes or {}
        self.inputs = {f"x{i}": x for i, x in enumerate(inputs)}
        self.constants = {f"c{i}" if c is not None else "": c
                          for i, c in enumerate(constants or [])}
        self.outputs = [f"y{i}" for i in range(outputs)]
        self.want, self.ulps, self.symbolic = want, ulps, symbolic

    def build(self):
        names = [*self.inputs, *self.constants]
        values = [helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(x.dtype),
            [f"{name}_{i}" if self.symbolic else n for i, n in enumerate(x.shape)])
            for name, x in self.inputs.items()]
        graph = helper.make_graph(
            [helper.make_node(self.kind, names, self.outputs, **self.attributes)], "g", values,
            [helper.make_empty_tensor_value_info(name) for name in self.outputs],
            [numpy_helper.from_array(np.asarray(c), n) for n, c in self.constants.items() if n])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def problem(self, folder):
        """What is wrong with the results, or None."""
        model = folder / "m.onnx"
        onnx.save(self.build(), model)
        command = run_command(model, folder)
        for name, x in self.inputs.items():
            np.save(folder / f"{name}.npy", x)
            command += ["--input", f"{name}={folder / name}.npy"]
        subprocess.run(command, check=True)
        with np.errstate(all="ignore"):
            if self.want:
                want = self.want(*self.inputs.values())
                want = want if isinstance(want, tuple) else (want,)
            else:
                want = ReferenceEvaluator(self.build()).run(None, dict(self.inputs))
            return next((problem for name, expected in zip(self.outputs, want, strict=True)
                         if (problem := self.compare(np.load(folder / f"{name}.npy"), expected))), None)

    def compare(self, got, expected):
        if got.shape != expected.shape:
            return f"shape {got.shape} instead of {expected.shape}"
        if self.ulps is None:
            scale = max(np.abs(expected).max(initial=0), 1e-30)
            error = np.abs(got.astype(np.float64) - expected).max(initial=0) / scale
            return f"off by {error:.2e} of the largest value" if not error < 1e-5 else None
        if self.ulps == 0:
            same = (got == expected) | ((got != got) & (expected != expected))
            return None if same.all() else f"{(~same).sum()} of {same.size} elements differ"
        rounded = expected.astype(np.float32)
        special = ~np.isfinite(rounded)
        if not np.array_equal(got[special], rounded[special], equal_nan=True):
            return "infinities or NaN differ"
        if (np.signbit(got) != np.signbit(rounded))[~special].any():
            return "signs differ"
        error = np.abs(got.astype(np.float64) - expected)[~special]
        error = error / np.spacing(np.abs(rounded[~special])).astype(np.float64)
        worst = error.max(initial=0)
        return f"{worst:.2f} ULP" if not worst <= self.ulps else None


def magnitudes(count=20000, low=-149, high=127.9):
    """Numbers of all magnitudes and both signs, and the special ones."""
    x = np.exp2(random.uniform(low, high, count)) * random.choice([-1, 1], count)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 1e5, -1e5, 1e20, -1e20, 3e38,
               2.0**50, 2.0**24, 1e-45, -1e-45, 1e-38]
    # float32 numbers next to multiples of pi / 2.
    near = np.arange(1, 3000) * (math.pi / 2)
    return np.concatenate([x, special, near, [16367173 * 2.0**72]]).astype(np.float32)


def functions():
    x, unit = magnitudes(), random.uniform(-1.01, 1.01, 8001).astype(np.float32)
    moderate = magnitudes(low=-40, high=7.2)
    double = lambda function: lambda a: function(a.astype(np.float64))
    for kind, function, values in [
            ("Sin", np.sin, x), ("Cos", np.cos, x), ("Tan", np.tan, x),
            ("Sinh", np.sinh, moderate), ("Cosh", np.cosh, moderate), ("Asinh", np.arcsinh, x),
            ("Acosh", np.arccosh, np.abs(x)), ("Atanh", np.arctanh, unit), ("Asin", np.arcsin, unit),
            ("Acos", np.arccos, unit)]:
        yield Case(kind, kind, [values], want=double(function), ulps=0.55)
    yield Case("Acosh-below", "Acosh", [-np.abs(x)], want=double(np.arccosh), ulps=0.55)
    power = lambda a, b: np.power(a.astype(np.float64), b.astype(np.float64))
    special = np.float32([0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, np.inf, -np.inf, np.nan, 1e-45,
                          -1e-45, 3e38, -3e38, 2**24 + 2, -(2**24) - 1, 16777217, 1e30])
    a, b = (np.float32(list(side)) for side in zip(*itertools.product(special, special)))
    yield Case("Pow-special", "Pow", [a, b], want=power, ulps=0.55)
    yield Case("Pow", "Pow", [np.abs(x), (np.exp2(random.uniform(-8, 8, x.size))
                                          * random.choice([-1, 1], x.size)).astype(np.float32)],
               want=power, ulps=0.55)
    yield Case("Pow-whole", "Pow", [magnitudes(low=-20, high=20),
                                    random.integers(-9, 9, magnitudes().size).astype(np.float32)],
               want=power, ulps=0.55)
    for exponent in (2, 3, 0.5, -0.5, -1, 1.7, -3, 0):
        yield Case(f"Pow-{exponent}", "Pow", [random.uniform(0.01, 50, 1000).astype(np.float32)],
                   constants=[np.float32(exponent)], want=lambda a, e=exponent: power(a, np.float32(e)),
                   ulps=1.6)


def first_elements(x, count, axis, largest):
    """TopK: NaN is larger than any number; of equal elements the first comes first."""
    key = np.moveaxis(x, axis, -1)
    isnan = key != key
    number = np.where(isnan, 0, key)
    if key.dtype.kind in "iu":
        number = number.astype(object)
    # Stable sorts, the most important last.
    order = np.argsort(-number if largest else number, -1, kind="stable")
    rank = np.take_along_axis(isnan, order, -1)
    second = np.argsort(~rank if largest else rank, -1, kind="stable")
    order = np.take_along_axis(order, second, -1)[..., :count]
    values = np.take_along_axis(key, order, -1)
    return np.moveaxis(values, -1, axis), np.moveaxis(order, -1, axis)


def topk():
    def case(name, x, count, axis=-1, largest=1, **more):
        return Case(f"{name}-{count}-{axis}-{largest}", "TopK", [x],
                    {"axis": axis, "largest": largest, "sorted": 1}, [np.int64([count])], outputs=2,
                    want=lambda a: first_elements(a, count, axis, largest), **more)

    floats = lambda *shape: random.standard_normal(shape).astype(np.float32)
    for largest, symbolic in itertools.product((0, 1), (False, True)):
        for n, k in [(1, 1), (7, 3), (64, 64), (65, 65), (1000, 5), (1000, 0), (8400, 100), (777, 700),
                     (300, 300), (5000, 40)]:
            yield case(f"f32-{n}-{symbolic}", floats(2, n), k, -1, largest, symbolic=symbolic)
        yield case(f"axis-{symbolic}", floats(3, 170, 5), 9, 1, largest, symbolic=symbolic)
    many = floats(2, 3000)
    many[0, ::7], many[0, 5::11], many[1, ::3], many[1, 1::50] = np.nan, np.inf, 0.0, -0.0
    worst = np.sort(floats(1, 4000), -1)
    for largest in (0, 1):
        yield case("nan", many, 500, -1, largest)
        yield case("nan-all", many, 3000, -1, largest)
        yield case("ascending", worst, 100, -1, largest)
        yield case("descending", worst[:, ::-1].copy(), 100, -1, largest)
        for dtype in (np.int64, np.uint64, np.int32, np.uint8, np.int8, np.float16, np.float64):
            few = (random.integers(0, 256, (2, 1500)) if dtype in (np.uint8, np.uint64)
                   else random.integers(-128, 128, (2, 1500))).astype(dtype)
            if dtype is np.uint64:
                few[:, ::5] += np.uint64(2**63)
            if dtype is np.int64:
                few[:, ::5] *= 2**50
            yield case(dtype.__name__, few, 70, -1, largest)
    yield Case("rows", "TopK", [floats(3000, 16)], {"largest": 1}, [np.int64([2])], outputs=2,
               want=lambda a: first_elements(a, 2, -1, 1))


def pools():
    floats = lambda *shape: random.standard_normal(shape).astype(np.float32)
    settings = [
        ((2, 3, 17, 23), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ((1, 2, 16, 40), {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ((1, 2, 9, 33), {"kernel_shape": [5, 5], "pads": [2, 2, 2, 2]}),
        ((1, 2, 12, 31), {"kernel_shape": [3, 2], "strides": [1, 3], "pads": [0, 1, 2, 0]}),
        ((1, 2, 15, 29), {"kernel_shape": [3, 3], "dilations": [2, 3], "pads": [1, 2, 1, 2]}),
        ((2, 3, 45), {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
        ((1, 2, 6, 7, 21), {"kernel_shape": [2, 3, 3], "strides": [1, 2, 2], "pads": [0, 1, 1, 1, 1, 0]}),
        ((1, 1, 13, 13), {"kernel_shape": [13, 13], "pads": [6, 6, 6, 6]}),
        ((1, 2, 3, 2500), {"kernel_shape": [1, 4], "strides": [1, 2], "pads": [0, 1, 0, 1]}),
        ((1, 1, 3, 3), {"kernel_shape": [3, 3], "strides": [3, 3], "pads": [2, 2, 2, 2]}),
    ]
    for (shape, attributes), symbolic in itertools.product(settings, (False, True)):
        text = f"{'x'.join(map(str, shape))}-{symbolic}"
        yield Case(f"max-{text}", "MaxPool", [floats(*shape)], attributes, symbolic=symbolic)
        if "dilations" not in attributes:
            for padded in (0, 1):
                yield Case(f"average-{text}-{padded}", "AveragePool", [floats(*shape)],
                           {**attributes, "count_include_pad": padded}, symbolic=symbolic, ulps=None)
    holes = floats(1, 2, 14, 30)
    holes[0, 0, 3, 7] = holes[0, 1, 13, 29] = np.nan
    yield Case("max-nan", "MaxPool", [holes], settings[0][1],
               want=lambda x: np.stack([[[
                   [np.max(plane[max(0, 2 * i - 1):2 * i + 2, max(0, 2 * j - 1):2 * j + 2])
                    for j in range(15)] for i in range(7)] for plane in x[0]]]))
    yield Case("max-u8", "MaxPool", [random.integers(0, 255, (1, 2, 17, 40)).astype(np.uint8)],
               settings[0][1])
    yield Case("lp", "LpPool", [floats(1, 2, 17, 40)],
               {"kernel_shape": [3, 3], "strides": [2, 2], "p": 2}, ulps=None)


def resizes():
    floats = lambda *shape: random.standard_normal(shape).astype(np.float32)
    for mode, coordinates, (scales, shape) in itertools.product(
            ("linear", "cubic"), ("half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"),
            [((2, 2), (1, 3, 9, 11)), ((0.5, 0.5), (1, 2, 16, 24)), ((1.5, 0.75), (1, 2, 8, 12)),
             ((1, 3), (1, 2, 5, 7))]):
        yield Case(f"{mode}-{coordinates}-{scales}", "Resize", [floats(*shape)],
                   {"mode": mode, "coordinate_transformation_mode": coordinates},
                   [None, np.float32([1, 1, *scales])], ulps=None)
    for mode in ("linear", "cubic", "nearest"):
        yield Case(f"{mode}-sizes", "Resize", [floats(1, 3, 10, 14)], {"mode": mode},
                   [None, np.float32([1, 1, 1.6, 2.4])], ulps=None)
        yield Case(f"{mode}-symbolic", "Resize", [floats(1, 3, 10, 14)], {"mode": mode},
                   [None, np.float32([1, 1, 2.5, 1.5])], symbolic=True, ulps=None)
    yield Case("cubic-outside", "Resize", [floats(1, 3, 10, 14)],
               {"mode": "cubic", "exclude_outside": 1}, [None, np.float32([1, 1, 0.6, 1.6])], ulps=None)


def reductions():
    floats = lambda *shape: random.standard_normal(shape).astype(np.float32)
    last = lambda kind, x: x.shape[-1] - 1 - kind(x[..., ::-1], -1)
    for kind, function in (("ArgMax", np.argmax), ("ArgMin", np.argmin)):
        for shape, symbolic in itertools.product([(3, 1000), (5, 33), (2, 7), (6625,)], (False, True)):
            x = floats(*shape)
            name = f"{kind}-{'x'.join(map(str, shape))}-{symbolic}"
            yield Case(name, kind, [x], {"axis": -1, "keepdims": 0}, symbolic=symbolic,
                       want=lambda a, f=function: f(a, -1))
            ties = np.round(x * 2)
            yield Case(name + "-ties", kind, [ties], {"axis": -1, "keepdims": 0},
                       want=lambda a, f=function: f(a, -1))
            yield Case(name + "-last", kind, [ties],
                       {"axis": -1, "keepdims": 0, "select_last_index": 1}, symbolic=symbolic,
                       want=lambda a, f=function: last(f, a))
        holes = floats(4, 100)
        holes[0, 50] = holes[0, 60] = holes[2, 0] = holes[3, 99] = np.nan
        yield Case(f"{kind}-nan", kind, [holes], {"axis": -1, "keepdims": 0},
                   want=lambda a, f=function: f(a, -1))
        yield Case(f"{kind}-columns-nan", kind, [holes.T.copy()], {"axis": 0, "keepdims": 0},
                   want=lambda a, f=function: f(a, 0))
        yield Case(f"{kind}-int", kind, [random.integers(-9, 9, (3, 500)).astype(np.int32)],
                   {"axis": 1, "keepdims": 1}, want=lambda a, f=function: f(a, 1)[:, None])
    for kind, function in (("ReduceSum", np.sum), ("ReduceMean", np.mean), ("ReduceMax", np.max),
                           ("ReduceMin", np.min)):
        for shape, symbolic in itertools.product([(100000,), (16, 50, 100), (4, 65536)], (False, True)):
            x = floats(*shape) + 1
            yield Case(f"{kind}-{'x'.join(map(str, shape))}-{symbolic}", kind, [x], {"keepdims": 0},
                       want=lambda a, f=function: f(a.astype(np.float64)), ulps=None,
                       symbolic=symbolic)
    x = np.concatenate([floats(3, 400) * 50, np.full((1, 400), -np.inf, np.float32)])
    x[0, 3] = np.inf
    shifted = lambda a: np.log(np.exp(a.astype(np.float64)).sum(-1))
    yield Case("log-sum-exp", "ReduceLogSumExp", [x], {"keepdims": 0}, [np.int64([-1])], want=shifted,
               ulps=8)


FAMILIES = {"functions": functions, "topk": topk, "pools": pools, "resizes": resizes,
            "reductions": reductions}


def main():
    if sys.argv[1] == "--model":
        return onnx.save(next(case.build() for family in FAMILIES.values() for case in family()
                              if case.name == sys.argv[2]), sys.argv[3])
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    for family in sys.argv[2:]:
        for case in FAMILIES[family]():
            if problem := case.problem(folder):
                print(f"{case.name}: {problem}")
                failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
