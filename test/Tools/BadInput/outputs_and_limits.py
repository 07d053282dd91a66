"""Outputs that cannot be written, machines that lack memory, users who lose patience."""

import os
import signal
import sys
import time

import numpy as np
from harness import Row, model, npy, onnx_file, run_table, weights

MLP = onnx_file("g (float[N, 3] x) => (float[N, 3] y) { h = MatMul(x, w) y = Relu(h) }",
                lambda proto: weights(proto, w=np.ones((3, 3), np.float32)))
FILES = {"m.onnx": MLP, "x.npy": npy(np.ones((2, 3), np.float32))}
ENDLESS = onnx_file("""g (float[1] x) => (float[1] y) { n = Constant<value_int = 9223372036854775807>()
    c = Constant<value = bool {1}>() y = Loop(n, c, x)
    <body = b (int64 i, bool d, float[1] v) => (bool e, float[1] z) { e = Identity(d) z = Neg(v) }> }""")


def long_to_compile():
    """No two of its operators give the same kernel."""
    nodes = " ".join(f"h{i + 1} = MatMul(h{i}, w{i})" for i in range(200))
    proto = model(f"g (float[N, 3] h0) => (float[N, 203] h200) {{ {nodes} }}")
    weights(proto, **{f"w{i}": np.ones((i + 3, i + 4), np.float32) for i in range(200)})
    return proto.SerializeToString()


def output(name, command, code, *says, files=None, **options):
    return Row(name, {**FILES, **(files or {})}, command, code, says, **options)


def interrupt(number, seconds):
    """Sends the signal to the whole process group, as a terminal does, or to dsc alone."""
    def at_work(process, folder):
        time.sleep(seconds)
        os.kill(process.pid, number)
    return at_work


def interrupted(name, number, seconds, command="exec dsc compile m.onnx -o m.dsc", contents=None):
    return Row(name, {"m.onnx": contents or LONG}, command, 130, at_work=interrupt(number, seconds), seconds=10)


LONG = long_to_compile()


def red(proto):
    proto.graph.node[0].output[0] = proto.graph.output[0].name = "\x1b[31mred"


RED = onnx_file("g (float[2] x) => (float[2] y) { y = Relu(x) }", change=red)
# Root writes everywhere; there a read-only folder is no obstacle.
ROOT = os.geteuid() == 0

ROWS = [
    # Places.
    output("no such folder", "dsc compile m.onnx -o no/such/m.dsc", 4,
           r"error\[DSC0203\]: cannot create 'no/such/m.dsc': No such file or directory"),
    output("a folder", "dsc compile m.onnx -o out", 4, "'out'.*directory", files={"out": os.makedirs}),
    output("a folder, with a slash", "dsc compile m.onnx -o out/", 4, "'out/'.*directory", files={"out": os.makedirs}),
    output("a file as a folder", "dsc compile m.onnx -o x.npy/m.dsc", 4, "'x.npy/m.dsc': Not a directory"),
    output("a name of 300 letters", "dsc compile m.onnx -o " + "m" * 300, 4, "File name too long"),
    output("an empty name", "dsc compile m.onnx -o ''", {0, 2}, leaves=("m.dsc",)),
    output("a full disk", "dsc compile m.onnx -o /dev/full", 4, "cannot write '/dev/full': No space left on device"),
    *(output(f"a full disk, {kind}", f"dsc compile m.onnx --emit {kind} -o /dev/full", 4, "No space left on device")
      for kind in ("obj", "so", "lib", "mlir", "llvm", "asm")),
    *(output(f"stdout to a full disk, {what}", f"dsc {what} > /dev/full", 4, "cannot write to stdout: No space left")
      for what in ("compile m.onnx --emit asm", "compile m.onnx --stop-after group", "ops", "run m.onnx --random 1",
                   "inspect m.onnx", "inspect m.onnx --json", "explain m.onnx n0", "bench m.onnx --min-time 0", "--help")),
    output("a report on a full disk", "dsc compile m.onnx -o m.dsc --report /dev/full", 4, "/dev/full", leaves=("m.dsc",)),
    output("a report nowhere", "dsc compile m.onnx -o m.dsc --report no/r.json", 4, "no/r.json", leaves=("m.dsc",)),
    output("a page nowhere", "dsc inspect m.onnx --html no/p.html", 4, "no/p.html"),
    output("outputs of a run nowhere", "dsc run m.onnx --input x.npy --output-dir x.npy/out", 4, "x.npy/out"),
    output("outputs of a run in a file", "dsc run m.onnx --input x.npy --output-dir x.npy", 4, "x.npy"),
    *([] if ROOT else [
        output("a read-only folder", "chmod 555 out; dsc compile m.onnx -o out/m.dsc", 4, "'out/m.dsc': Permission denied",
               files={"out": os.makedirs}),
        output("a read-only file", "chmod 444 o.dsc; dsc compile m.onnx -o o.dsc", {0, 4}, files={"o.dsc": b"old"},
               leaves=("o.dsc",))]),
    output("a disk quota", "ulimit -f 1; dsc compile m.onnx -o m.dsc", 4, "cannot write .*: File too large"),
    output("an earlier output stays when the model is bad", "dsc compile bad.onnx -o o.dsc", 3, "bad.onnx",
           files={"bad.onnx": b"nonsense", "o.dsc": b"old"}),

    # Names that a terminal would obey.
    *(output(f"control characters, {what}", f"dsc {what} 1>&2", 0, r"\\x1b\[31mred", files={"red.onnx": RED})
      for what in ("run red.onnx --random 1", "inspect red.onnx", f"verify red.onnx --against ort --python {sys.executable} -v")),

    # The input.
    *(output(f"onto the input, as {path}", f"dsc compile m.onnx -o {path}", 2, "the output '.*m.onnx' is the input", "help: ")
      for path in ("m.onnx", "./m.onnx", "$PWD/../${PWD##*/}/m.onnx", "$PWD/m.onnx")),
    output("onto the input by a link", "ln -s m.onnx l; dsc compile m.onnx -o l", 2, "is the input", leaves=("l",)),
    output("onto the input by a hard link", "ln m.onnx l; dsc compile m.onnx -o l", 2, "is the input", leaves=("l",)),
    output("the report onto the input", "dsc compile m.onnx -o m.dsc --report m.onnx", 2, "is the input", leaves=("m.dsc",)),
    output("the report onto the output", "dsc compile m.onnx -o m.dsc --report m.dsc", 2, "m.dsc", leaves=("m.dsc",)),
    output("the page onto the input", "dsc inspect m.onnx --html m.onnx", 2, "is the input"),
    output("outputs of a run onto its input", "dsc run m.onnx --input y.npy --output-dir .", 2, "y.npy.*is the input",
           files={"y.npy": npy(np.ones((2, 3), np.float32))}),

    # Readers that go away.
    *(output(f"a reader that goes away, {what}", f"(dsc {what}; echo $? > code) | head -1; test $(cat code) = 0", 0,
             leaves=("code",)) for what in ("ops", "ops --json", "compile m.onnx --emit llvm", "explain m.onnx n0", "--help")),
    output("stdout closed", "dsc ops >&-", {0, 4}),
    output("stderr closed", "dsc compile nothing.onnx 2>&-; test $? = 4", 0),
    output("all closed", "dsc compile m.onnx -o m.dsc <&- >&- 2>&-", {0, 4}, leaves=("m.dsc",)),

    # Memory.
    *(output(f"{megabytes} MB of addresses, {verb}", f"ulimit -v {megabytes * 1000}; dsc {verb}", {0, 6}, leaves=("m.dsc",))
      for megabytes in (350, 400, 450, 500, 600)
      for verb in ("compile m.onnx -o m.dsc", "run m.onnx --random 1")),
    output("a run that needs more than allowed",
           "ulimit -v 3000000; dsc run m.onnx --random 1 --shape x=300000000x3", 6, "memory"),
    output("a model larger than what is allowed", "truncate -s 2G m.onnx; ulimit -v 1500000; dsc compile m.onnx", 6,
           "memory", leaves=("m.onnx",)),
    output("time that is up", "ulimit -t 1; dsc run e.onnx --random 1", 6, "time limit", files={"e.onnx": ENDLESS}),

    # Signals.
    *(interrupted(f"{name} after {seconds} s of compiling", number, seconds)
      for name, number in (("Ctrl-C", signal.SIGINT), ("SIGTERM", signal.SIGTERM), ("a hang-up", signal.SIGHUP))
      for seconds in (0.3, 0.6, 1.0)),
    interrupted("Ctrl-C of a run", signal.SIGINT, 1.0, "exec dsc run m.onnx --random 1", ENDLESS),
    interrupted("Ctrl-C of a benchmark", signal.SIGINT, 1.0, "exec dsc bench m.onnx", ENDLESS),
    Row("killed: the child ends, too", {"m.onnx": ENDLESS},
        "dsc run m.onnx --random 1 & sleep 1; kill -9 $!; sleep 0.2; ! ps -o args= --ppid 1 | grep -q '^dsc run m.onnx'", 0),
]

if __name__ == "__main__":
    run_table(ROWS)
