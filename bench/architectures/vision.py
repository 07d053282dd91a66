"""Networks for pictures: classification, generation, segmentation."""

import numpy as np

from .builder import architecture

PICTURES = [dict(batch=1, height=64, width=64), dict(batch=3, height=67, width=59), dict(batch=7, height=41, width=97)]
EVEN = [dict(batch=1, height=64, width=64), dict(batch=3, height=32, width=96), dict(batch=2, height=96, width=160)]
TIMED = dict(batch=1, height=224, width=224)


def picture(g, name="images"):
    return g.input(name, ["batch", 3, "height", "width"])


def classify(g, x, channels, classes=11):
    g.output(g.gemm(g.Flatten(g.GlobalAveragePool(x), axis=1), channels, classes), "logits")


def squeeze_excite(g, x, channels, inner, gate, activation):
    y = g.GlobalAveragePool(x) if g.opset < 18 else g.ReduceMean(x, axes=[2, 3], keepdims=1)
    y = activation(g.conv(y, channels, inner, 1))
    return g.Mul(x, gate(g.conv(y, inner, channels, 1)))


@architecture(PICTURES, TIMED, [{}, dict(opset=11), dict(opset=21), dict(opset=17, half=True)])
def efficientnet(g):
    w = 8 * g.wide
    x = g.silu(g.conv(picture(g), 3, w, 3, stride=2))
    channels = w
    for cout, stride, kernel in [(w, 1, 3), (2 * w, 2, 5), (2 * w, 1, 5), (4 * w, 2, 3), (4 * w, 1, 3)]:
        inner = channels * 4
        y = g.silu(g.conv(x, channels, inner, 1))
        y = g.silu(g.conv(y, inner, inner, kernel, stride, groups=inner))
        y = squeeze_excite(g, y, inner, channels // 2, g.Sigmoid, g.silu)
        y = g.conv(y, inner, cout, 1)
        x = g.Add(y, x) if stride == 1 and cout == channels else y
        channels = cout
    x = g.silu(g.conv(x, channels, 8 * w, 1))
    classify(g, x, 8 * w)


@architecture(PICTURES, TIMED, [{}, dict(opset=13)])
def mobilenet_v3(g):
    w = 8 * g.wide
    x = g.hard_swish(g.conv(picture(g), 3, w, 3, stride=2))
    channels = w
    for cout, stride, kernel, excite in [(w, 2, 3, True), (2 * w, 2, 3, False), (2 * w, 1, 5, True), (3 * w, 1, 5, True)]:
        inner = channels * 3
        act = g.hard_swish if excite else g.Relu
        y = act(g.conv(x, channels, inner, 1))
        y = act(g.conv(y, inner, inner, kernel, stride, groups=inner))
        if excite:
            y = squeeze_excite(g, y, inner, w, lambda v: g.HardSigmoid(v, alpha=1 / 6, beta=0.5), g.Relu)
        y = g.conv(y, inner, cout, 1)
        x = g.Add(x, y) if stride == 1 and cout == channels else y
        channels = cout
    x = g.hard_swish(g.conv(x, channels, 6 * w, 1))
    x = g.Flatten(g.GlobalAveragePool(x))
    g.output(g.gemm(g.hard_swish(g.gemm(x, 6 * w, 8 * w)), 8 * w, 11), "logits")


def channels_first_norm(g, x, channels):
    """ConvNeXt's LayerNorm over axis 1."""
    mean = g.ReduceMean(x, axes=[1], keepdims=1)
    centred = g.Sub(x, mean)
    variance = g.ReduceMean(g.Pow(centred, 2.0), axes=[1], keepdims=1)
    y = g.Div(centred, g.Sqrt(g.Add(variance, 1e-6)))
    return g.Add(g.Mul(g.weight(channels, 1, 1, scale=0.1, mean=1), y), g.weight(channels, 1, 1, scale=0.1))


@architecture([dict(batch=1, height=64, width=64), dict(batch=3, height=67, width=97), dict(batch=2, height=97, width=41)],
              TIMED, [dict(opset=16), dict(opset=18)])
def convnext(g):
    w = 24 * g.wide
    x = g.conv(picture(g), 3, w, 4, stride=4, pads=[0] * 4)
    x = g.Transpose(g.layer_norm(g.Transpose(x, perm=[0, 2, 3, 1]), w, 1e-6), perm=[0, 3, 1, 2])
    for stage in range(2):
        if stage:
            x = g.conv(channels_first_norm(g, x, w), w, 2 * w, 2, stride=2, pads=[0] * 4)
            w *= 2
        for _ in range(2):
            y = g.Transpose(g.conv(x, w, w, 7, groups=w), perm=[0, 2, 3, 1])
            y = g.gelu(g.linear(g.layer_norm(y, w, 1e-6), w, 4 * w))
            y = g.Mul(g.weight(w, scale=0.1, mean=0.5), g.linear(y, 4 * w, w))
            x = g.Add(x, g.Transpose(y, perm=[0, 3, 1, 2]))
    x = g.layer_norm(g.Flatten(g.GlobalAveragePool(x)), w, 1e-6)
    g.output(g.gemm(x, w, 11), "logits")


def partition(g, x, side, window, channels):
    n = side // window
    y = g.Reshape(x, g.sizes(g.dim(x, 0), n, window, n, window, channels))
    return g.Reshape(g.Transpose(y, perm=[0, 1, 3, 2, 4, 5]), [-1, window * window, channels])


def departition(g, x, side, window, channels):
    n = side // window
    y = g.Reshape(x, [-1, n, n, window, window, channels])
    return g.Reshape(g.Transpose(y, perm=[0, 1, 3, 2, 4, 5]), [-1, side, side, channels])


def roll(g, x, shift, axis):
    """torch.roll as exported: two slices and a Concat."""
    last = np.iinfo(np.int64).max
    return g.Concat(g.slice(x, axis, -shift, last), g.slice(x, axis, 0, -shift), axis=axis)


def shift_mask(side, window, shift):
    regions = np.zeros((side, side), np.float32)
    parts = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for i, a in enumerate(parts):
        for j, b in enumerate(parts):
            regions[a, b] = 3 * i + j
    n = side // window
    flat = regions.reshape(n, window, n, window).transpose(0, 2, 1, 3).reshape(n * n, -1)
    return np.where(flat[:, None] != flat[:, :, None], np.float32(-100), np.float32(0))


@architecture([dict(batch=1), dict(batch=3), dict(batch=7)], dict(batch=1), [{}, dict(opset=12)])
def swin(g):
    side, window, heads, w = 16 * (2 if g.wide > 1 else 1), 4, 2 * g.wide, 32 * g.wide
    images = g.input("images", ["batch", 3, 2 * side, 2 * side])
    x = g.conv(images, 3, w, 2, stride=2, pads=[0] * 4)
    x = g.Reshape(x, g.sizes(g.dim(x, 0), w, -1))
    x = g.layer_norm(g.Transpose(x, perm=[0, 2, 1]), w)
    for stage in range(2):
        for shift in (0, window // 2):
            x = swin_block(g, x, side, window, shift, heads, w)
        if not stage:
            y = g.Reshape(x, g.sizes(g.dim(x, 0), side, side, w))
            last = np.iinfo(np.int64).max
            parts = [g.slice(g.slice(y, 1, a, last, 2), 2, b, last, 2) for b in (0, 1) for a in (0, 1)]
            y = g.Concat(*parts, axis=-1)
            y = g.Reshape(y, g.sizes(g.dim(y, 0), -1, 4 * w))
            x = g.linear(g.layer_norm(y, 4 * w), 4 * w, 2 * w, bias=False)
            side, w, heads = side // 2, 2 * w, 2 * heads
    x = g.Transpose(g.layer_norm(x, w), perm=[0, 2, 1])
    g.output(g.gemm(g.Flatten(g.GlobalAveragePool(x)), w, 11), "logits")


def swin_block(g, x, side, window, shift, heads, w):
    tokens, size = window * window, w // heads
    y = g.Reshape(g.layer_norm(x, w), g.sizes(g.dim(x, 0), side, side, w))
    if shift:
        y = roll(g, roll(g, y, -shift, 1), -shift, 2)
    y = partition(g, y, side, window, w)
    qkv = g.Reshape(g.linear(y, w, 3 * w), g.sizes(g.dim(y, 0), g.dim(y, 1), 3, heads, size))
    qkv = g.Transpose(qkv, perm=[2, 0, 3, 1, 4])
    q, k, v = (g.Gather(qkv, np.array(i, np.int64), axis=0) for i in range(3))
    scores = g.MatMul(g.Mul(q, float(size ** -0.5)), g.Transpose(k, perm=[0, 1, 3, 2]))
    coordinates = np.stack(np.meshgrid(np.arange(window), np.arange(window), indexing="ij")).reshape(2, -1)
    relative = (coordinates[:, :, None] - coordinates[:, None] + window - 1)
    index = (relative[0] * (2 * window - 1) + relative[1]).reshape(-1)
    bias = g.Gather(g.weight((2 * window - 1) ** 2, heads, scale=1.0), index.astype(np.int64), axis=0)
    bias = g.Transpose(g.Reshape(bias, [tokens, tokens, -1]), perm=[2, 0, 1])
    scores = g.Add(scores, g.Unsqueeze(bias, axes=[0]))
    if shift:
        mask = shift_mask(side, window, shift).astype(g.dtype)
        windows = len(mask)
        batch = g.Div(g.dim(scores, 0), np.array(windows, np.int64))
        scores = g.Reshape(scores, g.sizes(batch, windows, heads, tokens, tokens))
        scores = g.Add(scores, mask[None, :, None])
        scores = g.Reshape(scores, [-1, heads, tokens, tokens])
    y = g.MatMul(g.Softmax(scores, axis=-1 if g.opset >= 13 else 3), v)
    y = g.Transpose(y, perm=[0, 2, 1, 3])
    y = g.Reshape(y, g.sizes(g.dim(y, 0), tokens, w))
    y = departition(g, g.linear(y, w, w), side, window, w)
    if shift:
        y = roll(g, roll(g, y, shift, 1), shift, 2)
    x = g.Add(x, g.Reshape(y, g.sizes(g.dim(y, 0), side * side, w)))
    y = g.linear(g.gelu(g.linear(g.layer_norm(x, w), w, 4 * w)), 4 * w, w)
    return g.Add(x, y)


@architecture(PICTURES, TIMED)
def vit(g):
    """The class token is expanded to the batch; positions are interpolated to the grid."""
    w = 32 * g.wide
    x = g.conv(picture(g), 3, w, 8, stride=8, pads=[0] * 4)
    grid = g.slice(g.Shape(x), 0, 2, 4)
    table = g.weight(1, w, 4, 4, scale=1.0)
    wanted = g.Concat(g.slice(g.Shape(table), 0, 0, 2), grid, axis=0)
    positions = g.Resize(table, "", "", wanted, mode="cubic", coordinate_transformation_mode="half_pixel",
                         cubic_coeff_a=-0.75)
    flatten = lambda v: g.Transpose(g.Reshape(v, g.sizes(g.dim(v, 0), w, -1)), perm=[0, 2, 1])  # noqa: E731
    patches = g.Add(flatten(x), flatten(positions))
    token = g.Expand(g.weight(1, 1, w, scale=1.0), g.sizes(g.dim(x, 0), 1, w))
    x = g.Concat(token, patches, axis=1)
    for _ in range(2):
        x = g.Add(x, g.self_attention(g.layer_norm(x, w, 1e-6), w, 4))
        x = g.Add(x, g.linear(g.gelu(g.linear(g.layer_norm(x, w, 1e-6), w, 4 * w)), 4 * w, w))
    x = g.Gather(g.layer_norm(x, w, 1e-6), np.array(0, np.int64), axis=1)
    g.output(g.gemm(x, w, 11), "logits")


@architecture([dict(batch=1), dict(batch=3), dict(batch=7)], dict(batch=1))
def mlp_mixer(g):
    w, tokens = 32 * g.wide, 49
    x = g.conv(g.input("images", ["batch", 3, 56, 56]), 3, w, 8, stride=8, pads=[0] * 4)
    x = g.Transpose(g.Reshape(x, [0, w, tokens]), perm=[0, 2, 1])
    for _ in range(2):
        y = g.Transpose(g.layer_norm(x, w), perm=[0, 2, 1])
        y = g.linear(g.gelu(g.linear(y, tokens, 64)), 64, tokens)
        x = g.Add(x, g.Transpose(y, perm=[0, 2, 1]))
        x = g.Add(x, g.linear(g.gelu(g.linear(g.layer_norm(x, w), w, 2 * w)), 2 * w, w))
    x = g.ReduceMean(g.layer_norm(x, w), axes=[1], keepdims=0)
    g.output(g.gemm(x, w, 11), "logits")


@architecture(PICTURES, TIMED, [{}, dict(opset=9)])
def shufflenet(g):
    """Shuffles channels by Reshape, Transpose, Reshape with sizes read from the tensor."""
    w = 16 * g.wide
    x = g.Relu(g.conv(picture(g), 3, w, 3, stride=2))
    x = g.MaxPool(x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stride in (2, 1, 1):
        if stride == 2:
            left = g.Relu(g.conv(g.conv(x, w, w, 3, 2, groups=w), w, w, 1))
            right = x
        else:
            left, right = g.split(x, [w, w], 1)
        y = g.Relu(g.conv(right, w, w, 1))
        y = g.Relu(g.conv(g.conv(y, w, w, 3, stride, groups=w), w, w, 1))
        x = g.Concat(left, y, axis=1)
        sizes = [g.dim(x, axis) for axis in (0, 2, 3)]
        y = g.Reshape(x, g.sizes(sizes[0], 2, w, sizes[1], sizes[2]))
        x = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3, 4]), g.sizes(sizes[0], 2 * w, sizes[1], sizes[2]))
    g.output(g.gemm(g.ReduceMean(x, axes=[2, 3], keepdims=0), 2 * w, 11), "logits")


@architecture(PICTURES, TIMED, [{}, dict(opset=17, half=True)])
def resnext(g):
    w = 16 * g.wide
    x = g.Relu(g.conv(picture(g), 3, w, 7, stride=2))
    x = g.MaxPool(x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stride in (1, 2, 1):
        y = g.Relu(g.conv(x, w, 2 * w, 1))
        y = g.Relu(g.conv(y, 2 * w, 2 * w, 3, stride, groups=8))
        y = g.conv(y, 2 * w, w, 1)
        x = g.Relu(g.Add(y, x if stride == 1 else g.conv(x, w, w, 1, stride=2)))
    classify(g, x, w)


@architecture(PICTURES, TIMED, [{}, dict(opset=9)])
def densenet(g):
    """Normalisation before each convolution cannot be folded into one."""
    growth = 8 * g.wide
    x = g.conv(picture(g), 3, 2 * growth, 7, stride=2, bias=False)
    channels = 2 * growth
    x = g.MaxPool(g.Relu(g.batch_norm(x, channels)), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for block in range(2):
        parts = [x]
        for _ in range(3):
            y = g.Concat(*parts, axis=1) if len(parts) > 1 else parts[0]
            y = g.conv(g.Relu(g.batch_norm(y, channels)), channels, 4 * growth, 1, bias=False)
            parts.append(g.conv(g.Relu(g.batch_norm(y, 4 * growth)), 4 * growth, growth, 3, bias=False))
            channels += growth
        x = g.Concat(*parts, axis=1)
        if not block:
            x = g.conv(g.Relu(g.batch_norm(x, channels)), channels, channels // 2, 1, bias=False)
            channels //= 2
            x = g.AveragePool(x, kernel_shape=[2, 2], strides=[2, 2])
    classify(g, g.Relu(g.batch_norm(x, channels)), channels)


@architecture(PICTURES, TIMED)
def inception(g):
    w = 16 * g.wide
    x = g.Relu(g.conv(picture(g), 3, w, 3, stride=2, pads=[0] * 4))
    x = g.MaxPool(x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    for _ in range(2):
        one = g.Relu(g.conv(x, w, w // 2, 1))
        seven = g.Relu(g.conv(g.Relu(g.conv(x, w, w, (1, 7))), w, w // 2, (7, 1)))
        three = g.Relu(g.conv(x, w, w // 2, 3))
        three = g.Concat(g.Relu(g.conv(three, w // 2, w // 4, (1, 3))), g.Relu(g.conv(three, w // 2, w // 4, (3, 1))), axis=1)
        pooled = g.AveragePool(x, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], count_include_pad=1)
        pooled = g.Relu(g.conv(pooled, w, w // 2, 1))
        x = g.Concat(one, seven, three, pooled, axis=1)
        x = g.Relu(g.conv(x, 2 * w, w, 1))
    classify(g, x, w)


def same_conv(g, x, cin, cout, kernel=3, stride=1, groups=1):
    """A convolution of TensorFlow: transposed to NCHW and back, padded by SAME_UPPER."""
    y = g.Transpose(x, perm=[0, 3, 1, 2])
    y = g.Conv(y, g.weight(cout, cin // groups, kernel, kernel), auto_pad="SAME_UPPER", kernel_shape=[kernel] * 2,
               strides=[stride] * 2, group=groups)
    return g.Transpose(y, perm=[0, 2, 3, 1])


def same_norm(g, x, channels):
    """BatchNormalization between transposes, as tf2onnx leaves some."""
    y = g.batch_norm(g.Transpose(x, perm=[0, 3, 1, 2]), channels)
    return g.Transpose(y, perm=[0, 2, 3, 1])


@architecture(PICTURES, TIMED, [{}, dict(opset=9)])
def tensorflow_mobilenet(g):
    w = 8 * g.wide
    x = g.input("images", ["batch", "height", "width", 3])
    relu6 = (lambda v: g.Clip(v, 0.0, 6.0)) if g.opset >= 11 else (lambda v: g.Clip(v, min=0.0, max=6.0))
    x = g.Sub(g.Mul(x, 2 / 255 * 127), 1.0)
    x = relu6(same_norm(g, same_conv(g, x, 3, w, 3, 2), w))
    for cin, cout, stride in [(w, 2 * w, 1), (2 * w, 4 * w, 2), (4 * w, 4 * w, 1)]:
        x = relu6(same_norm(g, same_conv(g, x, cin, cin, 3, stride, groups=cin), cin))
        x = relu6(same_norm(g, same_conv(g, x, cin, cout, 1), cout))
    x = g.ReduceMean(x, axes=[1, 2], keepdims=1)
    x = g.Transpose(g.conv(g.Transpose(x, perm=[0, 3, 1, 2]), 4 * w, 11, 1), perm=[0, 2, 3, 1])
    x = g.Squeeze(x, axes=[1, 2])
    g.output(g.Softmax(x, axis=-1 if g.opset >= 13 else 1), "probabilities")


@architecture(PICTURES, TIMED, [{}, dict(opset=13)])
def deeplab(g):
    w = 16 * g.wide
    images = picture(g)
    low = g.Relu(g.conv(images, 3, w, 3, stride=2))
    x = g.Relu(g.conv(low, w, 2 * w, 3, stride=2))
    branches = [g.Relu(g.conv(x, 2 * w, w, 1))]
    branches += [g.Relu(g.conv(x, 2 * w, w, 3, dilation=d)) for d in (2, 4, 6)]
    pooled = g.Relu(g.conv(g.GlobalAveragePool(x), 2 * w, w, 1))
    branches.append(resize_like(g, pooled, x, align=False))
    x = g.Relu(g.conv(g.Concat(*branches, axis=1), 5 * w, w, 1))
    x = g.Concat(resize_like(g, x, low, align=True), g.Relu(g.conv(low, w, w // 2, 1)), axis=1)
    x = g.conv(g.Relu(g.conv(x, w + w // 2, w, 3)), w, 5, 1)
    x = resize_like(g, x, images, align=True)
    g.output(x, "scores")
    g.output(g.ArgMax(x, axis=1, keepdims=0), "classes", 7)


def resize_like(g, x, other, align):
    head = g.slice(g.Shape(x), 0, 0, 2)
    wanted = g.Concat(head, g.slice(g.Shape(other), 0, 2, 4), axis=0)
    mode = "align_corners" if align else "pytorch_half_pixel"
    return g.Resize(x, "", "", wanted, mode="linear", coordinate_transformation_mode=mode)


@architecture(EVEN, TIMED)
def unet_transposed(g):
    """Upsampling by ConvTranspose."""
    w = 16 * g.wide
    x = picture(g)
    skips, channels = [], 3
    for level in range(3):
        x = g.Relu(g.conv(x, channels, w << level, 3))
        x = g.Relu(g.conv(x, w << level, w << level, 3))
        channels = w << level
        if level < 2:
            skips.append(x)
            x = g.MaxPool(x, kernel_shape=[2, 2], strides=[2, 2])
    for level in (1, 0):
        cout = w << level
        x = g.ConvTranspose(x, g.weight(channels, cout, 2, 2, scale=0.1), g.weight(cout), kernel_shape=[2, 2], strides=[2, 2])
        x = g.Relu(g.conv(g.Concat(skips[level], x, axis=1), 2 * cout, cout, 3))
        channels = cout
    g.output(g.Sigmoid(g.conv(x, channels, 1, 1)), "mask")


@architecture([dict(batch=1, height=16, width=16), dict(batch=3, height=17, width=13), dict(batch=2, height=23, width=31)],
              dict(batch=1, height=64, width=64))
def esrgan(g):
    w = 16 * g.wide
    x = first = g.conv(picture(g), 3, w, 3)
    for _ in range(2):
        parts = [x]
        for number in range(3):
            y = g.Concat(*parts, axis=1) if number else parts[0]
            parts.append(g.LeakyRelu(g.conv(y, w + number * w // 2, w // 2, 3), alpha=0.2))
        y = g.conv(g.Concat(*parts, axis=1), w + 3 * w // 2, w, 3)
        x = g.Add(g.Mul(y, 0.2), x)
    x = g.Add(first, g.conv(x, w, w, 3))
    x = g.upsample(x)
    x = g.LeakyRelu(g.conv(x, w, w, 3), alpha=0.2)
    x = g.DepthToSpace(g.conv(x, w, 4 * w, 3), blocksize=2, mode="CRD")
    g.output(g.conv(g.PRelu(x, g.weight(w, 1, 1, scale=0.2)), w, 3, 3), "large")


@architecture([dict(batch=1, height=16, width=16), dict(batch=3, height=12, width=20), dict(batch=2, height=20, width=28)],
              dict(batch=1, height=32, width=32), [{}, dict(opset=21), dict(opset=17, half=True)])
def diffusion_unet(g):
    w, context_width = 32 * g.wide, 48
    latent = g.input("sample", ["batch", 4, "height", "width"])
    step = g.input("timestep", [1], make=981)
    context = g.input("encoder_hidden_states", ["batch", 7, context_width])
    # Sinusoids of the time step; computed in float32.
    frequencies = np.exp(-np.log(1e4) * np.arange(16, dtype=np.float32) / 16).astype(np.float32)
    angle = g.Mul(g.Unsqueeze(g.cast(g.Expand(step, g.Reshape(g.dim(latent, 0), [1])), 1), axes=[1]), frequencies[None])
    time = g.Concat(g.Cos(angle), g.Sin(angle), axis=-1)
    time = g.cast(time, 10 if g.half else 1)
    time = g.gemm(g.silu(g.gemm(time, 32, 4 * w)), 4 * w, 4 * w)

    def resnet(x, cin, cout):
        y = g.conv(g.silu(g.group_norm(x, cin, 8)), cin, cout, 3)
        y = g.Add(y, g.Unsqueeze(g.Unsqueeze(g.gemm(g.silu(time), 4 * w, cout), axes=[2]), axes=[3]))
        y = g.conv(g.silu(g.group_norm(y, cout, 8)), cout, cout, 3)
        return g.Add(x if cin == cout else g.conv(x, cin, cout, 1), y)

    def transformer(x, c):
        y = g.conv(g.group_norm(x, c, 8, 1e-6), c, c, 1)
        y = g.Transpose(y, perm=[0, 2, 3, 1])
        y = g.Reshape(y, g.sizes(g.dim(y, 0), g.Mul(g.dim(y, 1), g.dim(y, 2)), c))
        y = g.Add(g.self_attention(g.layer_norm(y, c), c, 4), y)
        y = g.Add(g.self_attention(g.layer_norm(y, c), c, 4, context, context_width), y)
        value, gate = g.split(g.linear(g.layer_norm(y, c), c, 8 * c), [4 * c, 4 * c], -1)
        y = g.Add(g.linear(g.Mul(value, g.gelu(gate)), 4 * c, c), y)
        y = g.Reshape(y, g.sizes(g.dim(x, 0), g.dim(x, 2), g.dim(x, 3), c))
        return g.Add(g.conv(g.Transpose(y, perm=[0, 3, 1, 2]), c, c, 1), x)

    x = g.conv(latent, 4, w, 3)
    skip = transformer(resnet(x, w, w), w)
    x = resnet(g.conv(skip, w, w, 3, stride=2, pads=[1, 1, 1, 1]), w, 2 * w)
    x = resnet(transformer(x, 2 * w), 2 * w, 2 * w)
    x = g.upsample(x)
    x = g.Concat(g.conv(x, 2 * w, 2 * w, 3), skip, axis=1)
    x = transformer(resnet(x, 3 * w, w), w)
    g.output(g.conv(g.silu(g.group_norm(x, w, 8)), w, 4, 3), "noise")


@architecture([dict(batch=1, height=8, width=8), dict(batch=3, height=7, width=11), dict(batch=2, height=13, width=5)],
              dict(batch=1, height=32, width=32))
def vae_decoder(g):
    w = 32 * g.wide
    x = g.conv(g.Div(g.input("latent", ["batch", 4, "height", "width"]), 0.18215), 4, w, 3)
    shape = g.Shape(x)
    y = g.group_norm(x, w, 8, 1e-6)
    flat = g.Transpose(g.Reshape(y, g.sizes(g.dim(y, 0), w, -1)), perm=[0, 2, 1])
    q, k, v = (g.linear(flat, w, w) for _ in range(3))
    scores = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 2, 1])), float(w ** -0.5))
    y = g.linear(g.MatMul(g.Softmax(scores, axis=-1), v), w, w)
    x = g.Add(g.Reshape(g.Transpose(y, perm=[0, 2, 1]), shape), x)
    for cin, cout in ((w, w), (w, w // 2)):
        y = g.conv(g.silu(g.group_norm(x, cin, 8, 1e-6)), cin, cout, 3)
        y = g.conv(g.silu(g.group_norm(y, cout, 8, 1e-6)), cout, cout, 3)
        x = g.Add(x if cin == cout else g.conv(x, cin, cout, 1), y)
        x = g.upsample(x)
        x = g.conv(x, cout, cout, 3)
    g.output(g.Clip(g.Add(g.Div(g.conv(x, w // 2, 3, 3), 2.0), 0.5), 0.0, 1.0), "image")


@architecture([dict(batch=1), dict(batch=3), dict(batch=7)], dict(batch=1))
def dcgan_generator(g):
    w = 16 * g.wide
    x = g.Reshape(g.gemm(g.input("noise", ["batch", 24]), 24, 4 * w * 16), [-1, 4 * w, 4, 4])
    for cin, cout in ((4 * w, 2 * w), (2 * w, w)):
        x = g.ConvTranspose(x, g.weight(cin, cout, 4, 4, scale=0.1), kernel_shape=[4, 4], strides=[2, 2], pads=[1] * 4)
        x = g.Relu(g.batch_norm(x, cout))
    x = g.ConvTranspose(x, g.weight(w, 3, 3, 3, scale=0.1), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4,
                        output_padding=[1, 1])
    g.output(g.Tanh(x), "picture")


@architecture(PICTURES, TIMED)
def style_transfer(g):
    """Reflection padding, instance normalisation."""
    w = 8 * g.wide

    def block(x, cin, cout, kernel, stride):
        p = kernel // 2
        x = g.Pad(x, np.array([0, 0, p, p, 0, 0, p, p], np.int64), mode="reflect")
        x = g.conv(x, cin, cout, kernel, stride, pads=[0] * 4)
        return g.InstanceNormalization(x, g.weight(cout, mean=1, scale=0.1), g.weight(cout), epsilon=1e-5)

    x = g.Relu(block(picture(g), 3, w, 9, 1))
    x = g.Relu(block(x, w, 2 * w, 3, 2))
    x = g.Add(x, block(g.Relu(block(x, 2 * w, 2 * w, 3, 1)), 2 * w, 2 * w, 3, 1))
    x = g.Resize(x, "", np.array([1, 1, 2, 2], np.float32), mode="nearest")
    g.output(block(g.Relu(block(x, 2 * w, w, 3, 1)), w, 3, 9, 1), "painted")


@architecture([dict(batch=1, frames=8, height=16, width=16), dict(batch=2, frames=5, height=17, width=23),
               dict(batch=3, frames=11, height=13, width=16)], dict(batch=1, frames=16, height=64, width=64))
def video_3d(g):
    w = 8 * g.wide
    x = g.input("clip", ["batch", 3, "frames", "height", "width"])
    x = g.Relu(g.conv(x, 3, w, (3, 3, 3)))
    x = g.MaxPool(x, kernel_shape=[1, 2, 2], strides=[1, 2, 2])
    y = g.Relu(g.conv(g.Relu(g.conv(x, w, w, (1, 3, 3))), w, w, (3, 1, 1)))
    x = g.AveragePool(g.Add(x, y), kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    classify(g, x, w)
