#!/bin/sh
# demo.sh BUILD VENV: ten models from Python packages, compiled and run on real
# input by the programs of examples/, compared with ONNX Runtime.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
python=$(cd "$2" && pwd)/bin/python

"$here/fetch-models.sh" "$build/models" "$2"
"$here/build-examples.sh" "$build"
"$here/make-demo-inputs.sh" "$build" "$build/demo/inputs"
exec "$python" "$here/demo.py" "$build"
