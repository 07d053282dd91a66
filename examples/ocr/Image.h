//===- Image.h - pictures, their files, and looking at parts of them --------===//
#ifndef DSC_EXAMPLES_OCR_IMAGE_H
#define DSC_EXAMPLES_OCR_IMAGE_H

#include <cstdint>
#include <string>
#include <vector>

namespace examples {

/// Rows of pixels of three bytes: red, green, blue.
struct Image {
  Image(int width, int height) : width(width), height(height), pixels(size_t(3) * width * height) {}

  uint8_t *at(int x, int y) { return &pixels[3 * (size_t(y) * width + x)]; }
  const uint8_t *at(int x, int y) const { return &pixels[3 * (size_t(y) * width + x)]; }

  int width, height;
  std::vector<uint8_t> pixels;
};

/// Binary PPM (P6, 8 bits); both throw std::runtime_error.
Image readPpm(const std::string &path);
void writePpm(const std::string &path, const Image &image);

/// The parallelogram with a corner at (x, y), whose upper edge is (ux, uy) and whose
/// left edge is (vx, vy), as an upright image; pixel centres lie at halves. Samples
/// bilinearly; beyond the border, the border's pixels go on.
Image cut(const Image &image, double x, double y, double ux, double uy, double vx, double vy,
          int width, int height);

/// The whole image at another size.
Image resize(const Image &image, int width, int height);

/// Turned by half a turn; by a quarter turn, counterclockwise.
Image turnHalf(const Image &image);
Image turnQuarter(const Image &image);

/// Writes the image as the models want it: planes blue, green, red, values in [-1, 1],
/// each row `stride` floats (>= width) from the next.
void writePlanes(const Image &image, float *planes, int stride);

} // namespace examples

#endif
