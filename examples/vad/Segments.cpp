//===- Segments.cpp - from probabilities to stretches of speech -------------===//
#include "Segments.h"

#include <algorithm>
#include <optional>

namespace examples {

constexpr float kSpeechThreshold = 0.5f;
constexpr float kSilenceThreshold = 0.35f;
constexpr int64_t kMinSpeech = kRate / 4;
constexpr int64_t kMinSilence = kRate / 10;
constexpr int64_t kPad = kRate * 3 / 100;

static std::vector<Segment> rawSegments(const std::vector<float> &probabilities,
                                        int64_t sampleCount) {
  std::vector<Segment> segments;
  std::optional<int64_t> begin;   // of the speech that goes on
  std::optional<int64_t> silence; // where it may have ended
  auto close = [&](int64_t end) {
    if (end - *begin > kMinSpeech)
      segments.push_back({*begin, end});
    begin.reset();
    silence.reset();
  };

  for (size_t i = 0; i < probabilities.size(); ++i) {
    int64_t now = static_cast<int64_t>(i) * kWindow;
    if (probabilities[i] >= kSpeechThreshold) {
      silence.reset();
      if (!begin)
        begin = now;
    } else if (begin && probabilities[i] < kSilenceThreshold) {
      if (!silence)
        silence = now;
      if (now - *silence >= kMinSilence)
        close(*silence);
    }
  }
  if (begin)
    close(sampleCount);
  return segments;
}

std::vector<Segment> findSpeech(const std::vector<float> &probabilities, int64_t sampleCount) {
  std::vector<Segment> segments = rawSegments(probabilities, sampleCount);
  for (size_t i = 0; i < segments.size(); ++i) {
    if (i == 0)
      segments[i].begin = std::max<int64_t>(0, segments[i].begin - kPad);
    if (i + 1 == segments.size()) {
      segments[i].end = std::min(sampleCount, segments[i].end + kPad);
      break;
    }
    int64_t pad = std::min(kPad, (segments[i + 1].begin - segments[i].end) / 2);
    segments[i].end += pad;
    segments[i + 1].begin -= pad;
  }
  return segments;
}

} // namespace examples
