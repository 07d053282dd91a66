"""Networks that find objects: heads, anchors, selection by the data."""

import numpy as np
from onnx import helper

from .builder import FLOAT, INT64, architecture
from .language import LAST, scalar
from .vision import TIMED, picture

PICTURES = [dict(batch=1, height=64, width=64), dict(batch=3, height=96, width=32), dict(batch=2, height=160, width=96)]


def yolo_conv(g, x, cin, cout, kernel=1, stride=1):
    return g.silu(g.conv(x, cin, cout, kernel, stride))


def yolo_c2f(g, x, cin, cout):
    y = yolo_conv(g, x, cin, cout)
    a, b = g.split(y, [cout // 2, cout // 2], 1)
    c = g.Add(b, yolo_conv(g, yolo_conv(g, b, cout // 2, cout // 2, 3), cout // 2, cout // 2, 3))
    return yolo_conv(g, g.Concat(a, b, c, axis=1), cout // 2 * 3, cout)


def yolo_backbone(g, w):
    x = yolo_conv(g, picture(g), 3, w, 3, 2)
    x = yolo_c2f(g, yolo_conv(g, x, w, w, 3, 2), w, w)
    p3 = yolo_c2f(g, yolo_conv(g, x, w, 2 * w, 3, 2), 2 * w, 2 * w)
    x = yolo_conv(g, yolo_conv(g, p3, 2 * w, 4 * w, 3, 2), 4 * w, 2 * w)
    pools = [x]
    for _ in range(3):
        pools.append(g.MaxPool(pools[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4))
    p4 = yolo_conv(g, g.Concat(*pools, axis=1), 8 * w, 4 * w)
    up = g.upsample(p4)
    p3 = yolo_c2f(g, g.Concat(up, p3, axis=1), 6 * w, 2 * w)
    p4 = yolo_c2f(g, g.Concat(yolo_conv(g, p3, 2 * w, 2 * w, 3, 2), p4, axis=1), 6 * w, 4 * w)
    return [(p3, 2 * w, 8), (p4, 4 * w, 16)]


def anchor_points(g, x, stride):
    """(x + 0.5, y + 0.5) of each cell, [1, 2, H * W], from the size of a feature map."""
    h, w = g.dim(x, 2), g.dim(x, 3)
    columns = g.Add(g.cast(g.Range(scalar(0), w, scalar(1)), FLOAT), 0.5)
    rows = g.Add(g.cast(g.Range(scalar(0), h, scalar(1)), FLOAT), 0.5)
    grid = g.sizes(h, w)
    xs = g.Expand(g.Unsqueeze(columns, axes=[0]), grid)
    ys = g.Expand(g.Unsqueeze(rows, axes=[1]), grid)
    points = g.Concat(g.Reshape(xs, [1, 1, -1]), g.Reshape(ys, [1, 1, -1]), axis=1)
    strides = g.Expand(float(stride), g.Shape(g.slice(points, 1, 0, 1)))
    return points, strides


def yolo8_head(g, levels, classes, bins=16):
    flat, points, strides = [], [], []
    for x, channels, stride in levels:
        box = g.conv(yolo_conv(g, x, channels, 32, 3), 32, 4 * bins, 1)
        score = g.conv(yolo_conv(g, x, channels, 32, 3), 32, classes, 1)
        y = g.Concat(box, score, axis=1)
        flat.append(g.Reshape(y, g.sizes(g.dim(y, 0), 4 * bins + classes, -1)))
        p, s = anchor_points(g, x, stride)
        points.append(p)
        strides.append(s)
    x = g.Concat(*flat, axis=2)
    box, score = g.split(x, [4 * bins, classes], 1)
    box = g.Reshape(box, g.sizes(g.dim(box, 0), 4, bins, g.dim(box, 2)))
    box = g.Softmax(g.Transpose(box, perm=[0, 2, 1, 3]), axis=1)
    box = g.Conv(box, g.const(np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1)), kernel_shape=[1, 1])
    box = g.Reshape(box, g.sizes(g.dim(box, 0), 4, -1))
    near, far = g.slice(box, 1, 0, 2), g.slice(box, 1, 2, 4)
    points, strides = g.Concat(*points, axis=2), g.Concat(*strides, axis=2)
    low, high = g.Sub(points, near), g.Add(points, far)
    centre = g.Div(g.Add(low, high), 2.0)
    box = g.Mul(g.Concat(centre, g.Sub(high, low), axis=1), strides)
    return box, g.Sigmoid(score)


@architecture(PICTURES, dict(batch=1, height=320, width=320), [{}, dict(opset=13)])
def yolo8(g):
    box, score = yolo8_head(g, yolo_backbone(g, 16 * g.wide), 7)
    g.output(g.Concat(box, score, axis=1), "output0")


@architecture(PICTURES, dict(batch=1, height=320, width=320), [{}])
def yolo8_selected(g):
    """With NonMaxSuppression and what exporters put behind it."""
    box, score = yolo8_head(g, yolo_backbone(g, 8 * g.wide), 3)
    box = g.Transpose(box, perm=[0, 2, 1])
    chosen = g.NonMaxSuppression(box, score, [20], np.array([0.5], np.float32), np.array([0.3], np.float32), center_point_box=1)
    g.output(chosen, "indices", INT64)
    batch_box = g.Gather(chosen, np.array([0, 2]), axis=1)
    g.output(g.GatherND(box, batch_box), "boxes")
    g.output(g.GatherND(score, chosen), "scores")


@architecture(PICTURES, dict(batch=1, height=320, width=320), [dict(opset=12), dict(opset=9)])
def yolo5(g):
    """Anchors: [B, 3, no, H, W] -> [B, 3, H, W, no], a grid from Range, strided slices."""
    classes, outputs = 5, []
    no = classes + 5
    for x, channels, stride in yolo_backbone(g, 16 * g.wide):
        y = g.conv(x, channels, 3 * no, 1)
        batch, h, w = (g.dim(y, axis) for axis in (0, 2, 3))
        y = g.Transpose(g.Reshape(y, g.sizes(batch, 3, no, h, w)), perm=[0, 1, 3, 4, 2])
        y = g.Sigmoid(y)
        if g.opset >= 11:
            xs = g.Range(scalar(0), w, scalar(1))
            ys = g.Range(scalar(0), h, scalar(1))
            grid_x = g.Expand(g.Reshape(xs, [1, -1]), g.sizes(h, w))
            grid_y = g.Expand(g.Reshape(ys, [-1, 1]), g.sizes(h, w))
        else:  # arange of opset 9: NonZero of ones
            ones = helper.make_tensor("value", FLOAT, [1], [1.0])
            xs, ys = (g.Squeeze(g.Transpose(g.NonZero(g.ConstantOfShape(g.sizes(v), value=ones)), perm=[1, 0]), axes=[1])
                      for v in (w, h))
            grid_x = g.Expand(g.Reshape(xs, [1, -1]), g.sizes(h, w))
            grid_y = g.Expand(g.Reshape(ys, [-1, 1]), g.sizes(h, w))
        grid = g.Concat(g.Unsqueeze(grid_x, axes=[2]), g.Unsqueeze(grid_y, axes=[2]), axis=2)
        grid = g.cast(g.Reshape(grid, g.sizes(1, 1, h, w, 2)), FLOAT)
        anchors = g.const(np.array([[10, 13], [16, 30], [33, 23]], np.float32).reshape(1, 3, 1, 1, 2) * stride / 8)
        xy = g.Mul(g.Add(g.Sub(g.Mul(g.slice(y, 4, 0, 2), 2.0), 0.5), grid), float(stride))
        wh = g.Mul(g.Pow(g.Mul(g.slice(y, 4, 2, 4), 2.0), 2.0), anchors)
        y = g.Concat(xy, wh, g.slice(y, 4, 4, LAST), axis=4)
        outputs.append(g.Reshape(y, g.sizes(batch, -1, no)))
    g.output(g.Concat(*outputs, axis=1), "output")


@architecture([dict(batch=1), dict(batch=3), dict(batch=2)], dict(batch=1), [dict(opset=11)])
def ssd(g):
    """Fixed size, priors as constants, decoding, softmax, NonMaxSuppression, TopK of all."""
    w, classes = 16 * g.wide, 4
    x = g.Relu(g.conv(g.input("images", ["batch", 3, 96, 96]), 3, w, 3, 2))
    boxes, scores, count = [], [], 0
    for side in (24, 12, 6):
        x = g.Relu(g.conv(x, w, w, 3, 2))
        for head, size in ((boxes, 4), (scores, classes)):
            y = g.Transpose(g.conv(x, w, 2 * size, 3), perm=[0, 2, 3, 1])
            head.append(g.Reshape(y, g.sizes(g.dim(y, 0), -1, size)))
        count += side * side * 2
    offsets, logits = g.Concat(*boxes, axis=1), g.Concat(*scores, axis=1)
    priors = g.random.uniform(0.1, 0.9, (count, 4)).astype(np.float32)
    priors[:, 2:] = 0.05 + priors[:, 2:] / 8
    centre = g.Add(g.Mul(g.Mul(g.slice(offsets, 2, 0, 2), 0.1), priors[None, :, 2:]), priors[None, :, :2])
    extent = g.Mul(g.Exp(g.Mul(g.slice(offsets, 2, 2, LAST), 0.2)), priors[None, :, 2:])
    low = g.Sub(centre, g.Div(extent, 2.0))
    box = g.Concat(low, g.Add(low, extent), axis=2)
    probabilities = g.Softmax(logits, axis=2)
    ranked = g.Transpose(probabilities, perm=[0, 2, 1])
    chosen = g.NonMaxSuppression(box, ranked, [10], np.array([0.45], np.float32), np.array([0.4], np.float32))
    g.output(box, "boxes")
    g.output(probabilities, "scores")
    g.output(chosen, "chosen", INT64)


@architecture([dict(batch=1, height=64, width=64), dict(batch=3, height=96, width=64), dict(batch=2, height=64, width=160)],
              dict(batch=1, height=224, width=224), [dict(opset=14)])
def detr(g):
    """Positions by CumSum of the mask, an encoder-decoder with learned queries."""
    w, heads, queries = 32 * g.wide, 4, 13
    size = w // heads
    images = picture(g)
    mask = g.input("pixel_mask", ["batch", "height", "width"], make=lambda r, s: np.ones(s), dtype=np.int64)
    x = g.Relu(g.conv(images, 3, w, 7, 4))
    x = g.conv(g.Relu(g.conv(x, w, w, 3, 4)), w, w, 1)
    small = g.Resize(g.cast(g.Unsqueeze(mask, axes=[1]), FLOAT), "", "", g.Concat(g.slice(g.Shape(images), 0, 0, 1), [1],
                     g.slice(g.Shape(x), 0, 2, 4), axis=0), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    seen = g.cast(g.cast(g.Squeeze(small, axes=[1]), 9), FLOAT)
    halves = []
    for axis in (1, 2):
        steps = g.CumSum(seen, np.array(axis, np.int32))
        last = g.slice(steps, axis, -1, LAST)
        angle = g.Mul(g.Div(steps, g.Add(last, 1e-6)), 6.283185307)
        divisor = (1e4 ** (2 * (np.arange(w // 2) // 2) / (w // 2))).astype(np.float32)
        angle = g.Div(g.Unsqueeze(angle, axes=[-1]), divisor)
        even = g.Sin(g.slice(angle, 3, 0, LAST, 2))
        odd = g.Cos(g.slice(angle, 3, 1, LAST, 2))
        both = g.Concat(g.Unsqueeze(even, axes=[4]), g.Unsqueeze(odd, axes=[4]), axis=4)
        shape = g.Concat(g.slice(g.Shape(both), 0, 0, 3), [-1], axis=0)
        halves.append(g.Reshape(both, shape))
    positions = g.Transpose(g.Concat(*halves, axis=3), perm=[0, 3, 1, 2])
    flatten = lambda v: g.Transpose(g.Reshape(v, g.sizes(g.dim(v, 0), w, -1)), perm=[0, 2, 1])  # noqa: E731
    x, positions = flatten(x), flatten(positions)

    def attention(q, k, v):
        q = g.Mul(g.linear(q, w, w), float(size ** -0.5))
        q, k, v = g.heads(q, heads, size), g.heads(g.linear(k, w, w), heads, size), g.heads(g.linear(v, w, w), heads, size)
        weights = g.Softmax(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), axis=-1)
        return g.linear(g.merge_heads(g.MatMul(weights, v), w), w, w)

    def tail(x, y):
        x = g.layer_norm(g.Add(x, y), w)
        return g.layer_norm(g.Add(x, g.linear(g.Relu(g.linear(x, w, 2 * w)), 2 * w, w)), w)

    for _ in range(2):
        key = g.Add(x, positions)
        x = tail(x, attention(key, key, x))
    query = g.Expand(g.weight(1, queries, w, scale=1.0), g.sizes(g.dim(x, 0), queries, w))
    target = g.ConstantOfShape(g.Shape(query))
    for _ in range(2):
        q = g.Add(target, query)
        target = g.layer_norm(g.Add(target, attention(q, q, target)), w)
        target = tail(target, attention(g.Add(target, query), g.Add(x, positions), x))
    g.output(g.linear(target, w, 7), "logits")
    y = g.Relu(g.linear(g.Relu(g.linear(target, w, w)), w, w))
    g.output(g.Sigmoid(g.linear(y, w, 4)), "pred_boxes")


@architecture([dict(height=64, width=64), dict(height=79, width=101), dict(height=113, width=47)], dict(height=320, width=320),
              [dict(opset=16)])
def mask_rcnn(g):
    """Proposals by TopK, clipped to the picture, filtered by NonZero and NonMaxSuppression;
    RoiAlign, a box head, a mask head."""
    w = 16 * g.wide
    images = g.input("images", [1, 3, "height", "width"])
    x = g.Relu(g.conv(g.Relu(g.conv(images, 3, w, 3, 2)), w, w, 3, 2))
    shared = g.Relu(g.conv(x, w, w, 3))
    objectness = g.conv(shared, w, 3, 1)
    deltas = g.conv(shared, w, 12, 1)
    h, width = g.dim(x, 2), g.dim(x, 3)
    objectness = g.Reshape(g.Transpose(objectness, perm=[0, 2, 3, 1]), [-1])
    deltas = g.Reshape(g.Transpose(g.Reshape(deltas, g.sizes(1, 3, 4, h, width)), perm=[0, 3, 4, 1, 2]), [-1, 4])
    xs = g.Mul(g.cast(g.Range(scalar(0), width, scalar(1)), FLOAT), 4.0)
    ys = g.Mul(g.cast(g.Range(scalar(0), h, scalar(1)), FLOAT), 4.0)
    xs = g.Reshape(g.Expand(g.Reshape(xs, [1, -1]), g.sizes(h, width)), [-1])
    ys = g.Reshape(g.Expand(g.Reshape(ys, [-1, 1]), g.sizes(h, width)), [-1])
    shift = g.Concat(*[g.Unsqueeze(v, axes=[1]) for v in (xs, ys, xs, ys)], axis=1)
    base = np.array([[-8, -8, 8, 8], [-12, -6, 12, 6], [-6, -12, 6, 12]], np.float32)
    anchors = g.Reshape(g.Add(g.Unsqueeze(shift, axes=[1]), base[None]), [-1, 4])
    count = g.Min([40], g.Shape(objectness))
    scores, top = g.TopK(objectness, count, axis=0, outputs=2)
    deltas, anchors = g.Gather(deltas, top), g.Gather(anchors, top)
    corner = [g.Gather(anchors, np.array([i]), axis=1) for i in range(4)]
    sizes = [g.Sub(corner[2], corner[0]), g.Sub(corner[3], corner[1])]
    delta = [g.Gather(deltas, np.array([i]), axis=1) for i in range(4)]
    limits = [g.cast(g.dim(images, 3), FLOAT), g.cast(g.dim(images, 2), FLOAT)]
    low, high = [], []
    for axis in (0, 1):
        centre = g.Add(g.Mul(delta[axis], sizes[axis]), g.Add(corner[axis], g.Mul(sizes[axis], 0.5)))
        half = g.Mul(g.Mul(g.Exp(g.Clip(delta[axis + 2], "", 4.135)), sizes[axis]), 0.5)
        low.append(g.Clip(g.Sub(centre, half), 0.0, limits[axis]))
        high.append(g.Clip(g.Add(centre, half), 0.0, limits[axis]))
    boxes = g.Concat(low[0], low[1], high[0], high[1], axis=1)
    big = g.And(g.GreaterOrEqual(g.Sub(high[0], low[0]), 1.0), g.GreaterOrEqual(g.Sub(high[1], low[1]), 1.0))
    keep = g.Squeeze(g.Transpose(g.NonZero(g.Reshape(big, [-1])), perm=[1, 0]), axes=[1])
    boxes, scores = g.Gather(boxes, keep), g.Gather(g.Sigmoid(scores), keep)
    chosen = g.NonMaxSuppression(g.Unsqueeze(boxes, axes=[0]), g.Unsqueeze(scores, axes=[0, 1]), [15], np.array([0.7], np.float32))
    chosen = g.Squeeze(g.slice(chosen, 1, 2, 3), axes=[1])
    boxes = g.Gather(boxes, chosen)
    image_of = g.Expand(scalar(0), g.slice(g.Shape(boxes), 0, 0, 1))
    rois = g.RoiAlign(x, boxes, image_of, output_height=5, output_width=5, sampling_ratio=2, spatial_scale=0.25,
                      coordinate_transformation_mode="output_half_pixel")
    y = g.Relu(g.gemm(g.Flatten(rois, axis=1), 25 * w, 2 * w))
    g.output(boxes, "boxes")
    g.output(g.Softmax(g.gemm(y, 2 * w, 5), axis=-1), "scores")
    masks = g.ConvTranspose(g.Relu(g.conv(rois, w, w, 3)), g.weight(w, w, 2, 2, scale=0.2), kernel_shape=[2, 2], strides=[2, 2])
    g.output(g.Sigmoid(g.conv(g.Relu(masks), w, 4, 1)), "masks")
