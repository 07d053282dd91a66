//===- Image.cpp - pictures, their files, and looking at parts of them ------===//
#include "ocr/Image.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace examples {

Image readPpm(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int width = 0, height = 0, maximum = 0;
  file >> magic >> width >> height >> maximum;
  file.get();
  constexpr int limit = 1 << 14;
  if (!file || magic != "P6" || maximum != 255 || width < 1 || height < 1 || width > limit ||
      height > limit)
    throw std::runtime_error(path + " is not an 8-bit binary PPM file without comments");
  Image image(width, height);
  if (!file.read(reinterpret_cast<char *>(image.pixels.data()), image.pixels.size()))
    throw std::runtime_error(path + " ends too early");
  return image;
}

void writePpm(const std::string &path, const Image &image) {
  std::ofstream file(path, std::ios::binary);
  file << "P6\n" << image.width << " " << image.height << "\n255\n";
  file.write(reinterpret_cast<const char *>(image.pixels.data()), image.pixels.size());
  if (!file.flush())
    throw std::runtime_error("cannot write " + path);
}

/// One pixel at a position between pixels, into `result`.
static void sample(const Image &image, double x, double y, uint8_t *result) {
  x = std::clamp(x - 0.5, 0.0, image.width - 1.0);
  y = std::clamp(y - 0.5, 0.0, image.height - 1.0);
  int left = static_cast<int>(x), top = static_cast<int>(y);
  int right = std::min(left + 1, image.width - 1), bottom = std::min(top + 1, image.height - 1);
  double fx = x - left, fy = y - top;
  for (int c = 0; c < 3; ++c) {
    double upper = image.at(left, top)[c] * (1 - fx) + image.at(right, top)[c] * fx;
    double lower = image.at(left, bottom)[c] * (1 - fx) + image.at(right, bottom)[c] * fx;
    result[c] = static_cast<uint8_t>(std::lround(upper * (1 - fy) + lower * fy));
  }
}

Image cut(const Image &image, double x, double y, double ux, double uy, double vx, double vy,
          int width, int height) {
  Image result(width, height);
  for (int j = 0; j < height; ++j)
    for (int i = 0; i < width; ++i) {
      double u = (i + 0.5) / width, v = (j + 0.5) / height;
      sample(image, x + u * ux + v * vx, y + u * uy + v * vy, result.at(i, j));
    }
  return result;
}

Image resize(const Image &image, int width, int height) {
  return cut(image, 0, 0, image.width, 0, 0, image.height, width, height);
}

Image turnHalf(const Image &image) {
  Image result(image.width, image.height);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      std::copy_n(image.at(x, y), 3, result.at(image.width - 1 - x, image.height - 1 - y));
  return result;
}

Image turnQuarter(const Image &image) {
  Image result(image.height, image.width);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      std::copy_n(image.at(x, y), 3, result.at(y, image.width - 1 - x));
  return result;
}

void writePlanes(const Image &image, float *planes, int stride) {
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < image.height; ++y) {
      float *row = planes + (size_t(c) * image.height + y) * stride;
      for (int x = 0; x < image.width; ++x)
        row[x] = image.at(x, y)[2 - c] / 127.5f - 1.0f;
    }
}

} // namespace examples
