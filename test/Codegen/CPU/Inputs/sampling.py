"""Padding, RoiAlign, scatters and pyramids against onnxruntime: sampling.py FOLDER FAMILY...

For each case writes a model and its inputs to FOLDER, runs `dsc run`, and compares
all outputs. A case is one line below: modes, pads on several axes and of either sign,
windows inside, outside and across the border, any number of channels, rows that meet.
"""

import pathlib
import sys

import numpy as np

from comparing import count_failures
from sequences import Model, floats, random


def pad(shape, pads, mode, symbols=False, relu=False):
    model = Model(f"pad {shape} {pads} {mode} symbols={symbols}")
    named = {i: f"N{i}" for i in range(len(shape))} if symbols else {}
    model.input("x", floats(*shape), named)
    model.constant("pads", np.array(pads, np.int64))
    y = model.node("Pad", ["x", "pads"], ["padded" if relu else "y"], mode=mode)
    if relu:
        model.node("Relu", [y], ["y"])
    model.outputs = ["y"]
    return model


def pads():
    for mode in ("reflect", "edge", "constant"):
        for symbols in (False, True):
            yield pad((2, 3, 5, 7), [0, 0, 1, 2, 0, 0, 3, 1], mode, symbols)
            yield pad((3, 37), [0, 4, 0, 4], mode, symbols, relu=True)
            yield pad((40,), [3, 0], mode, symbols)
            yield pad((4, 3, 33), [2, 0, 32, 1, 2, 5], mode, symbols)
            yield pad((2, 9, 40), [0, -2, 5, 0, 3, -7], mode, symbols)


def roi_align(channels, count, height=17, width=23, batch=2, symbols=False, scale=1.0, **attributes):
    model = Model(f"roi_align {channels} {count} {symbols} {scale} {attributes}")
    named = {1: "C", 2: "H", 3: "W"} if symbols else {}
    model.input("x", floats(batch, channels, height, width), named)
    # Corners that may lie outside, by less than a picture.
    first = random.uniform(-0.2, 0.8, (count, 2)) * [width, height]
    rois = np.concatenate([first, first + random.uniform(0, 0.6, (count, 2)) * [width, height]], axis=1)
    model.input("rois", (rois / scale).astype(np.float32), {0: "R"} if symbols else {})
    model.input("images", random.integers(0, batch, count), {0: "R"} if symbols else {})
    model.node("RoiAlign", ["x", "rois", "images"], ["y"], spatial_scale=scale, **attributes)
    model.outputs = ["y"]
    return model


def roi_aligns():
    for channels in (1, 3, 16, 21):
        for mode in ("avg", "max"):
            for symbols in (False, True):
                sizes = dict(output_height=5, output_width=3, mode=mode, symbols=symbols)
                yield roi_align(channels, 7, sampling_ratio=2, **sizes)
                yield roi_align(channels, 7, sampling_ratio=0, **sizes)
    yield roi_align(33, 4, sampling_ratio=3, scale=0.25, output_height=7, output_width=7,
                    coordinate_transformation_mode="output_half_pixel")
    yield roi_align(8, 1, sampling_ratio=0, scale=0.5)
    yield roi_align(8, 0, sampling_ratio=2, symbols=True)


def pyramid(batch, channels, deep, lateral):
    """A feature pyramid: what is enlarged meets laterals of other symbols, which have one
    pixel or as many, and levels of all sizes become the channels of one tensor."""
    model = Model(f"pyramid {batch} {channels} {deep} {lateral}")
    model.input("d", floats(batch, channels, *deep), {0: "N", 2: "H", 3: "W"})
    model.input("l", floats(batch, channels, *lateral), {0: "N", 2: "LH", 3: "LW"})
    model.input("g", floats(batch, channels, 1, 1), {0: "N"})
    model.constant("scales", np.array([1, 1, 2, 2], np.float32))
    model.node("Mul", ["l", "g"], ["gated"])
    larger = dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    model.node("Resize", ["d", "", "scales"], ["p1"], **larger)
    model.node("Add", ["p1", "gated"], ["p2"])
    model.node("Resize", ["p2", "", "scales"], ["p3"], **larger)
    model.constant("scales4", np.array([1, 1, 4, 4], np.float32))
    model.node("Mul", ["d", "g"], ["d1"])
    model.node("Resize", ["d1", "", "scales4"], ["p4"], **larger)
    model.node("Concat", ["p3", "p4"], ["y"], axis=1)
    model.outputs = ["p2", "y"]
    return model


def pyramids():
    for batch in (1, 2):
        for channels in (1, 5):
            yield pyramid(batch, channels, (9, 11), (18, 22))
            yield pyramid(batch, channels, (9, 21), (1, 42))
            yield pyramid(batch, channels, (3, 5), (6, 1))
            yield pyramid(batch, channels, (1, 1), (1, 1))
            yield pyramid(batch, channels, (1, 2), (2, 4))


def scatter(kind, rows, updates, width, reduction="none", symbols=False):
    """Rows added to rows: by indices repeated along the row, or by ScatterND."""
    model = Model(f"scatter {kind} {rows} {updates} {width} {reduction} symbols={symbols}")
    model.input("x", floats(rows, *width), {0: "R"} if symbols else {})
    model.input("u", floats(updates, *width), {0: "E"} if symbols else {})
    # Rows meet but where the order of writing would tell.
    index = (random.integers(-rows, rows, updates) if reduction != "none"
             else random.permutation(rows)[:updates])
    model.input("i", index.astype(np.int64), {0: "E"} if symbols else {})
    model.constant("axes", np.arange(1, 1 + len(width), dtype=np.int64))
    model.constant("last", np.array([1], np.int64))
    if kind == "elements":
        model.node("Unsqueeze", ["i", "axes"], ["column"])
        model.node("Shape", ["u"], ["sizes"])
        model.node("Expand", ["column", "sizes"], ["places"])
        model.node("ScatterElements", ["x", "places", "u"], ["y"], axis=0, reduction=reduction)
    else:
        model.node("Unsqueeze", ["i", "last"], ["places"])
        model.node("ScatterND", ["x", "places", "u"], ["y"], reduction=reduction)
    model.outputs = ["y"]
    return model


def scatters():
    for kind in ("elements", "nd"):
        for symbols in (False, True):
            yield scatter(kind, 9, 5, (37,), symbols=symbols)
            yield scatter(kind, 4, 31, (64,), "add", symbols)
            yield scatter(kind, 4, 7, (3, 5), "mul", symbols)
            yield scatter(kind, 4, 7, (1,), "add", symbols)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    families = {"pad": pads, "roi-align": roi_aligns, "pyramid": pyramids, "scatter": scatters}
    return sum(count_failures(families[family](), folder) for family in sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
