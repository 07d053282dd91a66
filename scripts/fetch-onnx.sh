#!/bin/sh
# fetch-onnx.sh VENV: puts the ONNX source distribution into the cache
# (${XDG_CACHE_HOME:-~/.cache}/deepseekcc), where CMake looks for it. pip checks
# the hash before it unpacks anything; CMake checks it again.
set -eu
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
pin=$here/../tools/requirements-onnx.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/deepseekcc

version=$(sed -n 's/^onnx==\([^ ]*\).*/\1/p' "$pin")
sha256=$(sed -n 's/.*--hash=sha256:\([0-9a-f]*\).*/\1/p' "$pin")
archive=$cache/onnx-$version.tar.gz

is_right() { echo "$sha256  $1" | sha256sum --check --status 2>/dev/null; }

if [ -f "$archive" ] && is_right "$archive"; then
  exit 0
fi
echo "setup: ONNX $version sources into $cache"
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$venv/bin/pip" --quiet --disable-pip-version-check download --no-binary onnx --no-deps \
  --require-hashes --dest "$work" -r "$pin"
mv "$work/onnx-$version.tar.gz" "$archive"
