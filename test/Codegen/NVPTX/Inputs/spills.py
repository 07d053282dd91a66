"""Assembles PTX and fails where a kernel spills registers: spills.py FILE.ptx [ARCHITECTURE]."""

import re
import subprocess
import sys


def main():
    path, architecture = sys.argv[1], (sys.argv[2:] or ["sm_80"])[0]
    text = subprocess.run(["ptxas", "-v", f"-arch={architecture}", path, "-o", path + ".cubin"],
                          check=True, capture_output=True, text=True).stderr
    kernels = re.findall(r"Function properties for (\w+)\n.*?(\d+) bytes stack frame, (\d+) bytes "
                         r"spill stores, (\d+) bytes spill loads.*?Used (\d+) registers", text,
                         re.DOTALL)
    entries = open(path).read().count(".visible .entry")
    spilled = [name for name, _, stores, loads, _ in kernels if int(stores) or int(loads)]
    most = max((int(registers) for *_, registers in kernels), default=0)
    print(f"{len(kernels)} kernels, at most {most} registers, spilling: {spilled or 'none'}")
    assert len(kernels) == entries and not spilled


main()
