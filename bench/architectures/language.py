"""Networks for text: encoders, decoders with a cache, encoder-decoders."""

import numpy as np

from .builder import BOOL, FLOAT, FLOAT16, INT64, architecture

TEXT = [dict(batch=1, sequence=17), dict(batch=3, sequence=61), dict(batch=7, sequence=5)]
TIMED = dict(batch=1, sequence=128)
CACHED = [dict(batch=1, sequence=17, past=0, total=17), dict(batch=3, sequence=1, past=13, total=14),
          dict(batch=2, sequence=5, past=31, total=36)]
TIMED_CACHED = dict(batch=1, sequence=128, past=0, total=128)
VOCABULARY = 101
LAST = np.iinfo(np.int64).max


def scalar(value):
    return np.array(value, np.int64)


def float_type(g):
    return FLOAT16 if g.half else FLOAT


def embed(g, ids, table_rows, w):
    return g.Gather(g.weight(table_rows, w, scale=1.0), ids)


def lowest(g):
    return float(np.finfo(g.dtype).min)


def feed_forward(g, x, w, activation):
    return g.linear(activation(g.linear(x, w, 4 * w)), 4 * w, w)


def positions_of(g, ids):
    """position_ids[:, :sequence] of a buffer, as BERT exports it."""
    end = g.Unsqueeze(g.dim(ids, 1), axes=[0])
    return g.Slice(np.arange(512)[None], [0], end, [1], [1])


@architecture(TEXT, TIMED, [{}, dict(opset=11), dict(opset=21), dict(opset=17, half=True)])
def bert(g):
    w, heads = 32 * g.wide, 4
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    types = g.input("token_type_ids", ["batch", "sequence"], make=2)
    mask = g.input("attention_mask", ["batch", "sequence"], make="mask")
    bias = g.cast(g.Unsqueeze(g.Unsqueeze(mask, axes=[1]), axes=[2]), float_type(g))
    bias = g.Mul(g.Sub(1.0, bias), -10000.0 if g.half else lowest(g))
    x = g.Add(embed(g, ids, VOCABULARY, w), embed(g, types, 2, w))
    x = g.layer_norm(g.Add(x, g.Gather(g.weight(512, w, scale=1.0), positions_of(g, ids))), w, 1e-5)
    for _ in range(2):
        x = g.layer_norm(g.Add(g.self_attention(x, w, heads, mask=bias), x), w)
        x = g.layer_norm(g.Add(feed_forward(g, x, w, g.gelu), x), w)
    g.output(x, "last_hidden_state")
    g.output(g.Tanh(g.gemm(g.Gather(x, scalar(0), axis=1), w, w)), "pooler_output")


@architecture(TEXT, TIMED, [{}, dict(opset=12)])
def distilbert_embedding(g):
    """The mask by Equal, Expand and Where; mean pooling and L2 normalisation behind."""
    w, heads, size = 32 * g.wide, 4, 8 * g.wide
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    mask = g.input("attention_mask", ["batch", "sequence"], make="mask")
    x = g.layer_norm(g.Add(embed(g, ids, VOCABULARY, w), g.Gather(g.weight(512, w, scale=1.0), positions_of(g, ids))), w)
    for _ in range(2):
        q, k, v = (g.linear(x, w, w) for _ in range(3))
        batch = g.dim(q, 0)
        q, k, v = (g.Transpose(g.Reshape(p, g.sizes(batch, -1, heads, size)), perm=[0, 2, 1, 3]) for p in (q, k, v))
        scores = g.MatMul(g.Div(q, float(np.sqrt(size))), g.Transpose(k, perm=[0, 1, 3, 2]))
        hidden = g.Equal(mask, np.array(0, np.int64))
        hidden = g.Reshape(hidden, g.sizes(batch, 1, 1, g.dim(k, 2)))
        hidden = g.Expand(hidden, g.Shape(scores))
        scores = g.Where(g.cast(hidden, BOOL), lowest(g), scores)
        y = g.MatMul(g.Softmax(scores, axis=3), v)
        y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), g.sizes(batch, -1, w))
        x = g.layer_norm(g.Add(g.linear(y, w, w), x), w, 1e-12)
        x = g.layer_norm(g.Add(feed_forward(g, x, w, g.gelu), x), w, 1e-12)
    wide_mask = g.cast(g.Expand(g.Unsqueeze(mask, axes=[-1]), g.Shape(x)), FLOAT)
    total = g.ReduceSum(g.Mul(x, wide_mask), axes=[1], keepdims=0)
    count = g.ReduceSum(wide_mask, axes=[1], keepdims=0)
    mean = g.Div(total, g.Clip(count, 1e-9) if g.opset >= 11 else g.Clip(count, min=1e-9))
    norm = g.ReduceL2(mean, axes=[1], keepdims=1)
    g.output(g.Div(mean, g.Expand(g.Clip(norm, 1e-12), g.Shape(mean))), "sentence_embedding")


@architecture(CACHED, TIMED_CACHED, [dict(opset=13), dict(opset=17), dict(opset=17, half=True)])
def gpt2(g):
    """Prefill and decode with a cache. The triangle is a buffer that is sliced."""
    w, heads, layers = 32 * g.wide, 4, 2
    size = w // heads
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    mask = g.input("attention_mask", ["batch", "total"], make=lambda r, s: np.ones(s), dtype=np.int64)
    pasts = [g.input(f"past_key_values.{i}.{kind}", ["batch", heads, "past", size]) for i in range(layers) for kind in ("key", "value")]
    past = g.dim(pasts[0], 2)
    sequence = g.dim(ids, 1)
    positions = g.Range(past, g.Add(past, sequence), scalar(1))
    x = g.Add(embed(g, ids, VOCABULARY, w), g.Gather(g.weight(512, w, scale=1.0), g.Unsqueeze(positions, axes=[0])))
    bias = g.Unsqueeze(g.Unsqueeze(mask, axes=[1]), axes=[2])
    bias = g.Mul(g.Sub(1.0, g.cast(bias, float_type(g))), lowest(g))
    triangle = g.const(np.tril(np.ones((512, 512), np.bool_))[None, None])

    def conv1d(x, cin, cout):
        leading = g.slice(g.Shape(x), 0, 0, -1)
        y = g.Gemm(g.Reshape(x, [-1, cin]), g.weight(cin, cout), g.weight(cout, scale=0.1))
        return g.Reshape(y, g.Concat(leading, [cout], axis=0))

    for layer in range(layers):
        qkv = conv1d(g.layer_norm(x, w), w, 3 * w)
        q, k, v = (g.Transpose(g.Reshape(p, g.Concat(g.slice(g.Shape(p), 0, 0, -1), [heads, size], axis=0)), perm=[0, 2, 1, 3])
                   for p in g.split(qkv, [w] * 3, 2))
        k, v = g.Concat(pasts[2 * layer], k, axis=2), g.Concat(pasts[2 * layer + 1], v, axis=2)
        scores = g.Div(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), float(np.sqrt(size)))
        total = g.dim(k, 2)
        begin = g.Unsqueeze(g.Sub(total, g.dim(q, 2)), axes=[0])
        seen = g.Slice(triangle, begin, g.Unsqueeze(total, axes=[0]), [2], [1])
        seen = g.Slice(seen, [0], g.Unsqueeze(total, axes=[0]), [3], [1])
        scores = g.Add(g.Where(seen, scores, lowest(g)), bias)
        y = g.Transpose(g.MatMul(g.Softmax(scores, axis=-1), v), perm=[0, 2, 1, 3])
        y = g.Reshape(y, g.Concat(g.slice(g.Shape(y), 0, 0, -2), [w], axis=0))
        x = g.Add(conv1d(y, w, w), x)
        x = g.Add(x, conv1d(g.gelu_tanh(conv1d(g.layer_norm(x, w), w, 4 * w)), 4 * w, w))
        g.output(k, f"present.{layer}.key")
        g.output(v, f"present.{layer}.value")
    g.output(g.linear(g.layer_norm(x, w), w, VOCABULARY, bias=False), "logits")


def rms_norm(g, x, w, epsilon=1e-6):
    """As LlamaRMSNorm: in float32, the weight in the model's type."""
    y = g.cast(x, FLOAT) if g.half else x
    two, eps = np.array(2, np.float32), np.array(epsilon, np.float32)
    variance = g.ReduceMean(g.Pow(y, two), axes=[-1], keepdims=1)
    y = g.Mul(y, g.Div(np.array(1, np.float32), g.Sqrt(g.Add(variance, eps))))
    return g.Mul(g.weight(w, scale=0.1, mean=1), g.cast(y, FLOAT16) if g.half else y)


def rotate_half(g, x, size):
    low, high = g.slice(x, 3, 0, size // 2), g.slice(x, 3, size // 2, LAST)
    return g.Concat(g.Neg(high), low, axis=-1)


def rotary_tables(g, positions, size):
    """cos and sin of [B, S] positions, [B, 1, S, D]."""
    inverse = (1e4 ** (-np.arange(0, size, 2, dtype=np.float32) / size)).astype(np.float32)
    inverse = g.Expand(inverse[None, :, None], g.sizes(g.dim(positions, 0), size // 2, 1))
    angles = g.MatMul(inverse, g.cast(g.Unsqueeze(positions, axes=[1]), FLOAT))
    angles = g.Transpose(angles, perm=[0, 2, 1])
    angles = g.Concat(angles, angles, axis=-1)
    tables = g.Cos(angles), g.Sin(angles)
    return [g.Unsqueeze(g.cast(t, float_type(g)), axes=[1]) for t in tables]


@architecture(CACHED, TIMED_CACHED, [dict(opset=17), dict(opset=18), dict(opset=17, half=True)])
def llama(g):
    """RMSNorm, rotary positions, grouped queries, SwiGLU; the mask as transformers makes it."""
    w, heads, kv_heads, layers = 32 * g.wide, 4, 2, 2
    size = w // heads
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    mask = g.input("attention_mask", ["batch", "total"], make=lambda r, s: np.ones(s), dtype=np.int64)
    positions = g.input("position_ids", ["batch", "sequence"], make=lambda r, s: np.broadcast_to(np.arange(s[1]), s), dtype=np.int64)
    pasts = [g.input(f"past_key_values.{i}.{kind}", ["batch", kv_heads, "past", size]) for i in range(layers) for kind in ("key", "value")]
    x = embed(g, ids, VOCABULARY, w)
    cosines, sines = rotary_tables(g, positions, size)
    # Columns later than the row's position, or masked, are the lowest number.
    past, sequence = g.dim(pasts[0], 2), g.dim(ids, 1)
    total = g.Add(past, sequence)
    columns = g.Range(scalar(0), total, scalar(1))
    rows = g.Range(past, total, scalar(1))
    later = g.Greater(g.Unsqueeze(columns, axes=[0]), g.Reshape(rows, [-1, 1]))
    square = g.Expand(lowest(g), g.sizes(sequence, total))
    causal = g.Mul(square, g.cast(later, float_type(g)))
    causal = g.Expand(g.Unsqueeze(causal, axes=[0, 1]), g.sizes(g.dim(ids, 0), 1, sequence, total))
    padding = g.Equal(g.Add(causal, g.cast(g.Unsqueeze(mask, axes=[1, 2]), float_type(g))), 0.0)
    causal = g.Where(padding, lowest(g), causal)
    for layer in range(layers):
        y = rms_norm(g, x, w)
        q = g.heads(g.linear(y, w, w, bias=False), heads, size)
        k = g.heads(g.linear(y, w, kv_heads * size, bias=False), kv_heads, size)
        v = g.heads(g.linear(y, w, kv_heads * size, bias=False), kv_heads, size)
        q = g.Add(g.Mul(q, cosines), g.Mul(rotate_half(g, q, size), sines))
        k = g.Add(g.Mul(k, cosines), g.Mul(rotate_half(g, k, size), sines))
        k, v = g.Concat(pasts[2 * layer], k, axis=2), g.Concat(pasts[2 * layer + 1], v, axis=2)
        g.output(k, f"present.{layer}.key")
        g.output(v, f"present.{layer}.value")
        k, v = (repeat_heads(g, p, heads, kv_heads, size) for p in (k, v))
        scores = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), float(size ** -0.5))
        weights = g.Softmax(g.cast(g.Add(scores, causal), FLOAT), axis=-1)
        weights = g.cast(weights, float_type(g))
        y = g.Transpose(g.MatMul(weights, v), perm=[0, 2, 1, 3])
        y = g.Reshape(y, g.sizes(g.dim(ids, 0), sequence, w))
        x = g.Add(x, g.linear(y, w, w, bias=False))
        y = rms_norm(g, x, w)
        y = g.Mul(g.silu(g.linear(y, w, 3 * w, bias=False)), g.linear(y, w, 3 * w, bias=False))
        x = g.Add(x, g.linear(y, 3 * w, w, bias=False))
    g.output(g.linear(rms_norm(g, x, w), w, VOCABULARY, bias=False), "logits")


def repeat_heads(g, x, heads, kv_heads, size):
    """repeat_kv: Unsqueeze, Expand, Reshape."""
    y = g.Unsqueeze(x, axes=[2])
    y = g.Expand(y, g.sizes(g.dim(x, 0), kv_heads, heads // kv_heads, g.dim(x, 2), size))
    return g.Reshape(y, g.sizes(g.dim(x, 0), heads, g.dim(x, 2), size))


def t5_norm(g, x, w):
    variance = g.ReduceMean(g.Pow(x, 2.0), axes=[-1], keepdims=1)
    return g.Mul(g.weight(w, scale=0.1, mean=1), g.Mul(x, g.Div(1.0, g.Sqrt(g.Add(variance, 1e-6)))))


def t5_bias(g, rows, columns, heads, both_ways):
    """Relative positions, put in buckets that grow with the distance."""
    a = g.Unsqueeze(g.Range(scalar(0), rows, scalar(1)), axes=[1])
    b = g.Unsqueeze(g.Range(scalar(0), columns, scalar(1)), axes=[0])
    relative = g.Sub(b, a)
    buckets = 8
    if both_ways:
        buckets //= 2
        offset = g.Mul(g.cast(g.Greater(relative, scalar(0)), INT64), scalar(buckets))
        relative = g.Abs(relative)
    else:
        offset = None
        relative = g.Neg(g.Min(relative, g.Expand(scalar(0), g.Shape(relative))))
    exact = buckets // 2
    small = g.Less(relative, scalar(exact))
    ratio = g.Div(g.Log(g.Div(g.cast(relative, FLOAT), float(exact))), float(np.log(16 / exact)))
    large = g.Add(g.cast(g.Mul(ratio, float(buckets - exact)), INT64), scalar(exact))
    large = g.Min(large, g.Expand(scalar(buckets - 1), g.Shape(large)))
    bucket = g.Where(small, relative, large)
    if offset:
        bucket = g.Add(offset, bucket)
    table = g.Gather(g.weight(8, heads, scale=1.0), bucket)
    return g.Unsqueeze(g.Transpose(table, perm=[2, 0, 1]), axes=[0])


@architecture([dict(batch=1, source=17, target=5), dict(batch=3, source=61, target=7), dict(batch=7, source=3, target=1)],
              dict(batch=1, source=128, target=32), [dict(opset=14)])
def t5(g):
    w, heads = 32 * g.wide, 4
    size = w // heads
    ids = g.input("input_ids", ["batch", "source"], make=VOCABULARY)
    mask = g.input("attention_mask", ["batch", "source"], make="mask")
    targets = g.input("decoder_input_ids", ["batch", "target"], make=VOCABULARY)

    def attention(x, context, bias):
        q, k, v = (g.heads(g.linear(p, w, w, bias=False), heads, size) for p in (x, context, context))
        scores = g.Add(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), bias)
        return g.linear(g.merge_heads(g.MatMul(g.Softmax(scores, axis=-1), v), w), w, w, bias=False)

    def relu_layer(x):
        return g.Add(x, g.linear(g.Relu(g.linear(t5_norm(g, x, w), w, 2 * w, bias=False)), 2 * w, w, bias=False))

    hidden = g.Mul(g.Sub(1.0, g.cast(g.Unsqueeze(mask, axes=[1, 2]), FLOAT)), lowest(g))
    table = g.weight(VOCABULARY, w, scale=1.0)
    x = g.Gather(table, ids)
    bias = g.Add(t5_bias(g, g.dim(ids, 1), g.dim(ids, 1), heads, True), hidden)
    for _ in range(2):
        y = t5_norm(g, x, w)
        x = relu_layer(g.Add(x, attention(y, y, bias)))
    encoded = t5_norm(g, x, w)
    length = g.dim(targets, 1)
    steps = g.Range(scalar(0), length, scalar(1))
    causal = g.LessOrEqual(g.Unsqueeze(steps, axes=[0]), g.Unsqueeze(steps, axes=[1]))
    causal = g.Mul(g.Sub(1.0, g.cast(g.Unsqueeze(causal, axes=[0, 1]), FLOAT)), lowest(g))
    y = g.Gather(table, targets)
    bias = g.Add(t5_bias(g, length, length, heads, False), causal)
    for _ in range(2):
        z = t5_norm(g, y, w)
        y = g.Add(y, attention(z, z, bias))
        y = relu_layer(g.Add(y, attention(t5_norm(g, y, w), encoded, hidden)))
    y = g.Mul(t5_norm(g, y, w), float(w ** -0.5))
    g.output(g.MatMul(y, g.Transpose(table, perm=[1, 0])), "logits")


@architecture([dict(batch=1, sequence=17, images=1), dict(batch=3, sequence=23, images=5), dict(batch=7, sequence=5, images=2)],
              dict(batch=1, sequence=77, images=1))
def clip_text(g):
    w, heads = 32 * g.wide, 4
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    length = g.dim(ids, 1)
    flat = g.Reshape(ids, g.sizes(-1, length))
    x = g.Add(embed(g, flat, VOCABULARY, w), g.Gather(g.weight(512, w, scale=1.0), positions_of(g, flat)))
    square = g.Expand(lowest(g), g.sizes(length, length))
    causal = g.Unsqueeze(g.Trilu(square, scalar(1), upper=1), axes=[0, 1])
    causal = g.Expand(causal, g.sizes(g.dim(ids, 0), 1, length, length))
    for _ in range(2):
        x = g.Add(x, g.self_attention(g.layer_norm(x, w), w, heads, mask=causal))
        x = g.Add(x, feed_forward(g, g.layer_norm(x, w), w, lambda v: g.Mul(v, g.Sigmoid(g.Mul(v, 1.702)))))
    x = g.layer_norm(x, w)
    last = g.ArgMax(g.cast(flat, 6), axis=-1, keepdims=0)
    rows = g.Range(scalar(0), g.dim(x, 0), scalar(1))
    pooled = g.GatherND(x, g.Concat(g.Unsqueeze(rows, axes=[1]), g.Unsqueeze(last, axes=[1]), axis=1))
    text = g.linear(pooled, w, w, bias=False)
    text = g.Div(text, g.ReduceL2(text, axes=[-1], keepdims=1))
    image = g.input("image_embeds", ["images", w])
    image = g.Div(image, g.ReduceL2(image, axes=[-1], keepdims=1))
    logits = g.Mul(g.MatMul(text, g.Transpose(image, perm=[1, 0])), g.Exp(2.6592))
    g.output(logits, "logits_per_text")
    g.output(g.Softmax(g.Transpose(logits, perm=[1, 0]), axis=-1), "probabilities")


@architecture([dict(batch=1, sequence=17, past=0, total=17), dict(batch=3, sequence=11, past=5, total=16),
               dict(batch=2, sequence=1, past=29, total=30)], TIMED_CACHED, [dict(opset=18)])
def phi_dynamo(g):
    """As the exporter of torch.export writes it: shapes are computed once, reused, and
    Reshape, Expand and Slice take them; parallel attention and MLP; partial rotary."""
    w, heads = 32 * g.wide, 4
    size, turned = w // heads, w // heads // 2
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    g.input("attention_mask", ["batch", "total"], make=lambda r, s: np.ones(s), dtype=np.bool_)
    keys = g.input("past_key", ["batch", heads, "past", size])
    values = g.input("past_value", ["batch", heads, "past", size])
    batch = g.Shape(ids, start=0, end=1)
    sequence = g.Shape(ids, start=1, end=2)
    past = g.Shape(keys, start=2, end=3)
    total = g.Add(past, sequence)
    squeezed = lambda v: g.Squeeze(v)  # noqa: E731
    positions = g.Range(squeezed(past), squeezed(total), scalar(1))
    columns = g.Range(scalar(0), squeezed(total), scalar(1))
    causal = g.LessOrEqual(g.Unsqueeze(columns, axes=[0]), g.Unsqueeze(positions, axes=[1]))
    padding = g.Unsqueeze("attention_mask", axes=[1, 2])
    allowed = g.And(padding, g.Unsqueeze(causal, axes=[0, 1]))
    bias = g.Where(allowed, 0.0, lowest(g))
    angles = g.Mul(g.cast(g.Unsqueeze(positions, axes=[1]), FLOAT),
                   (1e4 ** (-np.arange(0, turned, 2, dtype=np.float32) / turned)).astype(np.float32)[None])
    angles = g.Concat(angles, angles, axis=-1)
    cosines, sines = g.Cos(angles), g.Sin(angles)
    x = embed(g, ids, VOCABULARY, w)
    y = g.layer_norm(x, w)
    shape = g.Concat(batch, sequence, [heads], [size], axis=0)
    q, k, v = (g.Transpose(g.Reshape(g.linear(y, w, w), shape, allowzero=1), perm=[0, 2, 1, 3]) for _ in range(3))

    def rotary(p):
        first, rest = g.slice(p, 3, 0, turned), g.slice(p, 3, turned, LAST)
        a, b = g.Split(first, axis=-1, num_outputs=2, outputs=2)
        turned_part = g.Add(g.Mul(first, cosines), g.Mul(g.Concat(g.Neg(b), a, axis=-1), sines))
        return g.Concat(turned_part, rest, axis=-1)

    k, v = g.Concat(keys, rotary(k), axis=2), g.Concat(values, v, axis=2)
    root = g.Sqrt(g.Sqrt(g.Div(1.0, g.cast(scalar(size), FLOAT))))
    scores = g.MatMul(g.Mul(rotary(q), root), g.Mul(g.Transpose(k, perm=[0, 1, 3, 2]), root))
    weights = g.Softmax(g.Add(scores, bias), axis=-1)
    weights = g.Where(g.IsNaN(weights), 0.0, weights)
    z = g.Reshape(g.Transpose(g.MatMul(weights, v), perm=[0, 2, 1, 3]), g.Concat(batch, sequence, [w], axis=0), allowzero=1)
    x = g.Add(g.Add(g.linear(z, w, w), feed_forward(g, y, w, g.gelu_tanh)), x)
    g.output(k, "key")
    g.output(v, "value")
    g.output(g.linear(g.layer_norm(x, w), w, VOCABULARY), "logits")


@architecture(TEXT, TIMED, [dict(opset=18)])
def mixture_of_experts(g):
    """Softmax routing, TopK, a dense sum over experts weighed by a scattered gate."""
    w, experts = 32 * g.wide, 4
    x = g.input("hidden", ["batch", "sequence", w])
    flat = g.Reshape(x, [-1, w])
    gate = g.Softmax(g.linear(flat, w, experts, bias=False), axis=-1)
    values, chosen = g.TopK(gate, [2], axis=-1, largest=1, sorted=1, outputs=2)
    values = g.Div(values, g.ReduceSum(values, axes=[-1], keepdims=1))
    zeros = g.ConstantOfShape(g.Shape(gate))
    weights = g.ScatterElements(zeros, chosen, values, axis=1)
    total = None
    for expert in range(experts):
        y = g.linear(g.silu(g.linear(flat, w, 2 * w)), 2 * w, w)
        y = g.Mul(y, g.Unsqueeze(g.Gather(weights, scalar(expert), axis=1), axes=[1]))
        total = y if total is None else g.Add(total, y)
    g.output(g.Reshape(total, g.Shape(x)), "mixed")
    g.output(chosen, "experts", 7)


@architecture(TEXT, TIMED, [dict(opset=23)])
def operators_23(g):
    """The newest operators whole: Attention, RMSNormalization, RotaryEmbedding."""
    w, heads = 32 * g.wide, 4
    x = g.input("hidden", ["batch", "sequence", w])
    cosines = g.input("cos", ["batch", "sequence", w // heads // 2])
    sines = g.input("sin", ["batch", "sequence", w // heads // 2])
    y = g.RMSNormalization(x, g.weight(w, mean=1, scale=0.1), axis=-1, epsilon=1e-6)
    q, k, v = (g.linear(y, w, n, bias=False) for n in (w, w // 2, w // 2))
    q = g.RotaryEmbedding(q, cosines, sines, num_heads=heads)
    k = g.RotaryEmbedding(k, cosines, sines, num_heads=heads // 2)
    y = g.Attention(q, k, v, q_num_heads=heads, kv_num_heads=heads // 2, is_causal=1)
    g.output(g.Add(x, g.linear(y, w, w)), "out")
