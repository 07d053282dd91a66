"""Files that are no model, or a damaged one."""

import os
import random

import numpy as np
from harness import Row, model, onnx_file, run_table, weights


def sample():
    """A model with all that a file can hold: weights, a branch, a function, symbols."""
    proto = model(
        """g (float[N, 4, H, W] x, bool c) => (float[N, M, P, Q] y) {
             a = Conv<pads = [1, 1, 1, 1]>(x, w)
             s = Shape(a)
             r = Reshape(a, s)
             f = local.Twice<alpha = 2.0>(r)
             y = If(c) <then_branch = t () => (float[?, ?, ?, ?] p) { p = Add(a, f) },
                        else_branch = e () => (float[?, ?, ?, ?] q) { q = Softmax<axis = 1>(a) }>
           }""",
        header='ir_version: 10, opset_import: ["": 21, "local": 1]',
        functions='<domain: "local", opset_import: ["": 21]> Twice <alpha> (i) => (o) '
                  '{ k = Constant<value_float: float = @alpha>() o = Mul(i, k) }')
    weights(proto, w=np.arange(144, dtype=np.float32).reshape(4, 4, 3, 3) / 100)
    return proto.SerializeToString()


def flipped(data, seed):
    """One to four bits of `data` are others."""
    chooser, result = random.Random(seed), bytearray(data)
    for _ in range(chooser.randint(1, 4)):
        result[chooser.randrange(len(result))] ^= 1 << chooser.randrange(8)
    return bytes(result)


SAMPLE = sample()
COMPILE = "dsc compile m.onnx -o m.dsc"
LOST = r"truncated|not an ONNX model|imports? no operator set|unknown domain|not imported"

ROWS = [
    Row("whole", {"m.onnx": SAMPLE}, COMPILE, 0, leaves=("m.dsc",)),
    Row("missing", {}, COMPILE, 4, ("cannot be opened: No such file", "--> m.onnx")),
    Row("folder", {"m.onnx": os.makedirs}, COMPILE, 4, ("cannot be read: .*(directory|folder|plain)",)),
    Row("unreadable", {"m.onnx": lambda path: os.mkfifo(path)}, COMPILE, 4, ("cannot be read",)),
    Row("device", {}, "dsc compile /dev/zero -o m.dsc", 4, ("/dev/zero",)),
    Row("empty", {"m.onnx": b""}, COMPILE, 3, ("file is empty", "help: it may not")),
    Row("zeros", {"m.onnx": bytes(1000)}, COMPILE, 3, ("not an ONNX model",)),
    Row("all ones", {"m.onnx": b"\xff" * 1000}, COMPILE, 3, ("not an ONNX model",)),
    Row("text", {"m.onnx": b"a model, honestly\n" * 9}, COMPILE, 3, ("not an ONNX model",)),
    Row("picture", {"m.onnx": b"\x89PNG\r\n\x1a\n" + bytes(99)}, COMPILE, 3, ("not an ONNX model",)),
    Row("web page", {"m.onnx": b"<!DOCTYPE html><html>404</html>"}, COMPILE, 3,
        ("not an ONNX model",)),
    Row("Git LFS pointer",
        {"m.onnx": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"},
        COMPILE, 3, ("not an ONNX model",)),
    Row("no graph", {"m.onnx": b"\x08\x0a"}, COMPILE, 3, ("no graph",)),
    Row("an artifact", {"m.onnx": b"\x89DSC\r\n\x1a\n" + bytes(99)}, COMPILE, 3,
        ("not an ONNX model",)),
    Row("a tensor", {"m.onnx": bytes.fromhex("0802100142017848") + b"\x01"}, COMPILE, 3,
        ("not an ONNX model",)),
    *(Row(f"truncated to {size} of {len(SAMPLE)} bytes", {"m.onnx": SAMPLE[:size]}, COMPILE, 3,
          (LOST,)) for size in range(1, len(SAMPLE) - 20, len(SAMPLE) // 37)),
    *(Row(f"bits flipped, {seed}", {"m.onnx": flipped(SAMPLE, seed)}, COMPILE, {0, 3},
          leaves=("m.dsc",)) for seed in range(40)),
    *(Row(f"{verb} of a missing file", {}, f"dsc {verb}", 4, ("m.onnx",))
      for verb in ("run m.onnx --random 1", "bench m.onnx", "inspect m.onnx", "explain m.onnx n0",
                   "verify m.onnx --golden .")),
    *(Row(f"{verb} of a truncated file", {"m.onnx": SAMPLE[:500]}, f"dsc {verb}", 3, (LOST,))
      for verb in ("run m.onnx --random 1", "bench m.onnx", "inspect m.onnx", "explain m.onnx n0")),
]

if __name__ == "__main__":
    run_table(ROWS)
