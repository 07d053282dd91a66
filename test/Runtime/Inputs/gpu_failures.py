"""Lets each call of the driver fail once: gpu_failures.py ARTIFACT INPUT.

`dsc run` must end with an exit code of its own and name the call.
"""

import os
import subprocess
import sys

# Call, which one of a run, and the exit code.
CALLS = [("cuDeviceGet", 1, 5), ("cuDeviceGetAttribute", 1, 5), ("cuDevicePrimaryCtxRetain", 1, 6),
         ("cuCtxPushCurrent", 1, 70), ("cuModuleGetFunction", 2, 70), 
         ("cuMemAlloc", 1, 6), ("cuMemAlloc", 2, 6), ("cuMemAlloc", 3, 6),
         ("cuMemcpyHtoDAsync", 1, 70), ("cuMemcpyHtoDAsync", 2, 70), ("cuStreamCreate", 1, 6),
         ("cuMemsetD8Async", 1, 70), ("cuLaunchKernel", 1, 70), ("cuLaunchKernel", 2, 70),
         ("cuMemcpyDtoHAsync", 1, 70), ("cuStreamSynchronize", 2, 70)]


def main():
    artifact, array = sys.argv[1:]
    for call, number, wanted in CALLS:
        environment = {**os.environ, "FAKE_CUDA_FAIL": f"{call}:{number}", "FAKE_CUDA_RUN": "0"}
        done = subprocess.run(["dsc", "run", artifact, "--input", f"x={array}"], env=environment,
                              capture_output=True, text=True)
        assert done.returncode == wanted, (call, number, done.returncode, done.stderr)
        assert call in done.stderr or "out of memory" in done.stderr, (call, done.stderr)


main()
