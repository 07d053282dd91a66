"""interrupt.py COMMAND...: sends SIGINT while the command is at work; succeeds if it
exits with 130. A signal that came before the command's main() is tried again later,
one that came too late earlier."""

import signal
import subprocess
import sys
import time

delay = 0.3
for _ in range(20):
    process = subprocess.Popen(sys.argv[1:], stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    code = process.wait()
    if code == 130:
        sys.exit(0)
    if code not in (0, -signal.SIGINT):
        break
    delay *= 0.7 if code == 0 else 1.3
sys.exit(f"exit code {code}, expected 130")
