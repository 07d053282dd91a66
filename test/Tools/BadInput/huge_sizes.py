"""Sizes that overflow, or that no machine holds: refused at once, never allocated."""

import numpy as np
from harness import Row, npy, onnx_file, run_table

COMPILE = "dsc compile m.onnx -o m.dsc"
RUN = "dsc run m.onnx --random 1"
BIG = (1 << 40, 1 << 62, (1 << 63) - 1)


def constant(name, *values):
    return f"{name} = Constant<value_ints = {list(values)}>()"


def at_compile_time(name, graph, *says, code=3, **options):
    """Known when compiling. (A symbolic size next to it may hide it until the run.)"""
    return Row(name, {"m.onnx": onnx_file(graph)}, COMPILE, code, says, seconds=10, megabytes=400, **options)


def at_run_time(name, graph, arguments, *says, code=6):
    """Compiles; a run does not find the memory, or sees that sizes overflow."""
    return Row(name, {"m.onnx": onnx_file(graph)}, f"dsc run m.onnx {arguments}", code, says,
               seconds=10, megabytes=400)


def filled(values, rest, declared="float[]"):
    """x is unused but for giving the model an input."""
    return f"g (float[2] x) => ({declared} y) {{ {constant('s', *values)} {rest} }}"


ROWS = [
    *(at_compile_time(f"an input of {size} numbers", f"g (float[{size}] x) => (float[] y) {{ y = Relu(x) }}",
                      "'x'") for size in BIG),
    at_compile_time("an input whose count overflows",
                    f"g (float[{1 << 40}, {1 << 40}] x) => (float[] y) {{ y = Relu(x) }}",
                    "'x'.*more elements than 64 bits"),
    Row("an input of a negative size",
        {"m.onnx": onnx_file("g (float[2] x) => (float[2] y) { y = Relu(x) }",
                             lambda p: setattr(p.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", -7))},
        COMPILE, 3, ("'x'.*negative",)),

    *(at_compile_time(f"{name} to {' x '.join(map(str, values))}", filled(values, rest), "n1|n2")
      for values in ((1 << 40,), (1 << 62,), (1 << 40, 1 << 40), (1 << 62, 4), (1 << 20, 1 << 24))
      for name, rest in (("ConstantOfShape", "y = ConstantOfShape(s)"),
                         ("ConstantOfShape and sum", "a = ConstantOfShape(s) y = ReduceSum(a)"),
                         ("Expand", "o = Constant<value_float = 1.0>() y = Expand(o, s)"),
                         ("Expand of the input", "z = ReduceSum<keepdims = 0>(x) y = Expand(z, s)"),
                         ("Expand and square", "z = ReduceSum<keepdims = 0>(x) e = Expand(z, s) y = Mul(e, e)"))),
    *(at_compile_time(f"Tile {count} times", filled((count,), "y = Tile(x, s)"), "n1|1 TiB|overflow")
      for count in BIG),
    at_compile_time("Tile a negative number of times", filled((-1,), "y = Tile(x, s)"), "n1"),
    *(at_compile_time(f"Pad by {count}", filled((0, count), "y = Pad(x, s)"), "n1|1 TiB|overflow")
      for count in BIG),
    at_compile_time("Pad by less than there is", filled((-9, -9), "y = Pad(x, s)"), "n1"),
    *(at_compile_time(f"Range to {count}",
                      f"g (float[2] x) => (int64[] y) <int64 a = {{0}}, int64 n = {{{count}}}, int64 d = {{1}}>"
                      "{ y = Range(a, n, d) }", "n0|1 TiB|overflow") for count in BIG),
    at_compile_time("Range by zero",
                    "g (float[2] x) => (int64[] y) <int64 a = {0}, int64 n = {9}, int64 d = {0}>"
                    "{ y = Range(a, n, d) }", "n0"),
    *(at_compile_time(f"OneHot of depth {depth}",
                      f"g (int64[2] x) => (float[] y) <int64 d = {{{depth}}}, float[2] v = {{0.0, 1.0}}>"
                      "{ y = OneHot(x, d, v) }", "n0|1 TiB|overflow") for depth in BIG),
    *(at_compile_time(f"EyeLike of {size}", f"g (float[{size}, {size}] x) => (float[] y) {{ y = EyeLike(x) }}",
                      "'x'|n0|1 TiB|overflow") for size in BIG),
    *(at_compile_time(f"Resize to {size}",
                      f"g (float[1, 1, 4, 4] x) => (float[] y) <int64[4] s = {{1, 1, {size}, {size}}}>"
                      "{ y = Resize(x, , , s) }", "n0|1 TiB|overflow") for size in BIG),
    at_compile_time("Resize by 1e30",
                    "g (float[1, 1, 4, 4] x) => (float[] y) <float[4] s = {1.0, 1.0, 1e30, 1e30}>"
                    "{ y = Resize(x, , s) }", "n0|1 TiB|overflow|negative"),
    at_compile_time("Resize by minus one",
                    "g (float[1, 1, 4, 4] x) => (float[] y) <float[4] s = {1.0, 1.0, -1.0, 1.0}>"
                    "{ y = Resize(x, , s) }", "n0"),
    at_compile_time("Upsampling until it is too large",
                    "g (float[1, 1, 64, 64] h0) => (float[] h12) <float[4] s = {1.0, 1.0, 64.0, 64.0}> {" +
                    " ".join(f"h{i + 1} = Resize(h{i}, , s)" for i in range(12)) + "}",
                    "n\\d|1 TiB|overflow"),
    at_compile_time("Concat of itself, 70 times",
                    "g (float[2] h0) => (float[] h70) {" +
                    " ".join(f"h{i + 1} = Concat<axis = 0>(h{i}, h{i})" for i in range(70)) + "}",
                    "n\\d|1 TiB|overflow"),
    at_compile_time("a product of 2^40 x 2^40",
                    f"g (float[{1 << 20}, 1] x) => (float[] y) {{ t = Transpose(x) y = MatMul(x, t) }}",
                    "1 TiB"),
    at_compile_time("Reshape to sizes that overflow", filled((1 << 62, 4, 0), "y = Reshape<allowzero = 1>(x, s)"),
                    "n1"),
    at_compile_time("Unsqueeze of rank 100",
                    "g (float[2] x) => (float[] y) { " + constant("s", *range(100)) + " y = Unsqueeze(x, s) }",
                    "n1|rank", code={0, 3}, leaves=("m.dsc",)),
    at_compile_time("AveragePool over 2^62",
                    "g (float[1, 1, 4, 4] x) => (float[] y) "
                    f"{{ y = AveragePool<kernel_shape = [{1 << 62}, 1]>(x) }}", "n0"),
    at_compile_time("Conv pads of 2^62",
                    "g (float[1, 1, 4, 4] x, float[1, 1, 3, 3] w) => (float[] y) "
                    f"{{ y = Conv<pads = [{1 << 62}, 0, {1 << 62}, 0]>(x, w) }}", "n0|memory"),
    at_compile_time("ConvTranspose strides of 2^62",
                    "g (float[1, 1, 4, 4] x, float[1, 1, 3, 3] w) => (float[] y) "
                    f"{{ y = ConvTranspose<strides = [{1 << 62}, 1]>(x, w) }}", "n0|memory"),
    at_compile_time("DepthToSpace that overflows",
                    "g (float[1, 4, 4, 4] x) => (float[] y) { y = DepthToSpace<blocksize = 4294967296>(x) }", "n0"),

    # Sizes of the run.
    at_run_time("a run of 2^40 numbers", "g (float[N] x) => (float[N] y) { y = Relu(x) }",
                "--random 1 --shape x=1099511627776", "memory"),
    at_run_time("a run of 2^62 numbers", "g (float[N] x) => (float[N] y) { y = Relu(x) }",
                "--random 1 --shape x=4611686018427387904", "x|overflow|memory", code={2, 6}),
    at_run_time("a run whose count overflows", "g (float[N, M] x) => (float[N, M] y) { y = Relu(x) }",
                "--random 1 --shape x=1099511627776x1099511627776", "x|overflow|memory", code={2, 6}),
    at_run_time("an outer product that no memory holds",
                "g (float[N, 1] x) => (float[N, N] y) { t = Transpose(x) y = MatMul(x, t) }",
                "--random 1 --shape x=2000000x1", "memory"),
    *(Row(f"{name} to {size}, given at run time",
          {"m.onnx": onnx_file(f"g (float[2] x, int64[1] s) => (float[] y) {{ {rest} }}"),
           "x.npy": npy(np.ones(2, "f")), "s.npy": npy(np.array([size]))},
          "dsc run m.onnx --input x.npy --input s.npy", {2, 6}, ("n\\d|memory|overflow|negative|size",),
          seconds=10, megabytes=400)
      for size in (*BIG, -1, -(1 << 63))
      for name, rest in (("ConstantOfShape", "y = ConstantOfShape(s)"), ("Tile", "y = Tile(x, s)"),
                         ("Expand", "z = ReduceSum<keepdims = 0>(x) y = Expand(z, s)"),
                         ("Reshape", "y = Reshape(x, s)")) if (name, size) != ("Reshape", -1)),
    *(Row(f"Range to {size}, given at run time",
          {"m.onnx": onnx_file("g (int64 n) => (int64[] y) <int64 a = {0}, int64 d = {1}> { y = Range(a, n, d) }"),
           "n.npy": npy(np.array(size))},
          "dsc run m.onnx --input n.npy", {2, 6}, ("memory|overflow|size",), seconds=10, megabytes=400)
      for size in BIG),
]

if __name__ == "__main__":
    run_table(ROWS)
