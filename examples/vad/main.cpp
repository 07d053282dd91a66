//===- main.cpp - marks speech in a sound -----------------------------------===//
//
//   vad silero_vad.dsc SOUND.wav
//
// Works with each variant of the model: those that take one window of 32 ms a step
// and hand a state on from step to step, and the one that takes all windows at once.
//
//===----------------------------------------------------------------------===//
#include <array>
#include <cstdio>
#include <vector>

#include "Segments.h"
#include "Wave.h"
#include "common/Arguments.h"

using namespace examples;

constexpr int kInput = kContext + kWindow;

/// One row for each window: the end of the window before, then the window; silence
/// before the first and after the last sample.
static std::vector<float> makeRows(const std::vector<float> &samples) {
  int64_t count = samples.size();
  int64_t rows = (count + kWindow - 1) / kWindow;
  std::vector<float> input(rows * kInput);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < kInput; ++i) {
      int64_t at = row * kWindow - kContext + i;
      if (at >= 0 && at < count)
        input[row * kInput + i] = samples[at];
    }
  return input;
}

static std::vector<float> runWindowByWindow(Session &session, const std::vector<float> &rows) {
  const std::array<int64_t, 1> rate = {kRate};
  const Dims stateDims = {2, 1, 128};
  std::vector<float> state(2 * 128, 0.0f);
  std::vector<float> probabilities;
  if (session.hasInput("sr"))
    session.setInput("sr", rate, {});
  for (size_t at = 0; at < rows.size(); at += kInput) {
    session.setInput("input", dsc::Span(&rows[at], kInput), {1, kInput});
    session.setInput("state", state, stateDims);
    session.run();
    probabilities.push_back(session.output(0).as<float>()[0]);
    state = session.output(1).toVector<float>();
  }
  return probabilities;
}

static std::vector<float> runAllWindows(Session &session, const std::vector<float> &rows) {
  int64_t count = rows.size() / kInput;
  std::vector<float> zeros(128, 0.0f);
  session.setInput("input", rows, {count, kInput});
  session.setInput("h", zeros, {1, 1, 128});
  session.setInput("c", zeros, {1, 1, 128});
  session.run();
  return session.output(0).toVector<float>();
}

static int markSpeech(const Arguments &arguments) {
  Sound sound = resample(readWave(arguments.positional[1]), kRate);
  Session session(arguments.positional[0], arguments.session);
  std::vector<float> rows = makeRows(sound.samples);
  std::vector<float> probabilities =
      session.hasInput("state") ? runWindowByWindow(session, rows) : runAllWindows(session, rows);
  for (const Segment &segment : findSpeech(probabilities, sound.samples.size()))
    std::printf("speech from %.2f s to %.2f s\n", double(segment.begin) / kRate,
                double(segment.end) / kRate);
  return 0;
}

int main(int argc, char **argv) {
  return runMain(argc, argv, 2, "MODEL.dsc SOUND.wav", markSpeech);
}
