"""The inner loops of x86 assembly that multiply: inner_loops.py MODEL.onnx TARGET.

Compiles the model with `dsc compile --emit asm`, and prints for each innermost loop
that has packed multiply-adds how many of those, how many loads of vectors and
broadcasts, and how many accesses of the stack (spills) it has for one step of its
unrolling: the fewest adds to one register.
"""

import collections
import re
import subprocess
import sys


def innermost_loops(lines):
    """Bodies of loops without labels inside: from a label to a jump back to it."""
    label, start = None, 0
    for i, line in enumerate(lines):
        if match := re.match(r"(\.L\w+):", line):
            label, start = match[1], i
        elif (match := re.match(r"\s+j\w+\s+(\.L\w+)", line)) and match[1] == label:
            yield lines[start:i]


def main():
    command = ["dsc", "compile", "-q", sys.argv[1], "--emit", "asm", "--target", sys.argv[2]]
    output = sys.argv[1] + ".s"
    subprocess.run([*command, "-o", output], check=True)
    with open(output) as file:
        lines = file.read().splitlines()
    for body in innermost_loops(lines):
        sums = collections.Counter(
            line.split(",")[-1].strip() for line in body if re.search(r"\svfn?madd\w+ps\s.*[yz]mm", line))
        if not sums:
            continue
        unroll = min(sums.values())
        spills = sum("(%rsp" in line for line in body)
        loads = sum(bool(re.search(r"\sv(mov[au]ps|broadcastss)\s.*\(", line)) for line in body)
        print(f"multiply-adds {sum(sums.values()) // unroll} loads {loads // unroll} spills {spills}")


if __name__ == "__main__":
    main()
