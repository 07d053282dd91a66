"""Artifacts that are damaged, or made for something else: exit code 5.

Usage: artifacts.py FOLDER; needs dsc itself to make the artifact that it damages.
"""

import os
import random
import subprocess
import tempfile

import numpy as np
from harness import Row, model, run_table, weights


def sample():
    """A model with weights, a branch and symbols; and its artifact."""
    proto = model("""g (float[N, 8] x, bool c) => (float[N, M] y) {
                       h = MatMul(x, w)  r = Softmax<axis = 1>(h)
                       y = If(c) <then_branch = t () => (float[?, ?] p) { p = Relu(r) },
                                  else_branch = e () => (float[?, ?] q) { q = Neg(h) }> }""")
    weights(proto, w=np.linspace(-1, 1, 8 * 4096, dtype=np.float32).reshape(8, 4096))
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "m.onnx"), "wb") as file:
            file.write(proto.SerializeToString())
        subprocess.run(["dsc", "compile", "-q", "m.onnx"], cwd=folder, check=True)
        with open(os.path.join(folder, "m.dsc"), "rb") as file:
            return proto.SerializeToString(), file.read()


ONNX, DSC = sample()
RUN = "dsc run m.dsc --random 1"
SAYS = (r"error\[DSC0205\](?=[^\0]*m\.dsc)", "help: compile the model again")


def damaged(name, contents, *says, command=RUN, code=5, **options):
    return Row(name, {"m.dsc": contents}, command, code, says or SAYS, **options)


def changed(offset, mask=0xFF):
    return DSC[:offset] + bytes([DSC[offset] ^ mask]) + DSC[offset + 1:]


def replaced(offset, data):
    return DSC[:offset] + data + DSC[offset + len(data):]


def has(feature):
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return any(feature in line.split() for line in lines if line.startswith("flags"))


CHOOSER = random.Random(1)
# Everywhere, and densely in what comes first: header and tables. (Padding is free.)
OFFSETS = sorted({*range(0, 256, 3), *(CHOOSER.randrange(len(DSC)) for _ in range(120))})

ROWS = [
    Row("whole", {"m.dsc": DSC}, RUN, 0),
    Row("missing", {}, RUN, 4, ("cannot|No such file", "m.dsc")),
    Row("a folder", {"m.dsc": os.makedirs}, RUN, {4, 5}, ("m.dsc",)),
    damaged("empty", b""),
    damaged("zeros", bytes(8192)),
    damaged("a text", b"not an artifact\n"),
    damaged("a model", ONNX),
    *(damaged(f"truncated to {size} of {len(DSC)} bytes", DSC[:size])
      for size in sorted({1, 4, 7, 8, 15, 16, 64, 100, 4095, 4096, 4097, 8192, len(DSC) - 1, len(DSC) - 4096,
                          *range(1, len(DSC), len(DSC) // 23)})),
    damaged("with more behind it", DSC + bytes(4096), "m.dsc", code={0, 5}),
    damaged("another version", changed(8, 0x40), *SAYS),
    damaged("written with CR LF", DSC.replace(b"\n", b"\r\n")),
    # Padding between sections is not hashed: those bytes may change.
    *(damaged(f"a byte changed at {offset}", changed(offset), code={0, 5}, seconds=10) for offset in OFFSETS),
    *(damaged(f"random bytes at {offset}", replaced(offset, CHOOSER.randbytes(32)), code={0, 5}, seconds=10)
      for offset in OFFSETS[::6]),
    damaged("code of two pages swapped", DSC[:8192] + DSC[4096:8192] + DSC[12288:], code=5),
    damaged("a byte of the weights", changed(len(DSC) - 8)),
    *(damaged(f"{verb} of a truncated one", DSC[:5000], command=f"dsc {verb}")
      for verb in ("inspect m.dsc", "bench m.dsc", "inspect m.dsc --html x.html")),
    damaged("inspect of another version", changed(8, 0x40), command="dsc inspect m.dsc"),
    *(damaged(f"{verb} of an artifact", DSC, "m.dsc", command=f"dsc {verb}", code=3)
      for verb in ("compile m.dsc -o n.dsc", "explain m.dsc n0")),
    *([] if has("avx512f") else [
        Row("for a CPU that this is not", {"m.onnx": ONNX},
            "dsc compile -q m.onnx --target x86-64-v4 && dsc run m.dsc --random 1", 5,
            (r"error\[DSC0205\]", "avx512", "help: compile the model again with --target"), leaves=("m.dsc",))]),
]

if __name__ == "__main__":
    run_table(ROWS)
