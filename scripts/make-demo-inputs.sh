#!/bin/sh
# make-demo-inputs.sh BUILD DIR: draws the pictures and speaks the sound that the
# demo and the tests of the examples use.
set -eu
build=$1
dir=$2
mkdir -p "$dir"
"$build/examples/bin/draw-text" "$dir/sign.ppm" "COMPILED AHEAD OF TIME" -6
"$build/examples/bin/draw-text" "$dir/upside-down.ppm" "UPSIDE DOWN 180" 180
espeak-ng -m -w "$dir/speech.wav" '<speak>The model was compiled ahead of time.
  <break time="1800ms"/>And now it listens to this voice.<break time="1200ms"/></speak>'
