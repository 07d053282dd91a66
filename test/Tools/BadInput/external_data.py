"""References to external data: where a model's weights may lie, and where not."""

import os

from harness import Row, model, run_table
from onnx import TensorProto

COMPILE = "dsc compile m.onnx -o m.dsc"
BYTES = bytes(range(12))  # of float[3]


def model_with(*references, dims=(3,)):
    """y = x + w0 + w1 ...: each w is external data as the reference says."""
    sums = " ".join(f"h{i + 1} = Add(h{i}, w{i})" for i in range(len(references)))
    proto = model(f"g (float[3] h0) => (float[3] h{len(references)}) {{ {sums} }}")
    for i, reference in enumerate(references):
        tensor = proto.graph.initializer.add(name=f"w{i}", dims=dims, data_type=TensorProto.FLOAT,
                                             data_location=TensorProto.EXTERNAL)
        for key, value in reference.items():
            tensor.external_data.add(key=key, value=str(value))
    return proto.SerializeToString()


def refused(name, reference, code, *says, files=None, command=COMPILE, path="m.onnx", **options):
    return Row(name, {path: model_with(reference, **options), **(files or {"w.bin": BYTES})},
               command, code, ("tensor 'w0'", *says))


def link_to(target, make=os.symlink):
    return lambda path: make(target, path)


def hard_link(path):
    other = os.path.join(os.path.dirname(path), "other")
    with open(other, "wb") as file:
        file.write(BYTES)
    os.link(other, path)


HUGE = (0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFF0, 1 << 64, 10**30)
ROWS = [
    Row("right", {"m.onnx": model_with({"location": "w.bin"}), "w.bin": BYTES}, COMPILE, 0,
        leaves=("m.dsc",)),
    Row("right, in a folder below", {"m.onnx": model_with({"location": "a/w.bin"}), "a/w.bin": BYTES},
        COMPILE, 0, leaves=("m.dsc",)),
    Row("right, through a link that stays inside",
        {"m.onnx": model_with({"location": "w.bin"}), "real.bin": BYTES, "w.bin": link_to("real.bin")},
        COMPILE, 0, leaves=("m.dsc",)),

    refused("missing", {"location": "nowhere.bin"}, 4, "'nowhere.bin'", "No such file", "help: put the file"),
    refused("missing folder", {"location": "no/where.bin"}, 4, "'no/where.bin'", "No such file"),
    refused("no location", {}, 3, "without a file name"),
    refused("empty location", {"location": ""}, 3, "without a file name"),
    refused("the folder itself", {"location": "."}, 3, "'.'"),
    refused("a folder", {"location": "w.bin"}, 3, "w.bin", files={"w.bin": os.makedirs}),
    refused("a pipe", {"location": "w.bin"}, 3, "w.bin", files={"w.bin": os.mkfifo}),
    refused("a name with a zero byte", {"location": "w.bin\0.txt"}, 3, "without a file name"),
    refused("a name with a line break", {"location": "w\n.bin"}, 4, r"'w\\x0a\.bin'"),
    refused("a name of 10,000 letters", {"location": "w" * 10_000}, 4, "File name too long"),

    refused("absolute", {"location": "/etc/passwd"}, 3, "'/etc/passwd', outside of the model's folder",
            "help: external data must lie beside"),
    refused("absolute, missing", {"location": "/no/such/file"}, 3, "outside of the model's folder"),
    refused("above", {"location": "../w.bin"}, 3, "'../w.bin', outside of the model's folder",
            files={"w.bin": BYTES}, path="sub/m.onnx", command="dsc compile sub/m.onnx -o m.dsc"),
    refused("above by a detour", {"location": "a/../../w.bin"}, 3, "outside of the model's folder"),
    refused("far above", {"location": "../" * 50 + "etc/passwd"}, 3, "outside of the model's folder"),
    refused("a symbolic link that leads out", {"location": "w.bin"}, 3, "a link that leads out",
            "help: replace the link", files={"w.bin": link_to("/etc/passwd")}),
    refused("a folder that leads out", {"location": "etc/passwd"}, 3, "a link that leads out",
            files={"etc": link_to("/etc")}),
    refused("a link to itself", {"location": "w.bin"}, 4, "cannot be read", files={"w.bin": link_to("w.bin")}),
    refused("a hard link", {"location": "w.bin"}, 3, "several hard links", "help: replace it",
            files={"w.bin": hard_link}),
    refused("a device by a link", {"location": "w.bin"}, 3, "leads out", files={"w.bin": link_to("/dev/zero")}),

    refused("too short", {"location": "w.bin"}, 3, "needs 12 bytes from offset 0 of 'w.bin', which has only 11",
            "help: the file may have been truncated", files={"w.bin": BYTES[:11]}),
    refused("empty", {"location": "w.bin"}, 3, "has only 0", files={"w.bin": b""}),
    refused("too short behind the offset", {"location": "w.bin", "offset": 8}, 3, "from offset 8"),
    refused("length that is not the tensor's", {"location": "w.bin", "length": 8}, 3, "needs 12 bytes but has 8"),
    refused("negative offset", {"location": "w.bin", "offset": -4}, 3, "malformed offset or length: '-4'"),
    refused("negative length", {"location": "w.bin", "length": -12}, 3, "malformed offset or length"),
    refused("offset that is no number", {"location": "w.bin", "offset": "four"}, 3, "malformed offset.*'four'"),
    refused("offset with blanks", {"location": "w.bin", "offset": " 0"}, 3, "malformed offset"),
    *(refused(f"offset {offset}", {"location": "w.bin", "offset": offset}, 3, "offset") for offset in HUGE),
    *(refused(f"length {length}", {"location": "w.bin", "length": length}, 3, "12 bytes|length") for length in HUGE),
    refused("more than the file can hold", {"location": "w.bin"}, 3, "needs 4398046511104 bytes",
            dims=(1 << 40,)),
    refused("a size that overflows", {"location": "w.bin"}, 3, "overflow|64 bits", dims=(1 << 62,)),
    refused("a negative size", {"location": "w.bin"}, 3, "negative", dims=(-3,)),

    Row("all at once", {"m.onnx": model_with({"location": "a.bin"}, {"location": "/etc/passwd"},
                                             {"location": "w.bin", "offset": "x"}), "w.bin": BYTES},
        COMPILE, 3, ("'w0'.*'a.bin'", "'w1'.*'/etc/passwd'", "'w2'.*'x'")),
    Row("a reference that only dsc itself makes",
        {"m.onnx": model_with({"location": "/etc/passwd", "offset": 0, "length": 12, "dsc.resolved": 1})},
        COMPILE, 3, ("outside of the model's folder",)),
    Row("a reference into the model's own file that is too long",
        {"m.onnx": model_with({"location": "", "offset": 1 << 40, "length": 12, "dsc.self": 1})},
        COMPILE, 3, ("'w0'",)),
    *(Row(f"{verb} with data outside", {"m.onnx": model_with({"location": "../w"})}, f"dsc {verb}", 3,
          ("outside of the model's folder",))
      for verb in ("run m.onnx --random 1", "bench m.onnx", "inspect m.onnx", "explain m.onnx 0")),
]

if __name__ == "__main__":
    run_table(ROWS)
