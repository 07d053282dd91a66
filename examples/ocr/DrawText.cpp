//===- DrawText.cpp - draws a picture with a line of text in it -------------===//
//
//   draw-text PICTURE.ppm TEXT [DEGREES]
//
// The line is drawn through the middle of the picture with a round pen, turned
// clockwise by DEGREES, over a background that is neither even nor free of noise.
//
//===----------------------------------------------------------------------===//
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "ocr/Image.h"
#include "ocr/StrokeFont.h"

using namespace examples;

constexpr int kWidth = 960, kHeight = 736;
constexpr double kMaxLetterHeight = 64;
constexpr double kPenRadius = 0.075; ///< of the letters' height
constexpr uint8_t kInk[] = {28, 40, 84};

/// A gradient with noise from a linear congruential generator.
static void paintBackground(Image &image) {
  uint32_t state = 1;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      state = state * 1664525 + 1013904223;
      int noise = static_cast<int>(state >> 28) - 8;
      int shade = 208 + 32 * x / image.width - 24 * y / image.height + noise;
      uint8_t *pixel = image.at(x, y);
      pixel[0] = pixel[1] = shade;
      pixel[2] = shade - 24;
    }
}

static double distance(Point point, const Stroke &stroke) {
  Point along = stroke.to - stroke.from;
  double t = dot(point - stroke.from, along) / std::max(dot(along, along), 1e-12);
  return length(point - (stroke.from + along * std::clamp(t, 0.0, 1.0)));
}

/// Adds what a stroke covers of each pixel to `coverage` (0 to 1, the maximum counts).
static void drawStroke(const Stroke &stroke, double radius, int width, int height,
                       std::vector<float> &coverage) {
  auto [left, right] = std::minmax(stroke.from.x, stroke.to.x);
  auto [top, bottom] = std::minmax(stroke.from.y, stroke.to.y);
  int lastX = std::min(width - 1.0, right + radius + 1);
  int lastY = std::min(height - 1.0, bottom + radius + 1);
  for (int y = std::max(0.0, top - radius - 1); y <= lastY; ++y)
    for (int x = std::max(0.0, left - radius - 1); x <= lastX; ++x) {
      double inside = radius + 0.5 - distance({x + 0.5, y + 0.5}, stroke);
      float &value = coverage[size_t(y) * width + x];
      value = std::max(value, static_cast<float>(std::clamp(inside, 0.0, 1.0)));
    }
}

static Image draw(const std::string &text, double degrees) {
  StrokedText stroked = strokeText(text);
  const double size = std::min(kMaxLetterHeight, 0.85 * kWidth / stroked.width);
  const double angle = degrees * 3.14159265358979323846 / 180;
  const Point u = {size * std::cos(angle), size * std::sin(angle)};
  const Point v = {-u.y, u.x};
  auto place = [&](Point p) {
    return Point{kWidth / 2.0, kHeight / 2.0} + u * (p.x - stroked.width / 2) + v * (p.y - 0.5);
  };

  Image image(kWidth, kHeight);
  paintBackground(image);
  std::vector<float> coverage(size_t(kWidth) * kHeight, 0.0f);
  for (const Stroke &stroke : stroked.strokes)
    drawStroke({place(stroke.from), place(stroke.to)}, kPenRadius * size, kWidth, kHeight,
               coverage);
  for (size_t i = 0; i < coverage.size(); ++i)
    for (int c = 0; c < 3; ++c) {
      uint8_t &value = image.pixels[3 * i + c];
      value = std::lround(value + coverage[i] * (kInk[c] - value));
    }
  return image;
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: %s PICTURE.ppm TEXT [DEGREES]\n", argv[0]);
    return 2;
  }
  try {
    writePpm(argv[1], draw(argv[2], argc == 4 ? std::strtod(argv[3], nullptr) : 0));
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
  return 0;
}
