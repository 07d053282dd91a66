#!/bin/sh
# demo.sh BUILD VENV: a model from nothing to a checked answer, one command a step.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
python=$(cd "$2" && pwd)/bin/python
out=$build/demo
mkdir -p "$out"
cd "$out"
PATH=$build/bin:$PATH

step() { echo; echo "\$ $*"; "$@"; }

"$python" "$here/demo_model.py" model digit.onnx digit.npy
step dsc compile digit.onnx -o digit.dsc
step dsc run digit.dsc --input image=digit.npy --output-dir outputs
step dsc bench digit.dsc --min-time 0.5
"$python" "$here/demo_model.py" check digit.onnx digit.npy outputs
