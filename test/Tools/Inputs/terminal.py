"""terminal.py COMMAND...: runs the command with a terminal as stderr; prints what it says."""

import os
import pty
import subprocess
import sys

ours, theirs = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stderr=theirs, stdout=subprocess.DEVNULL)
os.close(theirs)
text = b""
try:
    while data := os.read(ours, 4096):
        text += data
except OSError:  # the last writer has gone
    pass
process.wait()
sys.stdout.write(text.decode().replace("\r\n", "\n"))
