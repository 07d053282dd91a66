"""exit_code.py CODE COMMAND...: succeeds if the command exits with that code."""

import subprocess
import sys

expected, *command = sys.argv[1:]
code = subprocess.run(command).returncode
if code != int(expected):
    sys.exit(f"{' '.join(command)}: exit code {code}, expected {expected}")
