"""Networks for sound and other sequences: convolutions in time, recurrences, loops."""

import numpy as np
from onnx import helper

from .builder import FLOAT, INT64, Graph, architecture
from .language import LAST, VOCABULARY, embed, feed_forward, lowest, scalar

SOUND = [dict(batch=1, samples=401), dict(batch=3, samples=1009), dict(batch=2, samples=557)]


def conv1d(g, x, cin, cout, kernel, stride=1, groups=1, dilation=1, pads=(0, 0), bias=True):
    return g.conv(x, cin, cout, [kernel], stride, groups, dilation, list(pads), bias)


@architecture(SOUND, dict(batch=1, samples=16000), [{}, dict(opset=11)])
def wav2vec2(g):
    """A convolutional front with one GroupNorm, a grouped positional convolution, encoder."""
    w = 32 * g.wide
    x = g.Unsqueeze(g.input("input_values", ["batch", "samples"]), axes=[1])
    x = conv1d(g, x, 1, w, 10, 5, bias=False)
    # One group for each channel, as InstanceNormalization of [N, C, T].
    y = g.InstanceNormalization(g.Reshape(x, [0, w, -1]), np.ones(w, np.float32), np.zeros(w, np.float32), epsilon=1e-5)
    y = g.Reshape(y, g.Shape(x))
    x = g.gelu(g.Add(g.Mul(y, g.weight(w, 1, mean=1)), g.weight(w, 1)))
    for kernel in (3, 3, 2):
        x = g.gelu(conv1d(g, x, w, w, kernel, 2, bias=False))
    x = g.linear(g.layer_norm(g.Transpose(x, perm=[0, 2, 1]), w), w, w)
    # The weight is kept as a direction and a length.
    direction = g.weight(w, w // 4, 8, scale=0.1)
    length = g.ReduceL2(direction, axes=[0, 1], keepdims=1)
    kernel = g.Mul(g.Div(direction, length), g.weight(1, 1, 8, scale=0.1, mean=1))
    y = g.Conv(g.Transpose(x, perm=[0, 2, 1]), kernel, g.weight(w), kernel_shape=[8], group=4, pads=[4, 4])
    y = g.gelu(g.slice(y, 2, 0, -1))
    x = g.layer_norm(g.Add(x, g.Transpose(y, perm=[0, 2, 1])), w)
    for _ in range(2):
        x = g.layer_norm(g.Add(x, g.self_attention(x, w, 4)), w)
        x = g.layer_norm(g.Add(x, feed_forward(g, x, w, g.gelu)), w)
    g.output(g.linear(x, w, 32), "logits")


@architecture([dict(batch=1, frames=34), dict(batch=3, frames=62), dict(batch=2, frames=118)], dict(batch=1, frames=1000))
def whisper_encoder(g):
    w, mels = 32 * g.wide, 20
    x = g.input("input_features", ["batch", mels, "frames"])
    x = g.gelu(conv1d(g, x, mels, w, 3, pads=(1, 1)))
    x = g.Transpose(g.gelu(conv1d(g, x, w, w, 3, 2, pads=(1, 1))), perm=[0, 2, 1])
    positions = g.Slice(g.weight(600, w, scale=1.0), [0], g.Unsqueeze(g.dim(x, 1), axes=[0]), [0], [1])
    x = g.Add(x, positions)
    for _ in range(2):
        y = g.layer_norm(x, w)
        size = w // 4
        # Scaled queries, keys without bias, heads by a batched product of rank 3.
        q = g.Mul(g.linear(y, w, w), float(size ** -0.5))
        q, k, v = g.heads(q, 4, size), g.heads(g.linear(y, w, w, bias=False), 4, size), g.heads(g.linear(y, w, w), 4, size)
        flat = g.sizes(g.Mul(g.dim(x, 0), scalar(4)), -1, size)
        q, k, v = g.Reshape(q, flat), g.Reshape(k, flat), g.Reshape(v, flat)
        weights = g.Softmax(g.MatMul(q, g.Transpose(k, perm=[0, 2, 1])), axis=-1)
        y = g.Reshape(g.MatMul(weights, v), g.sizes(g.dim(x, 0), 4, g.dim(x, 1), size))
        y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), g.sizes(g.dim(x, 0), g.dim(x, 1), w))
        x = g.Add(x, g.linear(y, w, w))
        x = g.Add(x, feed_forward(g, g.layer_norm(x, w), w, g.gelu))
    g.output(g.layer_norm(x, w), "last_hidden_state")


@architecture([dict(batch=1, sequence=5, encoded=17), dict(batch=3, sequence=1, encoded=31), dict(batch=2, sequence=11, encoded=7)],
              dict(batch=1, sequence=32, encoded=500))
def whisper_decoder(g):
    w = 32 * g.wide
    ids = g.input("input_ids", ["batch", "sequence"], make=VOCABULARY)
    encoded = g.input("encoder_hidden_states", ["batch", "encoded", w])
    length = g.dim(ids, 1)
    positions = g.Slice(g.weight(448, w, scale=1.0), [0], g.Unsqueeze(length, axes=[0]), [0], [1])
    table = g.weight(VOCABULARY, w, scale=1.0)
    x = g.Add(g.Gather(table, ids), positions)
    steps = g.Range(scalar(0), length, scalar(1))
    # Zeros in the lower triangle by Where over a square of the lowest number.
    seen = g.Less(steps, g.Reshape(g.Add(steps, scalar(1)), g.sizes(length, 1)))
    causal = g.Where(seen, 0.0, g.Expand(lowest(g), g.sizes(length, length)))
    causal = g.Expand(g.Unsqueeze(g.Unsqueeze(causal, axes=[0]), axes=[1]), g.sizes(g.dim(ids, 0), 1, length, length))
    for _ in range(2):
        x = g.Add(x, g.self_attention(g.layer_norm(x, w), w, 4, mask=causal))
        x = g.Add(x, g.self_attention(g.layer_norm(x, w), w, 4, context=encoded, context_width=w))
        x = g.Add(x, feed_forward(g, g.layer_norm(x, w), w, g.gelu))
    g.output(g.MatMul(g.layer_norm(x, w), g.Transpose(table, perm=[1, 0])), "logits")


def recurrent(g, op, x, cin, hidden, gates, batch, both=True):
    """An LSTM or GRU with zero initial state of the batch's size; [T, B, C] -> [T, B, D * H]."""
    directions = 2 if both else 1
    state = g.Expand(np.zeros((1, 1, 1), np.float32), g.sizes(directions, batch, hidden))
    inputs = [x, g.weight(directions, gates * hidden, cin, scale=0.3), g.weight(directions, gates * hidden, hidden, scale=0.2),
              g.weight(directions, 2 * gates * hidden, scale=0.1), "", state] + ([state] if op == "LSTM" else [])
    extra = {"linear_before_reset": 1} if op == "GRU" else {}
    outputs = g.node(op, *inputs, outputs=3 if op == "LSTM" else 2, hidden_size=hidden,
                     direction="bidirectional" if both else "forward", **extra)
    y = g.Transpose(outputs[0], perm=[0, 2, 1, 3])
    return g.Reshape(y, [0, 0, -1]), outputs[1]


@architecture([dict(batch=1, width=64), dict(batch=3, width=97), dict(batch=7, width=41)], dict(batch=1, width=320),
              [{}, dict(opset=9)])
def crnn(g):
    w = 16 * g.wide
    x = g.Relu(g.conv(g.input("line", ["batch", 1, 32, "width"]), 1, w, 3))
    x = g.MaxPool(x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.Relu(g.batch_norm(g.conv(x, w, 2 * w, 3), 2 * w))
    x = g.MaxPool(x, kernel_shape=[2, 2], strides=[2, 1], pads=[0, 1, 0, 1])
    x = g.Relu(g.conv(x, 2 * w, 2 * w, 3))
    x = g.MaxPool(x, kernel_shape=[8, 1], strides=[8, 1])
    x = g.Transpose(g.Squeeze(x, axes=[2]), perm=[2, 0, 1])
    batch = g.dim(x, 1)
    x, _ = recurrent(g, "LSTM", x, 2 * w, 2 * w, 4, batch)
    x, _ = recurrent(g, "GRU", x, 4 * w, 2 * w, 3, batch)
    flat = g.Reshape(x, g.sizes(g.Mul(g.dim(x, 0), g.dim(x, 1)), 4 * w))
    y = g.gemm(flat, 4 * w, 37)
    y = g.Reshape(y, g.sizes(g.dim(x, 0), g.dim(x, 1), -1))
    g.output(g.LogSoftmax(y, axis=2), "log_probs")


@architecture(SOUND, dict(batch=1, samples=16000), [{}, dict(opset=11)])
def wavenet(g):
    w = 16 * g.wide
    x = conv1d(g, g.input("audio", ["batch", 1, "samples"]), 1, w, 1)
    skips = None
    for dilation in (1, 2, 4, 8, 16):
        y = g.Pad(x, np.array([0, 0, dilation, 0, 0, 0], np.int64), mode="constant")
        y = conv1d(g, y, w, 2 * w, 2, dilation=dilation)
        a, b = g.split(y, [w, w], 1)
        y = g.Mul(g.Tanh(a), g.Sigmoid(b))
        skip = conv1d(g, y, w, w, 1)
        skips = skip if skips is None else g.Add(skips, skip)
        x = g.Add(conv1d(g, y, w, w, 1), x)
    y = conv1d(g, g.Relu(conv1d(g, g.Relu(skips), w, w, 1)), w, 64, 1)
    g.output(g.Softmax(g.Transpose(y, perm=[0, 2, 1]), axis=2), "distribution")


@architecture(SOUND, dict(batch=1, samples=4000))
def tcn(g):
    """Both sides are padded, then the end is cut off ("chomp")."""
    w = 16 * g.wide
    x, channels = g.input("series", ["batch", 5, "samples"]), 5
    for dilation in (1, 2, 4, 8):
        pad = 2 * dilation
        y = x
        for _ in range(2):
            y = conv1d(g, y, channels if y is x else w, w, 3, dilation=dilation, pads=(pad, pad))
            y = g.Relu(g.slice(y, 2, 0, -pad))
        x = g.Relu(g.Add(y, x if channels == w else conv1d(g, x, channels, w, 1)))
        channels = w
    g.output(g.gemm(g.Gather(x, scalar(-1), axis=2), w, 3), "forecast")


@architecture([dict(batch=1, frames=23), dict(batch=3, frames=61), dict(batch=2, frames=37)], dict(batch=1, frames=500))
def conformer(g):
    """Macaron halves, relative shift of scores, GLU and depthwise convolution."""
    w = 32 * g.wide
    size = w // 4
    x = g.input("frames", ["batch", "frames", w])
    x = g.Add(x, g.Mul(feed_forward(g, g.layer_norm(x, w), w, g.silu), 0.5))
    y = g.layer_norm(x, w)
    q, k, v = (g.heads(g.linear(y, w, w), 4, size) for _ in range(3))
    length = g.dim(x, 1)
    table = g.weight(2047, w, scale=1.0)
    middle = g.Unsqueeze(g.Sub(scalar(1024), length), axes=[0])
    end = g.Unsqueeze(g.Add(scalar(1023), length), axes=[0])
    relative = g.heads(g.Unsqueeze(g.Slice(table, middle, end, [0], [1]), axes=[0]), 4, size)
    content = g.MatMul(g.Add(q, g.weight(4, 1, size)), g.Transpose(k, perm=[0, 1, 3, 2]))
    shifted = g.MatMul(g.Add(q, g.weight(4, 1, size)), g.Transpose(relative, perm=[0, 1, 3, 2]))
    rows, columns = g.dim(shifted, 2), g.dim(shifted, 3)
    shifted = g.Pad(shifted, np.array([0, 0, 0, 1, 0, 0, 0, 0], np.int64))
    shifted = g.Reshape(shifted, g.sizes(g.dim(x, 0), 4, g.Add(columns, scalar(1)), rows))
    shifted = g.Reshape(g.slice(shifted, 2, 1, LAST), g.sizes(g.dim(x, 0), 4, rows, columns))
    shifted = g.Slice(shifted, [0], g.Unsqueeze(length, axes=[0]), [3], [1])
    weights = g.Softmax(g.Mul(g.Add(content, shifted), float(size ** -0.5)), axis=-1)
    x = g.Add(x, g.linear(g.merge_heads(g.MatMul(weights, v), w), w, w))
    y = conv1d(g, g.Transpose(g.layer_norm(x, w), perm=[0, 2, 1]), w, 2 * w, 1)
    a, b = g.split(y, [w, w], 1)
    y = conv1d(g, g.Mul(a, g.Sigmoid(b)), w, w, 15, groups=w, pads=(7, 7))
    y = conv1d(g, g.silu(g.batch_norm(y, w)), w, w, 1)
    x = g.Add(x, g.Transpose(y, perm=[0, 2, 1]))
    g.output(g.layer_norm(g.Add(x, g.Mul(feed_forward(g, g.layer_norm(x, w), w, g.silu), 0.5)), w), "encoded")


@architecture([dict(batch=1, sequence=7), dict(batch=3, sequence=17), dict(batch=2, sequence=3)], dict(batch=1, sequence=64),
              [dict(opset=14)])
def translator_loop(g):
    """A GRU encoder and a greedy decoder in a Loop that stops at a token or after 9 steps."""
    w = 16 * g.wide
    ids = g.input("source", ["batch", "sequence"], make=VOCABULARY)
    batch = g.dim(ids, 0)
    x = g.Transpose(embed(g, ids, VOCABULARY, w), perm=[1, 0, 2])
    outputs, state = recurrent(g, "GRU", x, w, w, 3, batch, both=False)
    memory = g.Transpose(outputs, perm=[1, 0, 2])
    start = g.Expand(scalar(1), g.sizes(batch))
    body = Graph(opset=g.opset)
    body.random, body.number = g.random, 10000
    names = {"i": (INT64, []), "go": (9, []), "token": (INT64, None), "hidden": (FLOAT, None)}
    inputs = [helper.make_tensor_value_info(n, t, s) for n, (t, s) in names.items()]
    e = body.Unsqueeze(embed(body, "token", VOCABULARY, w), axes=[0])
    step, hidden = body.GRU(e, body.weight(1, 3 * w, w, scale=0.3), body.weight(1, 3 * w, w, scale=0.3), body.weight(1, 6 * w),
                            "", "hidden", outputs=2, hidden_size=w, linear_before_reset=1)
    query = body.Transpose(body.Squeeze(step, axes=[1]), perm=[1, 0, 2])
    weights = body.Softmax(body.MatMul(query, body.Transpose(memory, perm=[0, 2, 1])), axis=-1)
    both = body.Concat(query, body.MatMul(weights, memory), axis=2)
    logits = body.Squeeze(body.linear(both, 2 * w, VOCABULARY), axes=[1])
    token = body.ArgMax(logits, axis=1, keepdims=0)
    finished = body.ReduceMin(body.Cast(body.Equal(token, scalar(0)), to=6), keepdims=0)
    go = body.Not(body.Cast(finished, to=9))
    results = [go, token, hidden, logits]
    types = [9, INT64, FLOAT, FLOAT]
    graph = body.subgraph("step", inputs, [helper.make_tensor_value_info(n, t, None) for n, t in zip(results, types)])
    _, last, scan = g.Loop(scalar(9), np.array(True), start, state, body=graph, outputs=3)
    g.output(scan, "logits")
    g.output(last, "state")


@architecture([dict(batch=1, steps=7), dict(batch=3, steps=17), dict(batch=2, steps=31)], dict(batch=1, steps=128))
def selective_scan(g):
    """A state-space layer whose recurrence is a Scan."""
    w, states = 16 * g.wide, 8
    x = g.input("series", ["batch", "steps", w])
    delta = g.Softplus(g.linear(x, w, w))
    u = conv1d(g, g.Transpose(x, perm=[0, 2, 1]), w, w, 4, groups=w, pads=(3, 3))
    u = g.silu(g.Slice(u, [0], g.Unsqueeze(g.dim(x, 1), axes=[0]), [2], [1]))
    u = g.Transpose(u, perm=[2, 0, 1])
    decay = g.Exp(g.Mul(g.Unsqueeze(g.Transpose(delta, perm=[1, 0, 2]), axes=[3]), g.Neg(g.Exp(g.weight(w, states)))))
    gain = g.Transpose(g.linear(x, w, states), perm=[1, 0, 2])
    read = g.Transpose(g.linear(x, w, states), perm=[1, 0, 2])
    body = Graph(opset=g.opset)
    body.number = 20000
    inputs = [helper.make_tensor_value_info(n, FLOAT, None) for n in ("state", "decay", "gain", "read", "u")]
    new = body.Add(body.Mul("state", "decay"), body.Mul(body.Unsqueeze("u", axes=[2]), body.Unsqueeze("gain", axes=[1])))
    y = body.ReduceSum(body.Mul(new, body.Unsqueeze("read", axes=[1])), axes=[2], keepdims=0)
    copy = body.Identity(new)
    graph = body.subgraph("step", inputs, [helper.make_tensor_value_info(n, FLOAT, None) for n in (copy, y)])
    state = g.Expand(np.zeros((1, 1, 1), np.float32), g.sizes(g.dim(x, 0), w, states))
    last, ys = g.Scan(state, decay, gain, read, u, body=graph, num_scan_inputs=4, outputs=2)
    g.output(g.Add(g.Transpose(ys, perm=[1, 0, 2]), g.Mul(x, g.weight(w, scale=0.5))), "y")
    g.output(last, "state")


@architecture([dict(batch=1, sequence=7), dict(batch=3, sequence=17), dict(batch=7, sequence=3)], dict(batch=1, sequence=128),
              [dict(opset=14)])
def bilstm_tagger(g):
    """Lengths given: sequence_lens, layers of LSTM with a linear head."""
    w = 16 * g.wide
    ids = g.input("words", ["batch", "sequence"], make=VOCABULARY)
    lengths = g.input("lengths", ["batch"], make=lambda r, s: r.integers(1, 4, s), dtype=np.int32)
    x = g.Transpose(embed(g, ids, VOCABULARY, w), perm=[1, 0, 2])
    cin = w
    for _ in range(2):
        outputs = g.LSTM(x, g.weight(2, 4 * w, cin, scale=0.3), g.weight(2, 4 * w, w, scale=0.3), g.weight(2, 8 * w), lengths,
                         hidden_size=w, direction="bidirectional", outputs=3)
        x = g.Reshape(g.Transpose(outputs[0], perm=[0, 2, 1, 3]), [0, 0, 2 * w])
        cin = 2 * w
    g.output(g.linear(x, 2 * w, 9), "tags")
    g.output(g.Concat(g.slice(outputs[1], 0, -2, -1), g.slice(outputs[1], 0, -1, LAST), axis=2), "state")
