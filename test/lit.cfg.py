"""Configuration of the lit tests.

Tools (dsc, dsc-opt, FileCheck, not, split-file) come from PATH. Substitutions:
%python (has numpy, onnx, onnxruntime; REQUIRES: python-onnx), %cc, %cxx,
%source_root, %lib_dir (of libdsc_runtime), %runtime_include, %models (those of packages),
%fake_cuda (folder of a libcuda.so.1 whose GPU is an emulator).
Features for REQUIRES lines: the CPU's as /proc/cpuinfo spells them (avx2, avx512f,
amx_tile), python-onnx, package-models, ptxas.
"""

import os
import shutil
import subprocess

import lit.formats

config.name = "dsc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.dsc_binary_root, "test")


def cpu_features():
    """The instruction sets that Linux reports, as it spells them."""
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("flags") or line.startswith("Features"):
                    return line.split(":", 1)[1].split()
    except OSError:
        pass
    return []


def has_python_onnx():
    """Whether %python exists and has the packages of tools/requirements.txt."""
    command = [config.dsc_python, "-c", "import numpy, onnx, onnxruntime"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


config.available_features.update(cpu_features())
if has_python_onnx():
    config.available_features.add("python-onnx")
models = os.path.join(config.dsc_binary_root, "models")
if os.path.exists(os.path.join(models, "fetched.stamp")):
    config.available_features.add("package-models")
if shutil.which("ptxas"):
    config.available_features.add("ptxas")

path = [config.dsc_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
config.environment["PATH"] = os.pathsep.join(path)
# Messages are compared as text.
config.environment["LC_ALL"] = "C.UTF-8"
config.environment["NO_COLOR"] = "1"
config.environment["FILECHECK_OPTS"] = "--dump-input-filter=annotation"

config.substitutions += [
    ("%python", config.dsc_python),
    ("%cc", config.dsc_cc),
    ("%cxx", config.dsc_cxx),
    ("%source_root", config.dsc_source_root),
    ("%lib_dir", config.dsc_lib_dir),
    ("%models", models),
    ("%fake_cuda", os.path.join(config.dsc_binary_root, "fake-cuda")),
    ("%runtime_include", os.path.join(config.dsc_source_root, "runtime", "include")),
]
