#!/bin/sh
# check-format.sh [--fix]: runs clang-format over the C and C++ files that git
# tracks. Exits with 77 (skipped, for ctest) outside a git checkout.
set -eu
cd "$(dirname "$0")/.."

clang_format=$(command -v clang-format-22 || echo /usr/lib/llvm-22/bin/clang-format)
if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1 || [ ! -x "$clang_format" ]; then
  echo "format: not a git checkout, or clang-format 22 is missing"
  exit 77
fi
if [ "${1:-}" = --fix ]; then
  mode=-i
else
  # One message for each file.
  mode="--dry-run --Werror -ferror-limit=1"
fi
# No file at all is right, too: xargs -r.
git ls-files -z --cached '*.h' '*.hpp' '*.c' '*.cpp' | xargs -0 -r "$clang_format" $mode
