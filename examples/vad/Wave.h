//===- Wave.h - sound from WAV files ----------------------------------------===//
#ifndef DSC_EXAMPLES_VAD_WAVE_H
#define DSC_EXAMPLES_VAD_WAVE_H

#include <string>
#include <vector>

namespace examples {

/// One channel of sound, samples in [-1, 1].
struct Sound {
  int rate = 0; ///< samples a second
  std::vector<float> samples;
};

/// Reads 16-bit PCM; channels are averaged. Throws std::runtime_error.
Sound readWave(const std::string &path);

/// The same sound at another rate: convolution with a windowed sinc that cuts off
/// below half of the lower rate.
Sound resample(const Sound &sound, int rate);

} // namespace examples

#endif
