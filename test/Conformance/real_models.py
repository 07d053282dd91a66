#!/usr/bin/env python3
"""Real models and real architectures against ONNX Runtime, at several shapes each.

usage: real_models.py [--dsc DSC] [--keep DIR] [--static] [--option O]... [-v] SOURCE...

A SOURCE is an .onnx file, a folder with such, or `architectures[:PATTERN]`: those of
bench/architectures (`first`: one variant of each). Each model is compiled once, as it is, and run at three shapes: prime
sizes where its dimensions are free. --static compiles for each shape anew.
"""

import argparse
import concurrent.futures
import fnmatch
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
from architectures import all_architectures  # noqa: E402

onnxruntime.disable_telemetry_events()

NUMPY = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
         "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_,
         "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
# Sizes for dimensions by what their names say, for three runs.
SIZES = (("batch", (1, 3, 7)), ("seq|len|token", (17, 61, 5)), ("", (64, 97, 131)))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dsc", default="dsc", help="the compiler (default: from PATH)")
    parser.add_argument("--option", action="append", default=[], help="of dsc compile, as --option=-O1")
    parser.add_argument("--keep", metavar="DIR", help="leave models, artifacts and inputs here")
    parser.add_argument("--static", action="store_true", help="compile for each shape, with --shape")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one command")
    parser.add_argument("-v", "--verbose", action="store_true", help="print each run")
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    return parser.parse_args()


# Models ----------------------------------------------------------------------------


class Model:
    """A file, the inputs of each run, and how close results have to be: rtol is the
    tolerance, atol a tenth of it by the largest value (float16 and int8: all of it)."""

    def __init__(self, name, path, runs, tolerance, operators):
        self.name, self.path, self.runs, self.tolerance = name, path, runs, tolerance
        self.quantized = bool(operators & {"QuantizeLinear", "DynamicQuantizeLinear"})


def operators_of(model):
    return {node.op_type for node in model.graph.node}


def architecture_models(pattern, folder):
    for name, architecture in all_architectures().items():
        if fnmatch.fnmatch(name, pattern) or (pattern == "first" and "-" not in name):
            graph = architecture.graph()
            path = os.path.join(folder, name + ".onnx")
            model = graph.model(name)
            onnx.save(model, path)
            runs = [graph.make_inputs(sizes, seed) for seed, sizes in enumerate(architecture.sizes)]
            yield Model(name, path, runs, architecture.tolerance, operators_of(model))


def file_model(path):
    model = onnx.load(path, load_external_data=False)
    operators = operators_of(model)
    loose = bool(operators & {"QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"})
    given = {tensor.name for tensor in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in given]
    loose |= any(i.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16 for i in inputs)
    special = next((values for pattern, values in SPECIAL if re.search(pattern, os.path.basename(path))), None)
    runs = [model_inputs(model, inputs, number, special) for number in range(3)]
    return Model(os.path.basename(path).removesuffix(".onnx"), path, runs, 1e-2 if loose else 1e-3,
                 operators)


# What declarations do not say, by model: the sizes of inputs for the three runs, their only
# value, or the range that integers are from.
SPECIAL = [
    (r"magika", {"bytes": range(257)}),
    (r"silero_vad_16k_sequence", {"input": [[5, 576], [1, 576], [17, 576]], "h": [[1, 1, 128]] * 3, "c": [[1, 1, 128]] * 3}),
    (r"silero_vad_openvino", {}),
    (r"silero_vad", {"input": [[1, 576], [3, 576], [7, 576]], "state": [[2, 1, 128], [2, 3, 128], [2, 7, 128]], "sr": 16000}),
    (r"ppocr_cls", {"x": [[1, 3, 48, 192], [3, 3, 48, 192], [7, 3, 48, 101]]}),
    (r"ppocr_det", {"x": [[1, 3, 64, 96], [1, 3, 160, 64], [3, 3, 32, 128]]}),
    (r"ppocr_rec", {"x": [[1, 3, 48, 320], [3, 3, 48, 97], [7, 3, 48, 131]]}),
]


def size_of(dimension, number, position):
    if dimension.HasField("dim_value") and dimension.dim_value > 0:
        return dimension.dim_value
    name = dimension.dim_param.lower()
    if position == 0 and not re.search("seq|len|height|width", name):
        name = "batch"
    return next(sizes[number] for pattern, sizes in SIZES if re.search(pattern, name))


def vocabulary_of(model, name):
    """One more than the largest index that an integer input may hold: the least number of
    rows that a Gather by it, at any distance behind Casts and the like, picks from."""
    rows = {tensor.name: tensor.dims[0] for tensor in model.graph.initializer if tensor.dims}
    derived, limit = {name}, None
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[1] in derived and node.input[0] in rows:
            limit = min(limit or rows[node.input[0]], rows[node.input[0]])
        elif node.input and node.input[0] in derived and node.op_type in ("Cast", "Identity", "Reshape", "Unsqueeze"):
            derived.update(node.output)
    return limit


def picture(generator, shape):
    """Dark and light rectangles with some noise: noise alone shows nothing to a detector, whose
    answers are then so small that only rounding is left of them."""
    coarse = generator.choice([-1.5, 1.5], (*shape[:2], -(-shape[2] // 8), -(-shape[3] // 4)))
    value = coarse.repeat(8, axis=2)[:, :, :shape[2]].repeat(4, axis=3)[:, :, :, :shape[3]]
    return value + 0.1 * generator.standard_normal(shape)


def model_inputs(model, inputs, number, special):
    generator = np.random.default_rng(number)
    arrays = {}
    for info in inputs:
        tensor = info.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        wanted = (special or {}).get(info.name)
        shape = [size_of(d, number, i) for i, d in enumerate(tensor.shape.dim)]
        if isinstance(wanted, list):
            shape = wanted[number]
        if isinstance(wanted, int):
            value = np.full(shape, wanted)
        elif isinstance(wanted, range):
            value = generator.integers(wanted.start, wanted.stop, shape)
        elif len(shape) == 4 and shape[1] == 3:
            value = picture(generator, shape)
        elif dtype.kind == "f":
            value = generator.standard_normal(shape)
        elif "mask" in info.name or dtype.kind == "b":
            value = np.ones(shape)
        else:
            value = generator.integers(0, vocabulary_of(model, info.name) or 2, shape)
        arrays[info.name] = np.asarray(value).astype(dtype)
    return arrays


# Running ---------------------------------------------------------------------------


def expected(path, runs):
    """ONNX Runtime's results. Rewriting its graph changes results of quantized models, so it
    does none that reaches beyond one operator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return [output.name for output in session.get_outputs()], [session.run(None, inputs) for inputs in runs]


class Failure(Exception):
    pass


def call(arguments, *command):
    try:
        process = subprocess.run([arguments.dsc, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=arguments.timeout)
    except subprocess.TimeoutExpired:
        raise Failure(f"dsc {command[0]}: more than {arguments.timeout:.0f} s")
    if process.returncode:
        raise Failure(f"dsc {command[0]}: exit code {process.returncode}: {process.stdout.decode(errors='replace').strip()}")


def shape_options(inputs):
    return [option for name, value in inputs.items() if value.ndim
            for option in ("--shape", f"{name}={'x'.join(map(str, value.shape))}")]


def run(arguments, artifact, inputs, folder):
    """Outputs by name, as dsc run writes them."""
    os.makedirs(folder, exist_ok=True)
    options = []
    for number, (name, value) in enumerate(inputs.items()):
        path = os.path.join(folder, f"input_{number}.npy")
        np.save(path, value)
        options += ["--input", f"{name}={path}"]
    results = os.path.join(folder, "outputs")
    os.makedirs(results, exist_ok=True)
    call(arguments, "run", artifact, *options, "--threads", "1", "--output-dir", results)
    return lambda name: np.load(os.path.join(results, name.replace("/", "_") + ".npy"))


def difference(have, want, tolerance):
    """None where equal within the tolerance, else a text; and the error as a share of what
    is allowed."""
    if have.shape != want.shape or have.dtype != want.dtype:
        return f"{have.dtype}{list(have.shape)} instead of {want.dtype}{list(want.shape)}", np.inf
    if not want.size:
        return None, 0
    if want.dtype.kind not in "fc":
        wrong = np.count_nonzero(have != want)
        return (f"{wrong} of {want.size} differ" if wrong else None), 0
    have, want = have.astype(np.float64), want.astype(np.float64)
    largest = np.abs(want[np.isfinite(want)]).max(initial=0)
    same = np.array_equal(np.isnan(have), np.isnan(want))
    with np.errstate(invalid="ignore"):
        error = np.where(have == want, 0, np.abs(have - want))
    absolute = (0.1 if tolerance < 1e-2 else 1) * tolerance * largest
    absolute += 2.0 ** -22  # as exact as ONNX Runtime's sigmoid is, whatever is small
    share = np.nan_to_num(error, nan=0) / (tolerance * np.abs(want) + absolute)
    worst = float(np.max(np.nan_to_num(share)))
    if same and worst <= 1:
        return None, worst
    return f"largest difference {np.nanmax(error):.3g} of {largest:.3g}, {np.count_nonzero(share > 1)} of {want.size}", worst


def cut_at_quantizers(path, folder):
    """Copies of a model: one that also gives what each quantizer gives, one in which what is
    behind a quantizer takes that as an input. So each step can be compared for itself."""
    model = onnx.load(path)
    quantized = [name for node in model.graph.node if node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear")
                 for name in node.output if name]
    inferred = onnx.shape_inference.infer_shapes(model)
    infos = {info.name: info for info in inferred.graph.value_info}
    outputs = {output.name for output in model.graph.output}
    quantized = [name for name in quantized if name in infos and name not in outputs]
    model.graph.output.extend(infos[name] for name in quantized)
    whole, steps = os.path.join(folder, "whole.onnx"), os.path.join(folder, "steps.onnx")
    onnx.save(model, whole)
    for name in quantized:
        given = onnx.ValueInfoProto()
        given.CopyFrom(infos[name])
        given.name = name + "@given"
        model.graph.input.append(given)
    cut = set(quantized)
    for node in model.graph.node:
        for position, name in enumerate(node.input):
            if name in cut:
                node.input[position] = name + "@given"
    onnx.save(model, steps)
    return whole, steps, quantized


def check_steps(arguments, model, folder):
    """Problems of a quantized model whose steps get ONNX Runtime's inputs: an integer may be
    off by one, where the exact value is a half, and of few elements. In the whole model one
    such element changes what comes after."""
    os.makedirs(folder, exist_ok=True)
    whole, steps, quantized = cut_at_quantizers(model.path, folder)
    names, wanted = expected(whole, model.runs)
    artifact = os.path.join(folder, "steps.dsc")
    call(arguments, "compile", steps, "-q", "-o", artifact, *arguments.option)
    problems = []
    for number, (inputs, outputs) in enumerate(zip(model.runs, wanted)):
        values = dict(zip(names, outputs))
        given = {name + "@given": values[name] for name in quantized}
        get = run(arguments, artifact, {**inputs, **given}, os.path.join(folder, str(number)))
        for name, want in values.items():
            have = get(name)
            if want.dtype.kind in "iu" and have.shape == want.shape:
                distance = np.abs(have.astype(np.int64) - want.astype(np.int64))
                wrong = np.count_nonzero(distance)
                text = f"{wrong} of {want.size} differ, by {distance.max(initial=0)} at most"
                if distance.max(initial=0) > 1 or wrong > 1 + want.size // 100:
                    problems.append(f"step {name}: {text}")
            elif text := difference(have, want, model.tolerance)[0]:
                problems.append(f"step {name}: {text}")
    return problems


def check(arguments, model, folder):
    """Problems of one model; prints its line."""
    start, problems, note, compile_time, worst = time.time(), [], "", 0, 0
    artifact = os.path.join(folder, model.name + ".dsc")
    try:
        names, wanted = expected(model.path, model.runs)
        for number, (inputs, outputs) in enumerate(zip(model.runs, wanted)):
            if arguments.static or not number:
                begin = time.time()
                call(arguments, "compile", model.path, "-q", "-o", artifact, *arguments.option,
                     *(shape_options(inputs) if arguments.static else []))
                compile_time = time.time() - begin
            shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in inputs.items())
            get = run(arguments, artifact, inputs, os.path.join(folder, f"{model.name}.{number}"))
            for name, want in zip(names, outputs):
                text, share = difference(get(name), want, model.tolerance)
                worst = max(worst, share)
                if text:
                    problems.append(f"{name} of {shapes}: {text}")
        if problems and model.quantized:
            problems = check_steps(arguments, model, os.path.join(folder, model.name + ".steps"))
            note = ", compared step by step"
    except Failure as failure:
        problems.append(str(failure))
    except Exception as error:  # what ONNX Runtime or numpy say
        problems.append(f"{type(error).__name__}: {error}")
    verdict = "FAIL" if problems else "ok"
    print(f"{verdict:4} {model.name}: compiled in {compile_time:.1f} s, {len(model.runs)} shapes, "
          f"error {worst:.2g} of what is allowed{note}, {time.time() - start:.1f} s", flush=True)
    for problem in problems:
        print(f"     {problem}", flush=True)
    return problems


def models_of(sources, folder):
    for source in sources:
        if source.startswith("architectures"):
            yield from architecture_models(source.partition(":")[2] or "*", folder)
        elif os.path.isdir(source):
            for path in sorted(glob.glob(os.path.join(source, "*.onnx"))):
                yield file_model(path)
        else:
            yield file_model(source)


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or temporary
        os.makedirs(folder, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            results = list(pool.map(lambda model: check(arguments, model, folder), models_of(arguments.sources, folder)))
    failed = sum(1 for problems in results if problems)
    print(f"{len(results) - failed} of {len(results)} models agree with ONNX Runtime {onnxruntime.__version__}")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
