"""What the architectures are written with: a graph that grows by calls, and the registry."""

from dataclasses import dataclass, field
from typing import Callable

import numpy as np
import onnx
import onnx.version_converter
from onnx import TensorProto, helper, numpy_helper

ELEMENT = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float16): TensorProto.FLOAT16,
           np.dtype(np.int64): TensorProto.INT64, np.dtype(np.int32): TensorProto.INT32,
           np.dtype(np.bool_): TensorProto.BOOL, np.dtype(np.uint8): TensorProto.UINT8,
           np.dtype(np.int8): TensorProto.INT8}
FLOAT, FLOAT16, INT64, INT32, BOOL = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64,
                                      TensorProto.INT32, TensorProto.BOOL)
# The opset from which an operator takes its axes as an input.
AXES_AS_INPUT = {"Squeeze": 13, "Unsqueeze": 13, "ReduceSum": 13, "ReduceMean": 18,
                 "ReduceMax": 18, "ReduceMin": 18, "ReduceL2": 18, "ReduceProd": 18}


class Graph:
    """`g.Relu(x)` adds a node and returns its output's name; arrays and numbers among the
    inputs become initializers, `outputs=2` gives a list of names."""

    def __init__(self, opset=17, half=False, wide=1):
        self.opset, self.half, self.wide = opset, half, wide
        self.random = np.random.default_rng(7)
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.makers = {}
        self.number = 0
        self.dtype = np.float16 if half else np.float32

    # Names and values -----------------------------------------------------------

    def fresh(self, stem):
        self.number += 1
        return f"{stem}_{self.number}"

    def input(self, name, dims, make="normal", dtype=None):
        """`make`: "normal", "mask" (1 with some 0 at the end), an int n for integers below n,
        a float for this very value, or a function of (generator, shape)."""
        dtype = np.dtype(dtype or (np.int64 if isinstance(make, int) or make == "mask" else self.dtype))
        self.inputs.append(helper.make_tensor_value_info(name, ELEMENT[dtype], dims))
        self.makers[name] = (dims, make, dtype)
        return name

    def output(self, value, name, element=None, dims=None):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, element or ELEMENT[np.dtype(self.dtype)], dims))

    def const(self, value):
        """An initializer. Python floats take the model's type, ints are int64."""
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(self.dtype)
        name = self.fresh("const")
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return name

    def weight(self, *shape, scale=None, mean=0.0, dtype=None):
        """Normal random numbers, by default such that activations keep their size."""
        if scale is None:
            fan_in = int(np.prod(shape[1:])) if len(shape) > 2 else shape[0]
            scale = 1.3 / np.sqrt(fan_in)
        values = self.random.standard_normal(shape) * scale + mean
        return self.const(values.astype(dtype or self.dtype))

    # Nodes ----------------------------------------------------------------------

    def __getattr__(self, op):
        if not op[0].isupper():
            raise AttributeError(op)
        return lambda *inputs, **attributes: self.node(op, *inputs, **attributes)

    def node(self, op, *inputs, outputs=1, axes=None, **attributes):
        inputs = [x if isinstance(x, str) else self.const(x) for x in inputs]
        if axes is not None:
            if self.opset >= AXES_AS_INPUT.get(op, 99):
                inputs.append(self.const(np.array(axes, np.int64)))
            else:
                attributes["axes"] = axes
        names = [self.fresh(op.lower()) for _ in range(outputs)]
        domain = attributes.pop("domain", None)
        node = helper.make_node(op, inputs, names, name=self.fresh("/" + op), domain=domain)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def dim(self, x, axis):
        """A size as a scalar, as TorchScript writes it."""
        return self.Gather(self.Shape(x), np.array(axis, np.int64), axis=0)

    def sizes(self, *parts):
        """A shape from scalars (names) and numbers: Unsqueeze each, Concat."""
        return self.Concat(*[self.Unsqueeze(p, axes=[0]) if isinstance(p, str) else [p] for p in parts], axis=0)

    def slice(self, x, axis, start, end, step=1):
        """x[start:end:step] along an axis; start and end are numbers or names of 1-D values."""
        if self.opset < 10:
            return self.Slice(x, starts=[start], ends=[end], axes=[axis])
        return self.Slice(x, *[v if isinstance(v, str) else [v] for v in (start, end)], [axis], [step])

    def split(self, x, sizes, axis):
        if self.opset >= 13:
            return self.Split(x, np.array(sizes, np.int64), axis=axis, outputs=len(sizes))
        return self.Split(x, split=sizes, axis=axis, outputs=len(sizes))

    def cast(self, x, to):
        return self.Cast(x, to=to)

    def upsample(self, x):
        """Twice the height and width, nearest."""
        scales = np.array([1, 1, 2, 2], np.float32)
        if self.opset < 10:
            return self.Upsample(x, scales, mode="nearest")
        region = "" if self.opset >= 13 else np.zeros(0, np.float32)
        return self.Resize(x, region, scales, mode="nearest", coordinate_transformation_mode="asymmetric",
                           nearest_mode="floor")

    # Layers that everybody has ------------------------------------------------------

    def conv(self, x, cin, cout, kernel=3, stride=1, groups=1, dilation=1, pads=None, bias=True):
        """Convolution with a square kernel (or given sizes), padded to keep the size."""
        kernel = [kernel] * 2 if isinstance(kernel, int) else list(kernel)
        rank = len(kernel)
        if pads is None:
            pads = [dilation * (k - 1) // 2 for k in kernel] * 2
        inputs = [x, self.weight(cout, cin // groups, *kernel)]
        if bias:
            inputs.append(self.weight(cout, scale=0.1))
        return self.Conv(*inputs, kernel_shape=kernel, strides=[stride] * rank, group=groups,
                         dilations=[dilation] * rank, pads=pads)

    def batch_norm(self, x, channels):
        return self.BatchNormalization(x, self.weight(channels, scale=0.1, mean=1), self.weight(channels, scale=0.1),
                                       self.weight(channels, scale=0.1),
                                       np.abs(self.random.standard_normal(channels)).astype(self.dtype) + self.dtype(0.5),
                                       epsilon=1e-5)

    def linear(self, x, cin, cout, bias=True):
        """MatMul and Add, as for inputs of rank 3."""
        y = self.MatMul(x, self.weight(cin, cout))
        return self.Add(self.weight(cout, scale=0.1), y) if bias else y

    def gemm(self, x, cin, cout):
        return self.Gemm(x, self.weight(cout, cin, scale=1 / np.sqrt(cin)), self.weight(cout, scale=0.1), transB=1)

    def silu(self, x):
        return self.Mul(x, self.Sigmoid(x))

    def gelu(self, x):
        """With erf, as torch.nn.GELU is exported below opset 20."""
        if self.opset >= 20:
            return self.Gelu(x)
        y = self.Add(self.Erf(self.Div(x, 1.4142135381698608)), 1.0)
        return self.Mul(self.Mul(x, y), 0.5)

    def gelu_tanh(self, x):
        """GPT-2's NewGELU."""
        cube = self.Pow(x, 3.0)
        inner = self.Mul(self.Add(x, self.Mul(cube, 0.044715)), 0.7978845608)
        return self.Mul(self.Mul(x, 0.5), self.Add(self.Tanh(inner), 1.0))

    def hard_swish(self, x):
        if self.opset >= 14:
            return self.HardSwish(x)
        return self.Div(self.Mul(x, self.Clip(self.Add(x, 3.0), 0.0, 6.0)), 6.0)

    def layer_norm(self, x, channels, epsilon=1e-5):
        scale, bias = self.weight(channels, scale=0.1, mean=1), self.weight(channels, scale=0.1)
        if self.opset >= 17:
            return self.LayerNormalization(x, scale, bias, axis=-1, epsilon=epsilon)
        centred = self.Sub(x, self.ReduceMean(x, axes=[-1]))
        variance = self.ReduceMean(self.Pow(centred, 2.0), axes=[-1])
        return self.Add(self.Mul(self.Div(centred, self.Sqrt(self.Add(variance, epsilon))), scale), bias)

    def group_norm(self, x, channels, groups, epsilon=1e-5):
        """Below opset 21: InstanceNormalization of a reshaped tensor, then scale and shift."""
        scale, bias = self.weight(channels, scale=0.1, mean=1), self.weight(channels, scale=0.1)
        if self.opset >= 21:
            return self.GroupNormalization(x, scale, bias, num_groups=groups, epsilon=epsilon)
        y = self.Reshape(x, [0, groups, -1])
        y = self.InstanceNormalization(y, np.ones(groups, self.dtype), np.zeros(groups, self.dtype), epsilon=epsilon)
        y = self.Reshape(y, self.Shape(x))
        return self.Add(self.Mul(y, self.Unsqueeze(scale, axes=[1, 2])), self.Unsqueeze(bias, axes=[1, 2]))

    def heads(self, x, heads, size):
        """[B, S, H * D] -> [B, H, S, D] with the sizes read from x, as TorchScript does."""
        shape = self.sizes(self.dim(x, 0), self.dim(x, 1), heads, size)
        return self.Transpose(self.Reshape(x, shape), perm=[0, 2, 1, 3])

    def merge_heads(self, x, width):
        y = self.Transpose(x, perm=[0, 2, 1, 3])
        return self.Reshape(y, self.sizes(self.dim(y, 0), self.dim(y, 1), width))

    def attend(self, q, k, v, size, mask=None):
        """softmax(q k' / sqrt(size) + mask) v of [B, H, S, D]."""
        scores = self.Div(self.MatMul(q, self.Transpose(k, perm=[0, 1, 3, 2])), float(np.sqrt(size)))
        if mask is not None:
            scores = self.Add(scores, mask)
        return self.MatMul(self.Softmax(scores, axis=-1 if self.opset >= 13 else 3), v)

    def self_attention(self, x, width, heads, context=None, context_width=None, mask=None):
        context, context_width = context or x, context_width or width
        size = width // heads
        q = self.heads(self.linear(x, width, width), heads, size)
        k = self.heads(self.linear(context, context_width, width), heads, size)
        v = self.heads(self.linear(context, context_width, width), heads, size)
        return self.linear(self.merge_heads(self.attend(q, k, v, size, mask), width), width, width)

    # The model ------------------------------------------------------------------

    def subgraph(self, name, inputs, outputs):
        """This graph as the body of a control-flow operator."""
        return helper.make_graph(self.nodes, name, inputs, outputs, self.initializers)

    def model(self, name):
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.initializers)
        imports = [helper.make_opsetid("", self.opset)]
        model = helper.make_model(graph, opset_imports=imports, producer_name="architectures")
        model.ir_version = 8 if self.opset <= 18 else 10
        # Outputs have shapes, as exporters write them, with whatever is known of the sizes.
        newest = onnx.version_converter.convert_version(model, 23) if self.opset < 18 else model
        known = {o.name: o for o in onnx.shape_inference.infer_shapes(newest, data_prop=True).graph.output}
        for output in model.graph.output:
            output.CopyFrom(known[output.name])
        if all(o.type.tensor_type.HasField("shape") for o in model.graph.output):
            onnx.checker.check_model(model)
        return model

    def make_inputs(self, sizes, seed=0):
        """Random inputs for the given sizes of symbols."""
        generator = np.random.default_rng(seed)
        arrays = {}
        for name, (dims, make, dtype) in self.makers.items():
            shape = [sizes[d] if isinstance(d, str) else d for d in dims]
            arrays[name] = np.asarray(make_values(generator, shape, make)).astype(dtype)
        return arrays


def make_values(generator, shape, make):
    if callable(make):
        return make(generator, shape)
    if isinstance(make, int):
        return generator.integers(0, make, shape)
    if isinstance(make, float):
        return np.full(shape, make)
    if make == "mask":
        mask = np.ones(shape, np.int64)
        mask[-1, max(1, shape[-1] * 2 // 3):] = 0
        return mask
    return generator.standard_normal(shape)


# The registry --------------------------------------------------------------------


@dataclass
class Architecture:
    name: str
    build: Callable
    sizes: list  # of symbols, one dict for each run of the conformance test
    timed: dict  # the sizes for timing
    options: dict = field(default_factory=dict)
    tolerance: float = 1e-3

    def graph(self, wide=1):
        """`wide` multiplies channels and depths: 1 for tests, 4 for timing."""
        g = Graph(wide=wide, **self.options)
        self.build(g)
        return g


REGISTRY = {}


def architecture(sizes, timed, variants=({},), tolerance=None):
    """Registers a function that fills a Graph. The first variant has the function's name,
    the others have the differing options behind it: gpt2, gpt2-opset11, bert-half."""
    def register(build):
        for number, options in enumerate(variants):
            parts = [build.__name__] + ([f"opset{options['opset']}"] if number and "opset" in options else []) + \
                    (["half"] if options.get("half") else [])
            name = "-".join(parts)
            allowed = tolerance or (1e-2 if options.get("half") else 1e-3)
            REGISTRY[name] = Architecture(name, build, sizes, timed, options, allowed)
        return build
    return register


def all_architectures():
    return dict(REGISTRY)
