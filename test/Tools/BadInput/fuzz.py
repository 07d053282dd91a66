"""Looks for models and artifacts that make dsc crash, hang or take all memory.

Not a test (it takes as long as it is given): what it finds becomes a row of a table.
Every finding is saved, with the command that repeats it.
"""

import argparse
import glob
import os
import random
import resource
import subprocess
import time

import numpy as np
import onnx
from harness import UNWANTED
from onnx import AttributeProto, TensorProto, numpy_helper

EXTREMES = (0, 1, -1, 2, 3, 7, 255, 65536, (1 << 31) - 1, 1 << 31, -(1 << 31), 1 << 40, 1 << 62, (1 << 63) - 1,
            -(1 << 63))
FLOATS = (0.0, -1.0, 1e30, -1e30, float("inf"), float("nan"), 0.5, 1e-30)
SECONDS, MEGABYTES = 10, 2000


def graphs(graph):
    """The graph and those nested in it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from graphs(attribute.g)


def extreme_tensor(tensor, chooser):
    """Other elements, of the same number."""
    try:
        array = numpy_helper.to_array(tensor).copy()
    except (ValueError, TypeError):
        return
    if array.size == 0 or array.size > 4096 or array.dtype.kind not in "iuf":
        return
    value = chooser.choice(FLOATS if array.dtype.kind == "f" else EXTREMES)
    with np.errstate(all="ignore"):
        array.flat[chooser.randrange(array.size)] = np.array(value).astype(array.dtype)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def names_in(graph):
    names = [value.name for value in graph.input] + [tensor.name for tensor in graph.initializer]
    return names + [output for node in graph.node for output in node.output if output]


class Mutator:
    def __init__(self, chooser, operators):
        self.chooser, self.operators = chooser, operators

    def mutate(self, model):
        graph = self.chooser.choice(list(graphs(model.graph)))
        actions = [self.change_nodes, self.change_inputs, self.change_attribute, self.change_attribute,
                   self.change_tensor, self.change_tensor, self.change_type, self.change_model, self.make_constant,
                   self.make_constant]
        self.chooser.choice(actions)(model, graph)

    def change_nodes(self, _, graph):
        if not graph.node:
            return
        at = self.chooser.randrange(len(graph.node))
        kind = self.chooser.randrange(5)
        if kind == 0:
            del graph.node[at]
        elif kind == 1:
            graph.node.add().CopyFrom(graph.node[at])
        elif kind == 2:
            graph.node[at].op_type = self.chooser.choice(self.operators)
        elif kind == 3:
            twin = graph.node.add()
            twin.CopyFrom(graph.node[at])
            del twin.output[:]
            twin.output.append(f"fuzzed{len(graph.node)}")
        else:
            other = self.chooser.randrange(len(graph.node))
            saved = onnx.NodeProto()
            saved.CopyFrom(graph.node[at])
            graph.node[at].CopyFrom(graph.node[other])
            graph.node[other].CopyFrom(saved)

    def change_inputs(self, _, graph):
        if not graph.node:
            return
        node = self.chooser.choice(graph.node)
        names = names_in(graph) + [""]
        if node.input and self.chooser.random() < 0.6:
            node.input[self.chooser.randrange(len(node.input))] = self.chooser.choice(names)
        elif node.input and self.chooser.random() < 0.5:
            del node.input[self.chooser.randrange(len(node.input))]
        else:
            node.input.append(self.chooser.choice(names))

    def change_attribute(self, _, graph):
        nodes = [node for node in graph.node if node.attribute]
        if not nodes:
            return
        node = self.chooser.choice(nodes)
        attribute = self.chooser.choice(node.attribute)
        kind = self.chooser.randrange(8)
        if kind == 0:
            node.attribute.remove(attribute)
        elif kind == 1:
            attribute.name = self.chooser.choice(("axis", "axes", "perm", "to", "k"))
        elif kind == 2:
            attribute.type = self.chooser.choice((1, 2, 3, 4, 5, 6, 7, 8))
        elif attribute.type == AttributeProto.INT:
            attribute.i = self.chooser.choice(EXTREMES)
        elif attribute.type == AttributeProto.INTS and attribute.ints:
            at = self.chooser.randrange(len(attribute.ints))
            if kind == 3:
                del attribute.ints[at]
            elif kind == 4:
                attribute.ints.append(self.chooser.choice(EXTREMES))
            else:
                attribute.ints[at] = self.chooser.choice(EXTREMES)
        elif attribute.type == AttributeProto.FLOAT:
            attribute.f = self.chooser.choice(FLOATS)
        elif attribute.type == AttributeProto.STRING:
            attribute.s = self.chooser.choice((b"", b"x", b"\xff\xfe", attribute.s * 2, attribute.s[:-1], b"linear"))
        elif attribute.type == AttributeProto.TENSOR:
            extreme_tensor(attribute.t, self.chooser)

    def change_tensor(self, _, graph):
        if not graph.initializer:
            return
        tensor = self.chooser.choice(graph.initializer)
        kind = self.chooser.randrange(4)
        if kind == 0 and tensor.dims:
            tensor.dims[self.chooser.randrange(len(tensor.dims))] = self.chooser.choice(EXTREMES)
        elif kind == 1:
            tensor.data_type = self.chooser.randrange(0, 28)
        else:
            extreme_tensor(tensor, self.chooser)

    def change_type(self, _, graph):
        values = [*graph.input, *graph.output, *graph.value_info]
        if not values:
            return
        tensor = self.chooser.choice(values).type.tensor_type
        kind = self.chooser.randrange(6)
        if kind == 0:
            tensor.elem_type = self.chooser.choice((1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13, 16, 8, 14, 99))
        elif kind == 1:
            tensor.ClearField("shape")
        elif tensor.shape.dim:
            dim = self.chooser.choice(tensor.shape.dim)
            if kind == 2:
                dim.dim_param = self.chooser.choice(("N", "M", "?", "N*2", ""))
            elif kind == 3:
                tensor.shape.dim.remove(dim)
            else:
                dim.dim_value = self.chooser.choice(EXTREMES)
        else:
            tensor.shape.dim.add().dim_value = self.chooser.choice(EXTREMES)

    def change_model(self, model, graph):
        kind = self.chooser.randrange(4)
        if kind == 0 and model.opset_import:
            model.opset_import[0].version = self.chooser.randrange(1, 30)
        elif kind == 1 and graph.output:
            del graph.output[self.chooser.randrange(len(graph.output))]
        elif kind == 2 and graph.output:
            self.chooser.choice(graph.output).name = self.chooser.choice(names_in(graph) or ["x"])
        else:
            model.ir_version = self.chooser.randrange(1, 14)

    def make_constant(self, _, graph):
        """An input becomes an initializer, of extreme numbers if it holds integers."""
        inputs = [value for value in graph.input if value.type.HasField("tensor_type")]
        if not inputs:
            return
        value = self.chooser.choice(inputs)
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if not all(0 <= dim < 100 for dim in dims) or np.prod(dims, dtype=np.int64) > 10000:
            return
        try:
            dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            array = np.ones(dims, dtype)
        except (KeyError, TypeError, ValueError):
            return
        if array.dtype.kind in "iu" and array.size:
            with np.errstate(all="ignore"):
                few = [self.chooser.choice(EXTREMES[:7] if self.chooser.random() < 0.7 else EXTREMES) for _ in range(8)]
                array.flat = [np.array(self.chooser.choice(few)).astype(dtype) for _ in range(array.size)]
        try:
            graph.initializer.append(numpy_helper.from_array(array, value.name))
        except (TypeError, ValueError):
            return
        graph.input.remove(value)


def flip(data, chooser):
    data = bytearray(data)
    for _ in range(chooser.choice((1, 1, 2, 8, 40))):
        kind, at = chooser.randrange(5), chooser.randrange(len(data))
        if kind == 0:
            data[at] ^= 1 << chooser.randrange(8)
        elif kind == 1:
            data[at] = chooser.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            data[at:at + 8] = chooser.choice(EXTREMES).to_bytes(8, "little", signed=True)[:len(data) - at]
        elif kind == 3:
            del data[at:at + chooser.randrange(1, 9)]
        else:
            data[at:at] = chooser.randbytes(chooser.randrange(1, 9))
        if len(data) < 2:
            break
    return bytes(data)


def run(command):
    """Exit code, stderr, seconds, megabytes; the code is 124 when time is up."""
    start = time.monotonic()
    process = subprocess.Popen(["timeout", "-s", "KILL", str(SECONDS), *command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30)))
    text = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), text, time.monotonic() - start, usage.ru_maxrss / 1024


def fault(code, text, seconds, megabytes):
    if code not in (0, 1, 2, 3, 4, 5, 6):
        return f"exit code {code}"
    if megabytes > MEGABYTES:
        return f"{megabytes:.0f} MB"
    if UNWANTED.search(text) or (code and "error[DSC" not in text):
        return "message"
    return "slow" if seconds > SECONDS * 0.8 else ""


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("kind", choices=("models", "bytes", "artifacts"))
    arguments.add_argument("seeds", help="a glob of files to start from")
    arguments.add_argument("--minutes", type=float, default=5)
    arguments.add_argument("--random", type=int, default=0)
    arguments.add_argument("--findings", default="findings")
    arguments.add_argument("--max-bytes", type=int, default=4_000_000)
    options = arguments.parse_args()
    files = sorted(path for path in glob.glob(options.seeds, recursive=True)
                   if os.path.getsize(path) <= options.max_bytes)
    os.makedirs(options.findings, exist_ok=True)
    operators = sorted({schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain})
    end, number, found, codes = time.monotonic() + options.minutes * 60, options.random, set(), {}
    while time.monotonic() < end:
        number += 1
        chooser = random.Random(number)
        path = chooser.choice(files)
        ending = "dsc" if options.kind == "artifacts" else "onnx"
        target = os.path.join(options.findings, f"{number}.{ending}")
        if options.kind == "models":
            model = onnx.load(path, load_external_data=False)
            mutator = Mutator(chooser, operators)
            for _ in range(chooser.choice((1, 1, 2, 3))):
                try:
                    mutator.mutate(model)
                except (ValueError, TypeError, OverflowError, NotImplementedError):
                    pass  # a number that the field cannot hold
            data = model.SerializeToString()
        else:
            with open(path, "rb") as file:
                data = flip(file.read(), chooser)
        with open(target, "wb") as file:
            file.write(data)
        command = ["dsc", "run", target, "--random", "1", "--threads", "1"]
        code, text, seconds, megabytes = run(command)
        codes[code] = codes.get(code, 0) + 1
        what = fault(code, text, seconds, megabytes)
        if not what:
            os.remove(target)
            continue
        lines = [line for line in text.splitlines() if line.startswith("error")]
        key = (what.split()[-1], path, lines[0][:100] if lines else "")
        if key in found:
            os.remove(target)
            continue
        found.add(key)
        print(f"{what}: {' '.join(command)}\n  from {path}\n  {lines[0] if lines else text[:300]}", flush=True)
    print(f"{sum(codes.values())} runs, exit codes {dict(sorted(codes.items()))}, {len(found)} findings")


if __name__ == "__main__":
    main()
