#!/usr/bin/env python3
"""Measures what dsc promises about memory and opening, and compares each figure with its bound.

usage: bounds.py [--build DIR] [--no-times] [--shape NAME=1x3x224x224]... [--value NAME=NUMBER]...
                 [--seconds S] [--json FILE] MODEL.onnx...
       bounds.py [--build DIR] --generate FOLDER     (measures models that it makes there)

  arena     the planned arena, by the most bytes that must be alive at one time: at most 1.15
  rss       growth of resident memory from before opening to after runs, less weights and
            arena; the outputs are the caller's: at most 16 MB
  open      opening an artifact whose file is in the page cache: at most 20 ms
  compiler  peak resident memory of `dsc compile`, less the model's size: at most 500 MB
  symbolic  time of a run compiled for any size, by that compiled for this one, by turns in one
            process: at most 1.1 (models with symbolic sizes only)
  same      outputs for 1, 2, 3 and 7 threads and for a parallel-for of the caller that runs
            tasks in order are the same bytes, and so are the files of two compilations

Symbolic sizes without a --shape are 1 for the first axis and 64 for others. Integers are ones or
what --value says. Exits with 1 if a figure is beyond its bound.
"""

import argparse
import ctypes
import filecmp
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from compare import interleave
from demo_runtime import DTYPES, ContextOptions, DscRunner, Library  # compare.py adds its folder

MEGABYTE = 1e6
TYPES = {"f32": np.float32, "f16": np.float16, "f64": np.float64, "i64": np.int64, "i32": np.int32,
         "i8": np.int8, "u8": np.uint8, "bool": np.bool_}
DTYPES.update(bool=9, uint8=2, int8=3, float16=10, float64=11)
ParallelFor = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p,
                               ctypes.c_void_p)
Task = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)


class Tensor(ctypes.Structure):
    """dsc_tensor."""
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_size_t),
                ("dims", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]


class Bound:
    def __init__(self, name, value, most, text):
        self.name, self.value, self.most, self.text = name, value, most, text

    @property
    def holds(self):
        return self.value <= self.most


@ParallelFor
def in_order(_, count, task, argument):
    """A caller's parallel-for without threads."""
    run = Task(task)
    for index in range(count):
        run(argument, index)


def run_dsc(arguments, verb, *options):
    dsc = os.path.join(arguments.build, "bin", "dsc")
    return subprocess.run([dsc, verb, *options], check=True, capture_output=True, text=True).stdout


# A process starts with the peak of the one that it was forked from: a small one asks.
PEAK = """import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(status)"""


def compile_model(arguments, model, artifact, *options):
    """Peak resident bytes of the compiler, its children included."""
    dsc = os.path.join(arguments.build, "bin", "dsc")
    done = subprocess.run([sys.executable, "-c", PEAK, dsc, "compile", model, "-o", artifact, "-q",
                           *options], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"dsc compile {model} exits with {done.returncode}")
    return int(done.stdout)


def is_symbolic(info):
    return any(not dim.isdigit() for dim in info["dims"])


def make_inputs(report, arguments):
    generator = np.random.default_rng(0)
    shapes = dict(shape.rsplit("=", 1) for shape in arguments.shape)
    values = dict(value.rsplit("=", 1) for value in arguments.value)
    inputs = {}
    for info in report["inputs"]:
        name, dtype = info["name"], TYPES[info["type"]]
        if name in shapes and is_symbolic(info):
            shape = [int(size) for size in shapes[name].split("x") if size]
        else:
            shape = [int(dim) if dim.lstrip("-").isdigit() else 64 if axis else 1
                     for axis, dim in enumerate(info["dims"])]
        if name in values:
            inputs[name] = np.full(shape, float(values[name])).astype(dtype)
        elif np.issubdtype(dtype, np.floating):
            inputs[name] = generator.standard_normal(shape).astype(dtype)
        else:
            inputs[name] = np.ones(shape, dtype)
    return inputs


def read_outputs(library, runner):
    outputs = []
    for index in range(library.functions.dsc_model_output_count(runner.model)):
        tensor = Tensor()
        library.context_get_output(runner.context, ctypes.c_size_t(index), ctypes.byref(tensor))
        outputs.append(ctypes.string_at(tensor.data, tensor.bytes))
    return outputs


class SequentialRunner(DscRunner):
    """The caller's parallel-for instead of threads."""

    def make_options(self, threads):
        options = super().make_options(threads)
        options.parallel_for = ctypes.cast(in_order, ctypes.c_void_p)
        return options


#===----------------------------------------------------------------------===#
# In a process of its own
#===----------------------------------------------------------------------===#

def resident(key):
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {key} in /proc/self/status")


class QuietRunner(DscRunner):
    """Writes outputs to memory that was there before."""

    def before_run(self):
        for index, memory in enumerate(self.outputs):
            self.library.context_set_output(self.context, ctypes.c_size_t(index),
                                            memory.ctypes.data_as(ctypes.c_void_p),
                                            ctypes.c_size_t(memory.nbytes))


def measure_process(build, artifact, folder):
    """Prints what opening and running an artifact takes, as JSON."""
    library = Library(os.path.join(build, "lib", "libdsc_runtime.so"))
    library.functions.dsc_model_weight_bytes.restype = ctypes.c_size_t
    library.functions.dsc_context_arena_bytes.restype = ctypes.c_size_t
    with np.load(os.path.join(folder, "inputs.npz")) as file:
        inputs = {name: file[name] for name in file.files}
    with open(os.path.join(folder, "outputs.json"), encoding="utf-8") as file:
        QuietRunner.outputs = [np.ones(max(size, 1), np.uint8) for size in json.load(file)]
    opening = []
    for _ in range(5):
        model = ctypes.c_void_p()
        start = time.perf_counter()
        library.model_open(artifact.encode(), ctypes.byref(model))
        opening.append(time.perf_counter() - start)
        library.functions.dsc_model_close(model)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # the peak starts anew
    before = resident("VmRSS")
    runner = QuietRunner(library, artifact, inputs, threads=2)
    for _ in range(3):
        runner.run()
    print(json.dumps({
        "open": min(opening), "growth": resident("VmHWM") - before,
        "weights": library.functions.dsc_model_weight_bytes(runner.model),
        "arena": library.functions.dsc_context_arena_bytes(runner.context)}))


#===----------------------------------------------------------------------===#
# Bounds of one model
#===----------------------------------------------------------------------===#

def check_same(library, artifact, again, inputs):
    """The outputs, and whether anything differs."""
    outputs, differing = None, []
    for threads in (1, 2, 3, 7, None):
        runner = (DscRunner(library, artifact, inputs, threads) if threads else
                  SequentialRunner(library, artifact, inputs, 3))
        current = read_outputs(library, runner)
        runner.close()
        outputs = outputs or current
        if current != outputs:
            differing.append(f"{threads} threads" if threads else "tasks in order")
    if not filecmp.cmp(artifact, again, shallow=False):
        differing.append("compilations")
    return outputs, Bound("same", len(differing), 0, ", ".join(differing) or "yes")


def check_process(arguments, artifact, inputs, outputs, folder):
    np.savez(os.path.join(folder, "inputs.npz"), **inputs)
    with open(os.path.join(folder, "outputs.json"), "w", encoding="utf-8") as file:
        json.dump([len(output) for output in outputs], file)
    text = subprocess.run([sys.executable, __file__, "--build", arguments.build, "--process",
                           artifact, folder], check=True, capture_output=True, text=True).stdout
    found = json.loads(text)
    beyond = (found["growth"] - found["weights"] - found["arena"]) / MEGABYTE
    return [Bound("rss", beyond, 16, f"{found['growth'] / MEGABYTE:.1f} MB, {beyond:+.1f}"),
            Bound("open", found["open"] * 1e3, 20, f"{found['open'] * 1e3:.2f} ms")]


def check_symbolic(arguments, library, model, artifact, inputs, folder):
    static = os.path.join(folder, "static.dsc")
    shapes = [f"--shape={name}={'x'.join(map(str, array.shape))}"
              for name, array in inputs.items() if array.ndim]
    try:
        compile_model(arguments, model, static, *shapes)
    except RuntimeError:  # a branch for other sizes
        return Bound("symbolic", 0, 1.1, "not without symbols")
    runners = [DscRunner(library, path, inputs, 1) for path in (artifact, static)]
    least = interleave([runner.run for runner in runners], arguments.seconds)
    for runner in runners:
        runner.close()
    os.remove(static)
    ratio = least[0] / least[1]
    return Bound("symbolic", ratio, 1.1, f"{least[0]:.3g} / {least[1]:.3g} ms = {ratio:.3f}")


def check_model(arguments, library, model, folder):
    artifact, again = (os.path.join(folder, name) for name in ("model.dsc", "again.dsc"))
    peak = compile_model(arguments, model, artifact)
    beyond = (peak - os.path.getsize(model)) / MEGABYTE
    compile_model(arguments, model, again)
    report = json.loads(run_dsc(arguments, "inspect", artifact, "--json"))
    memory = report["memory"]
    arena = memory["arena_bytes"] / max(memory["arena_lower_bound_bytes"], 1)
    inputs = make_inputs(report, arguments)
    outputs, same = check_same(library, artifact, again, inputs)
    os.remove(again)
    planned = f"{memory['arena_bytes'] / MEGABYTE:.2f} MB, {arena:.3f}"
    if "assumed_size" in memory:
        planned += f" (symbols {memory['assumed_size']})"
    bounds = [Bound("arena", arena, 1.15, planned)]
    bounds += check_process(arguments, artifact, inputs, outputs, folder)
    bounds += [Bound("compiler", beyond, 500, f"{peak / MEGABYTE:.0f} MB, {beyond:+.0f}")]
    if any(map(is_symbolic, report["inputs"])):
        bounds.append(check_symbolic(arguments, library, model, artifact, inputs, folder))
    os.remove(artifact)
    return bounds + [same]


#===----------------------------------------------------------------------===#
# Generated models
#===----------------------------------------------------------------------===#

def generate_large(path):
    """520 MB of weights: four products."""
    from onnx import TensorProto, helper, save  # only here
    size, generator = 5700, np.random.default_rng(1)
    nodes, weights = [], []
    for layer in range(4):
        values = generator.standard_normal((size, size), np.float32) / np.float32(75)
        weights.append(helper.make_tensor(f"w{layer}", TensorProto.FLOAT, (size, size),
                                          values.tobytes(), raw=True))
        nodes.append(helper.make_node("MatMul", [f"x{layer}", f"w{layer}"], [f"x{layer + 1}"]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
            for name in ("x0", "x4")]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)


def generate_convolutional(path):
    """A small U-Net: convolutions, pooling, a long skip, concatenated channels."""
    from onnx import TensorProto, helper, numpy_helper, save
    generator, nodes, weights = np.random.default_rng(2), [], []

    def convolve(source, result, inputs, outputs):
        values = generator.standard_normal((outputs, inputs, 3, 3), np.float32) / np.float32(20)
        weights.append(numpy_helper.from_array(values, "w_" + result))
        nodes.append(helper.make_node("Conv", [source, "w_" + result], ["c_" + result],
                                      pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", ["c_" + result], [result]))

    weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"))
    convolve("x", "a", 3, 32)
    nodes.append(helper.make_node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2]))
    convolve("b", "c", 32, 64)
    convolve("c", "d", 64, 32)
    nodes.append(helper.make_node("Resize", ["d", "", "scales"], ["e"], mode="nearest"))
    nodes.append(helper.make_node("Concat", ["a", "e"], ["f"], axis=1))
    convolve("f", "g", 64, 32)
    convolve("g", "y", 32, 3)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3, 128, 128])
            for name in ("x", "y")]
    graph = helper.make_graph(nodes, "convolutional", ends[:1], ends[1:], weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)


def generate(folder):
    models = []
    for make in (generate_convolutional, generate_large):
        models.append(os.path.join(folder, make.__name__.removeprefix("generate_") + ".onnx"))
        make(models[-1])
    return models


#===----------------------------------------------------------------------===#
# Table
#===----------------------------------------------------------------------===#

def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=float, default=3, help="for symbolic against static")
    parser.add_argument("--no-times", action="store_true",
                        help="no failure for times that are beyond their bound")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=SIZES")
    parser.add_argument("--value", action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    parser.add_argument("--generate", metavar="FOLDER", help="make models there and measure them")
    parser.add_argument("--process", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("models", nargs="*")
    return parser.parse_args()


TIMES = ["open", "symbolic"]  # that noise on the machine may spoil
COLUMNS = ["arena", "rss", "open", "compiler", "symbolic", "same"]


def main():
    arguments = parse_arguments()
    if arguments.process:
        measure_process(arguments.build, *arguments.process)
        return 0
    library = Library(os.path.join(arguments.build, "lib", "libdsc_runtime.so"))
    library.functions.dsc_model_output_count.restype = ctypes.c_size_t
    models = arguments.models + (generate(arguments.generate) if arguments.generate else [])
    print("| model | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (len(COLUMNS) + 1), flush=True)
    rows, failed = {}, False
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            bounds = check_model(arguments, library, model, folder)
        rows[os.path.basename(model)] = {bound.name: bound.value for bound in bounds}
        texts = {bound.name: bound.text + ("" if bound.holds else " (!)") for bound in bounds}
        print(f"| {os.path.basename(model)} | " + " | ".join(texts.get(c, "") for c in COLUMNS) + " |",
              flush=True)
        failed |= not all(bound.holds or (arguments.no_times and bound.name in TIMES)
                          for bound in bounds)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
