#!/usr/bin/env python3
"""Follows the recipe of docs/HACKING.md that adds an operator, in a copy of the sources.

usage: replay_recipe.py SOURCES FOLDER LIT [CMAKE_ARGUMENT...]

Blocks behind `<!-- recipe: append FILE -->` go in front of the file's last #endif, those
behind `<!-- recipe: create FILE -->` become files. Then dsc-opt is built and the new test run.
"""

import os
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(r"<!-- recipe: (\w+) (\S+) -->\n( *)```\w*\n(.*?)```", re.DOTALL)


def copy_sources(sources, copy):
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(sources, copy, ignore=shutil.ignore_patterns(".git", ".venv", "build*"))


def apply(action, path, text):
    if action == "create":
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(path, encoding="utf-8") as file:
        head, end, tail = file.read().rpartition("#endif")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + text + "\n" + end + tail)


def main():
    sources, folder, lit, *arguments = sys.argv[1:]
    copy, build = os.path.join(folder, "sources"), os.path.join(folder, "build")
    copy_sources(sources, copy)
    with open(os.path.join(sources, "docs", "HACKING.md"), encoding="utf-8") as file:
        blocks = BLOCK.findall(file.read())
    tests = [path for action, path, _, _ in blocks if action == "create"]
    if not tests:
        sys.exit("docs/HACKING.md has no recipe with a test")
    for action, path, indent, text in blocks:
        lines = [line.removeprefix(indent) for line in text.splitlines(keepends=True)]
        apply(action, os.path.join(copy, path), "".join(lines))
    subprocess.run(["cmake", "-S", copy, "-B", build, "-G", "Ninja", *arguments], check=True)
    subprocess.run(["cmake", "--build", build, "--target", "dsc-opt"], check=True)
    for test in tests:
        name = os.path.join(build, test)
        subprocess.run([sys.executable, lit, "-v", name], check=True)


if __name__ == "__main__":
    main()
