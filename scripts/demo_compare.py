"""demo_compare.py MODELS RUNS: repeats with ONNX Runtime what the examples recorded.

RUNS/NAME/NUMBER/{input,output}-VALUE.npy are the runs of the model MODELS/NAME.onnx.
Prints the largest differences; exits with 1 when one is too large.
"""

import glob
import os
import sys
from dataclasses import dataclass

import numpy as np
import onnxruntime

onnxruntime.disable_telemetry_events()

# What counts as the same answer, of each element and of the largest one.
RTOL, ATOL = 1e-3, 1e-4


@dataclass
class Agreement:
    runs: int
    absolute: float = 0.0  # the largest difference
    relative: float = 0.0  # the largest difference by the largest value of its output
    same: bool = True

    def add(self, have, want):
        """Compares what one output was in all runs. A probability that is almost zero
        in one of them has few correct digits; hence the largest of all is the measure."""
        largest = max(max(float(np.abs(w).max()) for w in want), np.finfo(np.float32).tiny)
        for h, w in zip(have, want):
            if h.shape != w.shape or np.isnan(h).any():
                difference = float("inf")
            else:
                difference = float(np.abs(h - w).max())
            self.absolute = max(self.absolute, difference)
            self.relative = max(self.relative, difference / largest)
            self.same &= difference < float("inf") and np.allclose(
                h, w, rtol=RTOL, atol=ATOL * largest)

    def __str__(self):
        return (f"{self.runs} runs, largest difference {self.absolute:.1e}, "
                f"relative to the largest value {self.relative:.1e}")


def compare(model, runs):
    """Agreement of the recorded runs with ONNX Runtime on the same inputs."""
    session = ort_session(model, threads=1)
    expected = [session.run(None, load(run, "input")) for run in runs]
    got = [load(run, "output") for run in runs]
    agreement = Agreement(len(runs))
    for output, want in zip(session.get_outputs(), zip(*expected)):
        agreement.add([run[output.name.replace("/", "_")] for run in got], want)
    return agreement


def ort_session(path, threads):
    """A session as it is by default: all optimisations on, threads spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def recorded_runs(directory):
    return sorted(glob.glob(os.path.join(directory, "[0-9]*")))


def load(run, kind):
    """The arrays of a recorded run, inputs or outputs, by name."""
    return {os.path.basename(path)[len(kind) + 1:-len(".npy")]: np.load(path)
            for path in glob.glob(os.path.join(run, kind + "-*.npy"))}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    models, directory = sys.argv[1:]
    results = {name: compare(os.path.join(models, name + ".onnx"),
                             recorded_runs(os.path.join(directory, name)))
               for name in sorted(os.listdir(directory))}
    for name, agreement in results.items():
        print(f"{name}: {agreement}" + ("" if agreement.same else ": NOT THE SAME"))
    sys.exit(0 if results and all(a.same and a.runs for a in results.values()) else 1)


if __name__ == "__main__":
    main()
