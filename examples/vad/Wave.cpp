//===- Wave.cpp - sound from WAV files --------------------------------------===//
#include "Wave.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace examples {

namespace {

constexpr double kPi = 3.14159265358979323846;

/// Little-endian fields of a RIFF file held in memory.
class Reader {
public:
  explicit Reader(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || bytes.size() < 12 || tag(0) != "RIFF" || tag(8) != "WAVE")
      throw std::runtime_error(path + " is not a WAV file");
  }

  size_t size() const { return bytes.size(); }
  std::string tag(size_t at) const { return bytes.substr(at, 4); }
  uint32_t u16(size_t at) const { return byte(at) | byte(at + 1) << 8; }
  uint32_t u32(size_t at) const { return u16(at) | u16(at + 2) << 16; }

private:
  uint32_t byte(size_t at) const { return static_cast<unsigned char>(bytes.at(at)); }
  std::string bytes;
};

} // namespace

Sound readWave(const std::string &path) {
  Reader reader(path);
  Sound sound;
  size_t channels = 0;
  for (size_t at = 12; at + 8 <= reader.size();) {
    std::string tag = reader.tag(at);
    // Writers to a pipe leave the size of the last chunk open.
    size_t size = std::min<size_t>(reader.u32(at + 4), reader.size() - at - 8);
    at += 8;
    if (tag == "fmt " && size >= 16) {
      channels = reader.u16(at + 2);
      sound.rate = reader.u32(at + 4);
      if (reader.u16(at) != 1 || reader.u16(at + 14) != 16 || channels == 0 || sound.rate <= 0)
        throw std::runtime_error(path + ": only 16-bit PCM is understood");
    } else if (tag == "data" && channels != 0) {
      for (size_t i = 0; i + 2 * channels <= size; i += 2 * channels) {
        float sum = 0;
        for (size_t c = 0; c < channels; ++c)
          sum += static_cast<int16_t>(reader.u16(at + i + 2 * c));
        sound.samples.push_back(sum / (32768.0f * channels));
      }
    }
    at += size + size % 2;
  }
  if (sound.samples.empty())
    throw std::runtime_error(path + " holds no sound");
  return sound;
}

Sound resample(const Sound &sound, int rate) {
  if (sound.rate == rate)
    return sound;
  const double step = double(sound.rate) / rate;
  const double cutoff = 0.95 * std::min(1.0, 1.0 / step); // relative to the input's half rate
  const double radius = 32 / cutoff;                      // input samples on each side
  const int64_t inputs = sound.samples.size();

  Sound result;
  result.rate = rate;
  result.samples.resize(static_cast<size_t>(inputs / step));
  for (size_t i = 0; i < result.samples.size(); ++i) {
    const double center = i * step;
    const int64_t first = std::max<int64_t>(0, std::ceil(center - radius));
    const int64_t last = std::min<int64_t>(inputs - 1, std::floor(center + radius));
    double sum = 0;
    for (int64_t j = first; j <= last; ++j) {
      double t = j - center;
      double sinc = t == 0 ? cutoff : std::sin(kPi * cutoff * t) / (kPi * t);
      double window = 0.5 + 0.5 * std::cos(kPi * t / radius);
      sum += sound.samples[j] * sinc * window;
    }
    result.samples[i] = static_cast<float>(sum);
  }
  return result;
}

} // namespace examples
