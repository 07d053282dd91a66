"""Recommenders, graphs, points: products of tables, scatters, reductions."""

import numpy as np

from .builder import architecture
from .language import LAST, scalar

BATCHES = [dict(batch=1), dict(batch=3), dict(batch=61)]


@architecture(BATCHES, dict(batch=128), [dict(opset=14), dict(opset=11)])
def dlrm(g):
    """Bags of embeddings, products of all pairs, the lower triangle gathered."""
    w, tables, bag = 16 * g.wide, 5, 4
    dense = g.input("dense", ["batch", 13])
    x = g.Relu(g.gemm(g.Relu(g.gemm(dense, 13, 4 * w)), 4 * w, w))
    vectors = [g.Unsqueeze(x, axes=[1])]
    for number in range(tables):
        ids = g.input(f"ids_{number}", ["batch", bag], make=97)
        rows = g.Gather(g.weight(97, w, scale=0.5), ids)
        vectors.append(g.ReduceSum(rows, axes=[1], keepdims=1))
    y = g.Concat(*vectors, axis=1)
    pairs = g.MatMul(y, g.Transpose(y, perm=[0, 2, 1]))
    n = tables + 1
    lower = np.array([i * n + j for i in range(n) for j in range(i)])
    pairs = g.Gather(g.Reshape(pairs, [-1, n * n]), lower, axis=1)
    z = g.Concat(x, pairs, axis=1)
    g.output(g.Sigmoid(g.gemm(g.Relu(g.gemm(z, w + len(lower), 4 * w)), 4 * w, 1)), "click")


@architecture(BATCHES, dict(batch=128))
def wide_and_deep(g):
    w = 8 * g.wide
    ids = g.input("ids", ["batch", 6], make=89)
    numbers = g.input("numbers", ["batch", 4])
    deep = g.Reshape(g.Gather(g.weight(89, w, scale=1.0), ids), [-1, 6 * w])
    x = g.Concat(deep, g.Div(g.Sub(numbers, g.weight(4)), g.Add(g.Abs(g.weight(4)), 0.5)), axis=1)
    cin = 6 * w + 4
    for cout in (64, 32):
        x = g.batch_norm(g.Elu(g.gemm(x, cin, cout)), cout)
        cin = cout
    hot = g.OneHot(g.slice(ids, 1, 0, 2), scalar(89), np.array([0, 1], np.float32), axis=-1)
    linear = g.MatMul(g.Reshape(hot, [-1, 178]), g.weight(178, 1))
    # The factorisation machine's half square of sums less sum of squares.
    rows = g.Gather(g.weight(89, w, scale=0.3), ids)
    square = g.Pow(g.ReduceSum(rows, axes=[1], keepdims=0), 2.0)
    squares = g.ReduceSum(g.Pow(rows, 2.0), axes=[1], keepdims=0)
    crossed = g.Mul(g.ReduceSum(g.Sub(square, squares), axes=[1], keepdims=1), 0.5)
    g.output(g.Sigmoid(g.Sum(g.gemm(x, cin, 1), linear, crossed)), "probability")


@architecture([dict(nodes=7, edges=12), dict(nodes=31, edges=97), dict(nodes=101, edges=53)], dict(nodes=1000, edges=5000),
              [dict(opset=18)])
def graph_network(g):
    """Messages are gathered along edges and summed up by ScatterElements and ScatterND."""
    w = 16 * g.wide
    x = g.input("nodes", ["nodes", 8])
    edges = g.input("edge_index", [2, "edges"], make=7)
    source, target = (g.Gather(edges, scalar(i), axis=0) for i in (0, 1))
    cin = 8
    for _ in range(2):
        y = g.MatMul(x, g.weight(cin, w))
        messages = g.Gather(y, source)
        index = g.Expand(g.Unsqueeze(target, axes=[1]), g.Shape(messages))
        zeros = g.ConstantOfShape(g.sizes(g.dim(x, 0), w))
        total = g.ScatterElements(zeros, index, messages, axis=0, reduction="add")
        ones = g.Add(g.ConstantOfShape(g.Shape(target)), 1.0)
        degree = g.ScatterND(g.ConstantOfShape(g.sizes(g.dim(x, 0))), g.Unsqueeze(target, axes=[1]), ones, reduction="add")
        x = g.Relu(g.Add(g.Div(total, g.Unsqueeze(g.Max(degree, 1.0), axes=[1])), g.weight(w)))
        cin = w
    g.output(g.LogSoftmax(g.gemm(x, w, 4), axis=-1), "classes")


@architecture([dict(batch=1, points=17), dict(batch=3, points=61), dict(batch=2, points=127)], dict(batch=1, points=1024))
def pointnet(g):
    w = 16 * g.wide
    points = g.input("points", ["batch", "points", 3])
    x = g.Transpose(points, perm=[0, 2, 1])

    def shared(x, cin, cout):
        return g.Relu(g.batch_norm(g.conv(x, cin, cout, [1], pads=[0, 0]), cout))

    y = g.ReduceMax(shared(shared(x, 3, w), w, 2 * w), axes=[2], keepdims=0)
    matrix = g.Reshape(g.Add(g.gemm(y, 2 * w, 9), np.eye(3, dtype=np.float32).reshape(1, 9)), [-1, 3, 3])
    x = g.Transpose(g.MatMul(points, matrix), perm=[0, 2, 1])
    local = shared(x, 3, w)
    best = g.ReduceMax(shared(local, w, 4 * w), axes=[2], keepdims=1)
    spread = g.Expand(best, g.sizes(g.dim(x, 0), 4 * w, g.dim(x, 2)))
    x = shared(g.Concat(local, spread, axis=1), 5 * w, w)
    x = g.Transpose(g.conv(x, w, 6, [1], pads=[0, 0]), perm=[0, 2, 1])
    g.output(g.Softmax(x, axis=-1), "parts")


@architecture([dict(rays=1), dict(rays=61), dict(rays=509)], dict(rays=4096))
def radiance_field(g):
    """Frequencies of positions, a skip, density and colour composed along each ray."""
    w, samples = 32 * g.wide, 16
    points = g.input("points", ["rays", samples, 3])
    encoded = [points]
    for power in range(4):
        angle = g.Mul(points, float(2 ** power))
        encoded += [g.Sin(angle), g.Cos(angle)]
    e = g.Concat(*encoded, axis=-1)
    x = g.Relu(g.linear(g.Relu(g.linear(e, 27, w)), w, w))
    x = g.Relu(g.linear(g.Concat(e, x, axis=-1), 27 + w, w))
    density, colour = g.Relu(g.linear(x, w, 1)), g.Sigmoid(g.linear(x, w, 3))
    alpha = g.Sub(1.0, g.Exp(g.Neg(g.Mul(g.Squeeze(density, axes=[-1]), 0.1))))
    # Exclusive product along the ray, by sums of logarithms.
    clear = g.Exp(g.CumSum(g.Log(g.Add(g.Sub(1.0, alpha), 1e-10)), scalar(1), exclusive=1))
    weights = g.Mul(alpha, clear)
    g.output(g.ReduceSum(g.Mul(g.Unsqueeze(weights, axes=[-1]), colour), axes=[1], keepdims=0), "rgb")
    g.output(g.Einsum(weights, colour, equation="rs,rsc->rc"), "rgb_by_einsum")


@architecture([dict(batch=1, sequence=7), dict(batch=3, sequence=17), dict(batch=2, sequence=61)], dict(batch=1, sequence=128))
def time_series(g):
    """Informer-like pieces: means taken off and put back, patches by strided Slices, Einsum heads."""
    w, heads = 16 * g.wide, 4
    x = g.input("series", ["batch", "sequence", 5])
    mean = g.ReduceMean(x, axes=[1], keepdims=1)
    centred = g.Sub(x, mean)
    spread = g.Sqrt(g.Add(g.ReduceMean(g.Mul(centred, centred), axes=[1], keepdims=1), 1e-5))
    y = g.linear(g.Div(centred, spread), 5, w)
    size = w // heads
    q, k, v = (g.Reshape(g.linear(y, w, w), [0, 0, heads, size]) for _ in range(3))
    scores = g.Einsum(q, k, equation="blhe,bshe->bhls")
    weights = g.Softmax(g.Mul(scores, float(size ** -0.5)), axis=-1)
    z = g.Reshape(g.Einsum(weights, v, equation="bhls,bshd->blhd"), [0, 0, -1])
    y = g.layer_norm(g.Add(y, g.linear(z, w, w)), w)
    even = g.slice(y, 1, 0, LAST, 2)
    pooled = g.ReduceMax(even, axes=[1], keepdims=1)
    g.output(g.Add(g.Mul(g.linear(g.Add(y, pooled), w, 5), spread), mean), "forecast")
