"""demo.py BUILD: compiles the models in BUILD/models, runs the programs of examples/
with them, compares each run with ONNX Runtime on the same inputs, times both, and
prints what came out as a table.
"""

import collections
import glob
import os
import shutil
import subprocess
import sys
import time

import onnxruntime

from demo_compare import compare, load, recorded_runs
from demo_runtime import DscRunner, Library, OrtRunner

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VAD_MODELS = ["silero_vad", "silero_vad_16k_op15", "silero_vad_16k_sequence", "silero_vad_half",
              "silero_vad_op18_ifless", "silero_vad_openvino_16k"]
MODELS = ["magika", "ppocr_det", "ppocr_cls", "ppocr_rec"] + VAD_MODELS

THREADS = [1, 2]
SECONDS = 1.0  # for timing one model with one number of threads in each runtime


class Demo:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.rows = collections.defaultdict(dict)  # model -> column -> text
        self.failures = []
        shutil.rmtree(self.path("demo", "runs"), ignore_errors=True)
        os.makedirs(self.path("demo", "runs"))

    def path(self, *parts):
        return os.path.join(self.build, *parts)

    def onnx(self, model):
        return self.path("models", model + ".onnx")

    def dsc(self, model):
        return self.path("demo", model + ".dsc")

    def compile(self, model):
        start = time.perf_counter()
        subprocess.run([self.path("bin", "dsc"), "compile", "-q", self.onnx(model),
                        "-o", self.dsc(model)], check=True)
        self.rows[model]["compile"] = f"{time.perf_counter() - start:.2f} s"
        self.rows[model]["size"] = f"{os.path.getsize(self.dsc(model)) / 1e6:.1f} MB"

    def run_example(self, program, *arguments):
        """Runs a program of examples/, recording its runs of models; returns its lines."""
        shown = [os.path.relpath(a, ROOT) for a in arguments]
        print(f"\n$ {program} {' '.join(shown[:5])}{' ...' if len(shown) > 5 else ''}")
        output = subprocess.run(
            [self.path("examples", "bin", program), *shown, "--record", self.path("demo", "runs")],
            check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
        print(output, end="")
        return output.splitlines()

    def name_types(self):
        lines = self.run_example("magika", self.dsc("magika"),
                                 self.path("models", "magika.labels.txt"), *repository_files())
        types = {line.split(": ")[1].split()[0] for line in lines}
        self.rows["magika"]["answer"] = f"{len(lines)} files, {len(types)} types"

    def read_picture(self):
        models = ["ppocr_det", "ppocr_cls", "ppocr_rec"]
        lines = self.run_example("ocr", *map(self.dsc, models),
                                 self.path("models", "ppocr_rec.chars.txt"),
                                 self.path("demo", "inputs", "sign.ppm"))
        words = [line.split(" ", 6) for line in lines]  # four corners, direction, score, text
        self.rows["ppocr_det"]["answer"] = f"{len(lines)} line" + ("s" if len(lines) != 1 else "")
        self.rows["ppocr_cls"]["answer"] = ", ".join(w[4] for w in words)
        self.rows["ppocr_rec"]["answer"] = "; ".join(w[6] for w in words)

    def mark_speech(self, model):
        lines = self.run_example("vad", self.dsc(model), self.path("demo", "inputs", "speech.wav"))
        words = [line.split() for line in lines]  # speech from A s to B s
        self.rows[model]["answer"] = ", ".join(f"{w[2]}-{w[5]} s" for w in words)

    def compare(self, model):
        agreement = compare(self.onnx(model), self.recorded_runs(model))
        self.rows[model]["max error"] = f"{agreement.absolute:.1e}"
        self.rows[model]["relative"] = f"{agreement.relative:.1e}"
        if not agreement.same:
            self.failures.append(f"{model}: the outputs are not those of ONNX Runtime")

    def recorded_runs(self, model):
        return recorded_runs(self.path("demo", "runs", model))

    def measure(self, model):
        """Times both runtimes on a recorded input, by turns; the least time of each counts."""
        runs = self.recorded_runs(model)
        inputs = load(runs[len(runs) // 2], "input")
        library = Library(self.path("lib", "libdsc_runtime.so"))
        for threads in THREADS:
            ours = DscRunner(library, self.dsc(model), inputs, threads)
            theirs = OrtRunner(self.onnx(model), inputs, threads)
            least = [float("inf"), float("inf")]
            for _ in range(5):
                for i, runner in enumerate([ours, theirs]):
                    least[i] = min(least[i], least_time(runner.run, SECONDS / 5))
            ours.close()
            self.rows[model][f"dsc x{threads}"] = milliseconds(least[0])
            self.rows[model][f"ort x{threads}"] = milliseconds(least[1])

    def run(self):
        for model in MODELS:
            self.compile(model)
        self.name_types()
        self.read_picture()
        for model in VAD_MODELS:
            self.mark_speech(model)
        for model in MODELS:
            self.compare(model)
            self.measure(model)
        print()
        print_table(self.rows)
        print(f"\nmax error, relative: largest difference from ONNX Runtime {onnxruntime.__version__} (ort) on "
              "the same inputs, in all\nruns, and by the output's largest value. "
              "x1, x2: threads; the least time of many runs, both by turns.")
        for failure in self.failures:
            print("demo: " + failure, file=sys.stderr)
        return 1 if self.failures else 0


def repository_files():
    """Of each kind of name in this repository, the first file."""
    kinds = {}
    for directory, subdirectories, files in os.walk(ROOT):
        subdirectories[:] = sorted(d for d in subdirectories if not d.startswith((".", "build", "__")))
        for name in sorted(files):
            path = os.path.join(directory, name)
            if os.path.isfile(path):
                kinds.setdefault(os.path.splitext(name)[1] or name, path)
    return sorted(kinds.values())


def least_time(run, seconds):
    least, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        run()
        now = time.perf_counter()
        least = min(least, now - start)
        if now >= end:
            return least


def milliseconds(seconds):
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds * 1e3:.0f} ms"


def print_table(rows):
    columns = ["model"] + list(next(iter(rows.values())))
    lines = [columns] + [[model, *(row[c] for c in columns[1:])] for model, row in rows.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for number, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(Demo(sys.argv[1]).run())
    except subprocess.CalledProcessError as error:
        sys.exit(f"demo: {os.path.basename(error.cmd[0])} failed with status {error.returncode}")


if __name__ == "__main__":
    main()
