"""Models that parse, but mean nothing."""

import numpy as np
import onnx
from harness import Row, model, onnx_file, run_table, weights
from onnx import TensorProto, helper

COMPILE = "dsc compile m.onnx -o m.dsc"
FUNCTIONS = 'ir_version: 10, opset_import: ["": 21, "f": 1]'


def refused(name, graph, *says, change=None, **options):
    """A model that `dsc compile` refuses with exit code 3."""
    return Row(name, {"m.onnx": onnx_file(graph, change, **options)}, COMPILE, 3, says)


def wrong_node(node, *says, inputs="float[N, 4, H, W] x"):
    """A node that breaks its operator's rules: named, with its number."""
    graph = f"g ({inputs}) => (float[] y) {{ y = {node} }}"
    return refused(node, graph, *says, "m.onnx: node 0 'n0'")


def function(name, body, inputs="a", outputs="b"):
    return f'<domain: "f", opset_import: ["": 21, "f": 1]> {name} ({inputs}) => ({outputs}) {{ {body} }}\n'


def calls(name, functions, *says):
    return refused(name, "g (float[N] x) => (float[N] y) { y = f.F0(x) }", *says,
                   header=FUNCTIONS, functions=functions)


def protobuf_field(number, payload):
    """A length-delimited field, as bytes."""
    def varint(value):
        head = b""
        while value >= 128:
            head, value = head + bytes([value & 127 | 128]), value >> 7
        return head + bytes([value])
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def nested_ifs(depth):
    """If in If in If ..., which protobuf itself would not write."""
    graph = b""
    for _ in range(depth):
        attribute = protobuf_field(1, b"then_branch") + protobuf_field(6, graph)
        graph = protobuf_field(1, protobuf_field(1, b"c") + protobuf_field(2, b"y") +
                               protobuf_field(4, b"If") + protobuf_field(5, attribute))
    return b"\x08\x0a" + protobuf_field(7, graph)


def nested_types(depth):
    kind = b""
    for _ in range(depth):
        kind = protobuf_field(4, protobuf_field(1, kind))
    value = protobuf_field(1, b"x") + protobuf_field(2, kind)
    return b"\x08\x0a" + protobuf_field(7, protobuf_field(11, value))


def working_ifs(depth):
    """As deep, but a right model."""
    def branch(level, name):
        if level == 0:
            nodes = [helper.make_node("Relu", ["x"], [f"{name}y"])]
        else:
            nodes = [helper.make_node("If", ["c"], [f"{name}y"], f"if{level}",
                                      then_branch=branch(level - 1, name + "t"),
                                      else_branch=branch(0, name + "e"))]
        return helper.make_graph(nodes, f"{name}g", [],
                                 [helper.make_tensor_value_info(f"{name}y", TensorProto.FLOAT, [2])])
    graph = branch(depth, "m")
    for name, kind, shape in (("c", TensorProto.BOOL, []), ("x", TensorProto.FLOAT, [2])):
        graph.input.append(helper.make_tensor_value_info(name, kind, shape))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                             ir_version=10).SerializeToString()


def rename_results(*names):
    def change(proto):
        for node, name in zip(proto.graph.node, names):
            node.output[0] = name
    return change


def set_tensor(dims, data_type=TensorProto.FLOAT, raw=None, floats=None):
    """Replaces the initializer 'w' by one that lies."""
    def change(proto):
        tensor = onnx.TensorProto(name="w", dims=dims, data_type=data_type)
        if raw is not None:
            tensor.raw_data = raw
        tensor.float_data.extend(floats or [])
        proto.graph.initializer.append(tensor)
    return change


def lying_tensor(name, *says, **tensor):
    return refused("tensor: " + name, "g (float[N, 3] x) => (float[N, 3] y) { y = Add(x, w) }", *says,
                   change=set_tensor(**tensor))


RELU = "g (float[2] x) => (float[2] y) { y = Relu(x) }"
DOUBLING = "".join(function(f"F{i}", f"t = f.F{i + 1}(a) b = f.F{i + 1}(t)") for i in range(40))
CHAIN = "".join(function(f"F{i}", f"b = f.F{i + 1}(a)") for i in range(3000))
LAST = "b = Relu(a)"

ROWS = [
    # What the model asks for.
    refused("unknown operators, all at once",
            "g (float[2] x) => (float[2] y) { a = NoSuchOp(x) b = Relu(a) y = NeitherThis(b) }",
            r"error\[DSC\d+\]: operator 'NoSuchOp' does not exist in version 21 of 'ai.onnx'",
            "--> m.onnx: node 0 'n0' .opset 21.", "'NeitherThis'", "node 2 'n2'"),
    refused("unknown domain", "g (float[2] x) => (float[2] y) { y = com.acme.Magic(x) }",
            "operator 'Magic' belongs to the unknown domain 'com.acme'", "node 0 'n0'", "help: ",
            header='ir_version: 10, opset_import: ["": 21, "com.acme": 1]'),
    refused("operators, domains and versions, all at once",
            "g (float[2] x) => (float[2] y) { a = com.acme.Magic(x) y = NoSuchOp(a) }",
            "version 99 of 'ai.onnx'", "versions 7 to", "Magic", "NoSuchOp",
            header='ir_version: 10, opset_import: ["": 99, "com.acme": 1]'),
    refused("opset of the future", RELU, "version 1000 of 'ai.onnx'", "help: versions 7 to",
            header='ir_version: 10, opset_import: ["": 1000]'),
    refused("opset too old", "g (float[2] x) => (float[2] y) { y = Dropout(x) }",
            "version 1 of 'ai.onnx'", header='ir_version: 10, opset_import: ["": 1]'),
    refused("negative opset", RELU, "version -5", header='ir_version: 10, opset_import: ["": -5]'),
    refused("no opset", RELU, "imports no operator set",
            change=lambda proto: proto.ClearField("opset_import")),
    refused("two opsets", RELU, "in versions 21 and 20",
            change=lambda proto: proto.opset_import.add(domain="ai.onnx", version=20)),
    refused("IR version of the future", RELU, "IR version 999; supported are 3 to",
            change=lambda proto: setattr(proto, "ir_version", 999)),
    refused("negative IR version", RELU, "IR version -1",
            change=lambda proto: setattr(proto, "ir_version", -1)),
    refused("operator of a later version",
            "g (float[2] x) => (float[2] y) { y = Gelu(x) }", "'Gelu' does not exist in version 17",
            "node 0 'n0'", "help: .*version 20", header='ir_version: 8, opset_import: ["": 17]'),

    # Names and order.
    refused("undefined value", "g (float[2] x) => (float[2] y) { y = Add(x, nowhere) }",
            "Add uses the undefined value 'nowhere'", "node 0 'n0'"),
    refused("cycle", "g (float[2] x) => (float[2] y) { a = Add(x, b) b = Relu(a) y = Relu(b) }",
            "cycle.*'b'", "node 0 'n0'"),
    refused("cycle of one", "g (float[2] x) => (float[2] y) { y = Add(x, y) }", "cycle.*'y'"),
    refused("not sorted", "g (float[2] x) => (float[2] y) { y = Relu(a) a = Relu(x) }",
            "Relu uses 'a' before node 1 defines it", "node 0 'n0'", "help: sort"),
    refused("a result twice", "g (float[2] x) => (float[2] y) { a = Relu(x) a = Abs(x) y = Add(a, a) }",
            "'a' has a name that is in use", "node 1 'n1'"),
    refused("a result named as the input", RELU, "'x' has a name that is in use",
            change=rename_results("x")),
    refused("an input twice", "g (float[2] x, float[2] x) => (float[2] y) { y = Relu(x) }",
            "input 'x' has a name"),
    refused("an output twice", "g (float[2] x) => (float[2] y, float[2] y) { y = Relu(x) }",
            "output 'y' of the graph exists twice"),
    refused("an initializer twice", "g (float[2] x) => (float[2] y) { y = Add(x, w) }",
            "'w' .*exists twice",
            change=lambda p: (weights(p, w=np.ones(2, "f")), weights(p, w=np.ones(2, "f")))),
    refused("output that nobody computes", "g (float[2] x) => (float[2] z) { y = Relu(x) }",
            "output 'z' of the graph is never defined"),
    refused("no outputs", "g (float[2] x) => () { y = Relu(x) }", "no outputs"),
    refused("a name of control characters", RELU, r"'\\x1b\[31mred'",
            change=lambda p: p.graph.node[0].input.__setitem__(0, "\x1b[31mred")),
    refused("a name of a million letters", RELU, r"'a{200}\.\.\.'",
            change=lambda p: p.graph.node[0].input.__setitem__(0, "a" * 1_000_000)),

    # Nodes.
    wrong_node("Relu()", "Relu: .*input"),
    wrong_node("Relu(x, x, x)", "Relu: .*input"),
    wrong_node("Relu<alpha = 3>(x)", "alpha"),
    wrong_node('Softmax<axis = "one">(x)', "axis"),
    wrong_node("Softmax<axis = 1.5>(x)", "axis"),
    wrong_node("Softmax<axis = 99>(x)", "axis.*99"),
    wrong_node("Softmax<axis = -9223372036854775807>(x)", "axis"),
    wrong_node("Concat(x, x)", "axis"),
    wrong_node("Concat<axis = 4>(x, x)", "axis"),
    wrong_node("Transpose<perm = [0, 0, 1, 2]>(x)", "perm"),
    wrong_node("Transpose<perm = [4611686018427387904, -1, 0, 1]>(x)", "perm"),
    wrong_node("Transpose<perm = [0, 1]>(x)", "perm|rank"),
    wrong_node("Cast<to = 99>(x)", "99"),
    wrong_node("Cast<to = -1>(x)", "-1"),
    wrong_node('Einsum<equation = "...,,->">(x)', "[Ee]quation"),
    wrong_node('Einsum<equation = "abcd->z">(x)', "[Ee]quation|'z'"),
    wrong_node('Einsum<equation = "">(x)', "term ''"),
    wrong_node("DepthToSpace<blocksize = 0>(x)", "[Bb]locksize"),
    wrong_node("DepthToSpace<blocksize = -2>(x)", "[Bb]locksize"),
    wrong_node("DepthToSpace<blocksize = 4611686018427387904>(x)", "overflow"),
    wrong_node("LRN<size = -1>(x)", "size"),
    wrong_node("MaxPool<kernel_shape = [0, 3]>(x)", "kernel"),
    wrong_node("MaxPool<kernel_shape = [3]>(x)", "kernel"),
    wrong_node("MaxPool<kernel_shape = [3, 3], strides = [0, 1]>(x)", "stride"),
    wrong_node("MaxPool<kernel_shape = [3, 3], dilations = [-1, 1]>(x)", "dilation"),
    wrong_node("MaxPool<kernel_shape = [3, 3], pads = [1]>(x)", "pads"),
    wrong_node("AveragePool<kernel_shape = [-3, 3]>(x)", "kernel"),
    wrong_node("Split<num_outputs = 0>(x)", "num_outputs"),
    wrong_node("Flatten<axis = 9>(x)", "axis"),
    wrong_node("Squeeze(x, x)", "axes|type"),
    wrong_node("ArgMax<axis = 4>(x)", "axis"),
    wrong_node("LpNormalization<p = 7>(x)", "p"),
    wrong_node('Resize<mode = "magic">(x)', "Resize"),
    wrong_node("GroupNormalization<num_groups = 0>(x, b, b)", "num_groups",
               inputs="float[N, 4, H, W] x, float[4] b"),
    wrong_node("Conv<group = 0>(x, w)", "group", inputs="float[N, 4, H, W] x, float[8, 4, 3, 3] w"),
    wrong_node("Conv<group = 3>(x, w)", "group|channels", inputs="float[N, 4, H, W] x, float[8, 4, 3, 3] w"),
    wrong_node("LSTM<hidden_size = -4>(x, w, w)", "hidden_size",
               inputs="float[S, B, 3] x, float[1, 16, 3] w"),
    wrong_node("LSTM<hidden_size = 4611686018427387904>(x, w, w)", "hidden_size|LSTM",
               inputs="float[S, B, 3] x, float[1, 16, 3] w"),

    # Shapes and types that do not fit.
    refused("Add of other sizes", "g (float[2, 3] x, float[4, 5] z) => (float[2, 3] y) { y = Add(x, z) }",
            "3.*5|2.*4", "node 0 'n0'", r"f32\[2,3\]", r"f32\[4,5\]"),
    refused("MatMul of other depths", "g (float[2, 3] x, float[4, 5] z) => (float[2, 5] y) { y = MatMul(x, z) }",
            "3.*4", "node 0 'n0'"),
    refused("Concat of other sizes",
            "g (float[1, 2, 63] x, float[1, 2, 64] z) => (float[1, 4, 63] y) { y = Concat<axis = 1>(x, z) }",
            "63.*64", "node 0 'n0'"),
    refused("Conv of other channels",
            "g (float[1, 5, 8, 8] x, float[8, 4, 3, 3] w) => (float[] y) { y = Conv(x, w) }",
            "5.*4|4.*5", "node 0 'n0'"),
    refused("types that differ", "g (float[2] x, int64[2] z) => (float[2] y) { y = Add(x, z) }",
            "n0"),
    refused("float types that differ",
            "g (float[2, 3] x, float16[3, 5] z) => (float[2, 5] y) { y = MatMul(x, z) }", "n0"),
    refused("a type that the operator lacks", "g (string[2] x) => (string[2] y) { y = Relu(x) }", "n0"),
    refused("another type than declared", "g (float[2] x) => (int64[2] y) { y = Relu(x) }", "'y'|n0"),
    refused("another shape than declared", "g (float[2, 3] x) => (float[3, 2] y) { y = Relu(x) }", "'y'|n0"),
    refused("another rank than declared", "g (float[2, 3] x) => (float[6] y) { y = Relu(x) }", "'y'|n0"),
    refused("Reshape to another count",
            "g (float[2, 3] x) => (float[7] y) { s = Constant<value_ints = [7]>() y = Reshape(x, s) }",
            "7", "node 1 'n1'"),
    refused("Reshape with two unknowns",
            "g (float[2, 3] x) => (float[?, ?] y) { s = Constant<value_ints = [-1, -1]>() y = Reshape(x, s) }",
            "-1", "node 1 'n1'"),
    refused("Reshape to -7",
            "g (float[2, 3] x) => (float[?, ?] y) { s = Constant<value_ints = [-7, 6]>() y = Reshape(x, s) }",
            "-7", "node 1 'n1'"),
    refused("Gather of a constant that is out of range",
            "g (float[5] x) => (float[1] y) { i = Constant<value_ints = [5]>() y = Gather(x, i) }",
            "5", "node 1 'n1'"),
    refused("input of no type", RELU, "input 'x' .*has no type",
            change=lambda p: p.graph.input[0].ClearField("type")),
    refused("input of an unknown type", RELU, "input 'x' .*unknown element type 99",
            change=lambda p: setattr(p.graph.input[0].type.tensor_type, "elem_type", 99)),
    refused("input of an unsupported type", "g (string[2] x) => (string[2] y) { y = Identity(x) }",
            "'x'.*string"),

    # Tensors that lie.
    lying_tensor("too few bytes", "'w'.*needs 12 bytes but has 11", dims=[3], raw=bytes(11)),
    lying_tensor("too many bytes", "'w'.*needs 12 bytes but has 13", dims=[3], raw=bytes(13)),
    lying_tensor("no bytes", "'w'", dims=[3]),
    lying_tensor("too few numbers", "'w'.*another number of elements", dims=[3], floats=[1]),
    lying_tensor("negative size", "'w' has negative dimensions", dims=[-3], raw=bytes(12)),
    lying_tensor("two negative sizes", "'w' has negative dimensions", dims=[-3, -1], raw=bytes(12)),
    lying_tensor("2^62", "'w'.*overflow|'w'.*needs", dims=[1 << 62], raw=bytes(12)),
    lying_tensor("2^40 x 2^40", "'w'.*64 bits", dims=[1 << 40, 1 << 40], raw=bytes(12)),
    lying_tensor("2^40 x 2^40 x 0", "'w'", dims=[1 << 40, 1 << 40, 0], raw=bytes(12)),
    lying_tensor("unknown type", "'w'.*unknown element type 77", dims=[3], data_type=77, raw=bytes(12)),
    lying_tensor("no type", "'w'.*type", dims=[3], data_type=0, raw=bytes(12)),
    lying_tensor("strings", "'w'|n0", dims=[3], data_type=TensorProto.STRING, raw=bytes(12)),
    lying_tensor("a million sizes", "'w'|n0", dims=[1] * 1_000_000, raw=bytes(4)),

    # Depth.
    *(Row(f"{depth} Ifs in each other", {"m.onnx": nested_ifs(depth)}, COMPILE, 3,
          ("nested more than",)) for depth in (100, 300, 1000, 10000)),
    *(Row(f"{depth} types in each other", {"m.onnx": nested_types(depth)}, COMPILE, 3,
          ("nested more than",)) for depth in (300, 10000)),
    *(Row(f"{depth} Ifs in each other that work", {"m.onnx": working_ifs(depth)}, COMPILE, {0, 3},
          leaves=("m.dsc",)) for depth in (5, 12, 25)),
    Row("ten thousand nodes",
        {"m.onnx": onnx_file("g (float[2] h0) => (float[2] h10000) {" + " ".join(
            f"h{i + 1} = Neg(h{i})" for i in range(10000)) + "}")},
        "dsc compile m.onnx -O0 -o m.dsc", 0, leaves=("m.dsc",), seconds=60),

    # Functions.
    calls("a function that calls itself", function("F0", "b = f.F0(a)"), "F0"),
    calls("functions that call each other", function("F0", "b = f.F1(a)") + function("F1", "b = f.F0(a)"),
          "F0|F1"),
    calls("a function that calls a missing one", function("F0", "b = f.F9(a)"), "F9"),
    calls("a function whose output nobody computes", function("F0", "c = Relu(a)"), "'b' of function 'F0'"),
    calls("a call with too many inputs", function("F0", "b = Relu(c)", inputs=""), "F0.*inputs"),
    calls("functions that double 40 times", DOUBLING + function("F40", LAST), "expand|nodes"),
    calls("3,000 functions deep", CHAIN + function("F3000", LAST), "depth exceeds limit"),
    calls("the same function twice", function("F0", LAST) * 2, "F0"),
    refused("a function without an attribute it needs",
            "g (float[N] x) => (float[N] y) { y = f.F0(x) }", "F0.*lacks the attribute 'alpha'",
            header=FUNCTIONS,
            functions='<domain: "f", opset_import: ["": 21]> F0 <alpha> (a) => (b) '
                      '{ k = Constant<value_float: float = @alpha>() b = Mul(a, k) }'),

    # Branches and loops.
    refused("If whose branches differ in type",
            """g (bool c, float[2] x, int64[2] i) => (float[2] y) { y = If(c)
               <then_branch = t () => (float[2] p) { p = Relu(x) },
                else_branch = e () => (int64[2] q) { q = Abs(i) }> }""", "node 0 'n0'"),
    refused("If whose branches differ in number",
            """g (bool c, float[2] x) => (float[2] y) { y = If(c)
               <then_branch = t () => (float[2] p) { p = Relu(x) },
                else_branch = e () => (float[2] q, float[2] r) { q = Abs(x) r = Neg(x) }> }""",
            "node 0 'n0'"),
    refused("If of a float", "g (float c, float[2] x) => (float[2] y) { y = If(c)"
            "<then_branch = t () => (float[2] p) { p = Relu(x) },"
            " else_branch = e () => (float[2] q) { q = Abs(x) }> }", "node 0 'n0'"),
    refused("If without a branch", "g (bool c, float[2] x) => (float[2] y) { y = If(c)"
            "<then_branch = t () => (float[2] p) { p = Relu(x) }> }", "else_branch", "n0"),
    refused("Loop whose body takes too little",
            """g (int64 n, bool c, float[2] x) => (float[2] y) { y = Loop(n, c, x)
               <body = b (int64 i, bool d) => (bool e, float[2] z)
                       { e = Identity(d) z = Relu(x) }> }""", "n0"),
    refused("Loop whose carried type changes",
            """g (int64 n, bool c, float[2] x) => (float[2] y) { y = Loop(n, c, x)
               <body = b (int64 i, bool d, float[2] v) => (bool e, int64[2] z)
                       { e = Identity(d) z = Cast<to = 7>(v) }> }""", "n0"),
    refused("a branch that uses what is not there",
            """g (bool c, float[2] x) => (float[2] y) { y = If(c)
               <then_branch = t () => (float[2] p) { p = Relu(later) },
                else_branch = e () => (float[2] q) { q = Abs(x) }> later = Neg(x) }""",
            "'later'", "then_branch"),
]

if __name__ == "__main__":
    run_table(ROWS)
