//===- Segments.h - from probabilities to stretches of speech ---------------===//
#ifndef DSC_EXAMPLES_VAD_SEGMENTS_H
#define DSC_EXAMPLES_VAD_SEGMENTS_H

#include <cstdint>
#include <vector>

namespace examples {

constexpr int kRate = 16000; ///< samples a second
constexpr int kWindow = 512; ///< new samples of each step
constexpr int kContext = 64; ///< samples of the step before in front of them

/// Samples [begin, end) in which somebody speaks.
struct Segment {
  int64_t begin, end;
};

/// Speech begins at a window with a probability of 0.5 and ends where it stays below
/// 0.35 for 100 ms; what is shorter than 250 ms does not count; each stretch gets 30 ms
/// on both sides (half of the gap where that is shorter).
std::vector<Segment> findSpeech(const std::vector<float> &probabilities, int64_t sampleCount);

} // namespace examples

#endif
