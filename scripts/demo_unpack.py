"""demo_unpack.py WHEELS DIR: takes the demo's models out of Python packages.

DIR/NAME.onnx             ten models
DIR/magika.labels.txt     a line for each class: label threshold output generic
DIR/ppocr_rec.chars.txt   the characters of the recogniser, one a line
"""

import glob
import json
import os
import sys
import zipfile

import onnx

# Package -> files in it -> names here.
MODELS = {
    "magika": {"magika/models/standard_v3_3/model.onnx": "magika"},
    "rapidocr_onnxruntime": {
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx": "ppocr_det",
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx": "ppocr_cls",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx": "ppocr_rec",
    },
    "silero_vad": {
        f"silero_vad/data/{name}.onnx": name
        for name in ["silero_vad", "silero_vad_16k_op15", "silero_vad_16k_sequence",
                     "silero_vad_half", "silero_vad_op18_ifless", "silero_vad_openvino_16k"]
    },
}

# What examples/magika/Features.h says about the model.
FEATURES = {"beg_size": 1024, "mid_size": 0, "end_size": 1024, "use_inputs_at_offsets": False,
            "min_file_size_for_dl": 8, "padding_token": 256, "block_size": 4096}


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def magika_labels(package):
    """The lines of magika.labels.txt, from the package's two JSON files."""
    config = json.loads(package.read("magika/models/standard_v3_3/config.min.json"))
    kinds = json.loads(package.read("magika/config/content_types_kb.min.json"))
    for key, value in FEATURES.items():
        if config[key] != value:
            sys.exit(f"demo: magika's {key} is {config[key]}, examples/magika expects {value}")
    for label in config["target_labels_space"]:
        threshold = config["thresholds"].get(label, config["medium_confidence_threshold"])
        output = config["overwrite_map"].get(label, label)
        generic = "txt" if kinds[output]["is_text"] else "unknown"
        yield f"{label} {threshold} {output} {generic}"


def recognizer_characters(path):
    properties = {p.key: p.value for p in onnx.load(path).metadata_props}
    return properties["character"].splitlines()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wheels, directory = sys.argv[1:]
    for name, files in MODELS.items():
        (wheel,) = glob.glob(os.path.join(wheels, f"{name}-*.whl"))
        with zipfile.ZipFile(wheel) as package:
            for source, target in files.items():
                with open(os.path.join(directory, target + ".onnx"), "wb") as file:
                    file.write(package.read(source))
            if name == "magika":
                write_lines(os.path.join(directory, "magika.labels.txt"), magika_labels(package))
    write_lines(os.path.join(directory, "ppocr_rec.chars.txt"),
                recognizer_characters(os.path.join(directory, "ppocr_rec.onnx")))


if __name__ == "__main__":
    main()
