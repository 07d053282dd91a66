#!/bin/sh
# setup-venv.sh DIR: makes a Python virtual environment with exactly what
# tools/requirements.txt pins (hash-checked). Does nothing when DIR is up to date.
set -eu
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/../tools/requirements.txt

# The pins are for Debian's Python; another one may come first in PATH.
python=/usr/bin/python3
[ -x $python ] || python=python3

stamp=$venv/requirements.stamp
if [ -f "$stamp" ] && cmp -s "$stamp" "$requirements"; then
  exit 0
fi
echo "setup: Python packages into $venv"
$python -m venv --clear "$venv"
"$venv/bin/pip" --quiet --disable-pip-version-check install --require-hashes --only-binary :all: \
  -r "$requirements"
cp "$requirements" "$stamp"
