#!/bin/sh
# fetch-models.sh DIR VENV: puts the ten models of the demo, with labels and
# dictionary, into DIR. They come out of Python packages that pip downloads, checks
# against the hashes of tools/requirements-demo.txt, and does not install. Does
# nothing when DIR is up to date.
set -eu
dir=$1
venv=$2
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/../tools/requirements-demo.txt
unpack=$here/demo_unpack.py

stamp=$dir/fetched.stamp
if [ -f "$stamp" ] && cat "$requirements" "$unpack" | cmp -s - "$stamp"; then
  exit 0
fi
echo "setup: models of the demo into $dir"
mkdir -p "$dir"
wheels=$(mktemp -d "$dir/wheels.XXXXXX")
trap 'rm -rf "$wheels"' EXIT
"$venv/bin/pip" --quiet --disable-pip-version-check download --only-binary :all: --no-deps \
  --require-hashes --dest "$wheels" -r "$requirements"
"$venv/bin/python" "$unpack" "$wheels" "$dir"
cat "$requirements" "$unpack" >"$stamp"
