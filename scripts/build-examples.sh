#!/bin/sh
# build-examples.sh BUILD: installs the runtime below BUILD/stage and builds the
# examples against it, in BUILD/examples, as a project of their own.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)

cmake --install "$build" --component runtime --prefix "$build/stage" >"$build/stage.log"
if [ ! -f "$build/examples/build.ninja" ]; then
  compiler=${CXX:-$(command -v clang++-22 || command -v c++)}
  cmake -S "$root/examples" -B "$build/examples" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$build/stage" >"$build/examples.log"
fi
cmake --build "$build/examples"
