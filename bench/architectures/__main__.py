"""usage: python3 -m architectures [--wide N] [--list] FOLDER [NAME...]

Writes the models (all without names) to FOLDER/NAME.onnx.
"""

import argparse
import os

import onnx

from . import all_architectures


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--wide", type=int, default=1, help="multiplies channels; 4 for timing")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    known = all_architectures()
    if arguments.list or not arguments.folder:
        print("\n".join(known))
        return
    os.makedirs(arguments.folder, exist_ok=True)
    for name in arguments.names or known:
        model = known[name].graph(arguments.wide).model(name)
        onnx.save(model, os.path.join(arguments.folder, name + ".onnx"))


if __name__ == "__main__":
    main()
