#!/usr/bin/env python3
"""Runs the example of a document through dsc-opt, and checks what the document shows.

usage: replay_example.py DOCUMENT.md FOLDER

A code block behind `<!-- example: input -->` is the IR; one behind `<!-- example: OPTIONS -->`
has lines that must come in this order in the output of `dsc-opt OPTIONS`. FileCheck does
the comparison, so a line may use its `{{...}}`.
"""

import os
import re
import subprocess
import sys

BLOCK = re.compile(r"<!-- example: (.*?) -->\n```\w*\n(.*?)```", re.DOTALL)


def main():
    document, folder = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        blocks = BLOCK.findall(file.read())
    if len(blocks) < 2 or blocks[0][0] != "input":
        sys.exit(f"{document}: no example")
    os.makedirs(folder, exist_ok=True)
    model = os.path.join(folder, "model.mlir")
    with open(model, "w", encoding="utf-8") as file:
        file.write(blocks[0][1])
    for number, (options, text) in enumerate(blocks[1:]):
        checks = os.path.join(folder, f"checks-{number}")
        with open(checks, "w", encoding="utf-8") as file:
            file.writelines(f"CHECK: {line}\n" for line in text.splitlines() if line.strip())
        shown = subprocess.run(["dsc-opt", model, *options.split()], check=True,
                               capture_output=True, text=True).stdout
        subprocess.run(["FileCheck", checks], input=shown, check=True, text=True)


if __name__ == "__main__":
    main()
