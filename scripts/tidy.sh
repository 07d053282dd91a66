#!/bin/sh
# tidy.sh BUILD JOBS: clang-tidy over our files, with the build's commands.
set -eu
build=$1
jobs=$2
cd "$(dirname "$0")/.."
prefix=/usr/lib/llvm-22/bin
exec "$prefix/run-clang-tidy" -quiet -j "$jobs" -p "$build" \
  -clang-tidy-binary "$prefix/clang-tidy" "^$PWD/(lib|runtime|tools|test)/"
