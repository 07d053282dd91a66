//===- Detection.cpp - where in a picture there is text ---------------------===//
//
// The detector gives each pixel's probability of lying in the core of a line of
// text ("Real-time Scene Text Detection with Differentiable Binarization", Liao et
// al. 2020). Connected cores become rectangles, which are grown back to the size of
// the lines.
//
//===----------------------------------------------------------------------===//
#include "ocr/Detection.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace examples {

constexpr int kMinSide = 736; ///< smaller pictures are enlarged
constexpr int kSizeUnit = 32; ///< the detector halves its input five times
constexpr float kCoreThreshold = 0.3f;
constexpr double kBoxThreshold = 0.5; ///< mean probability within a box
constexpr double kGrowth = 1.6;       ///< of area / perimeter
constexpr double kMinCore = 3;        ///< pixels; smaller cores are noise

namespace {

/// The detector's answer.
struct ProbabilityMap {
  const float *data;
  int width, height;

  float at(int x, int y) const { return data[size_t(y) * width + x]; }
};

} // namespace

static Image resizeForDetector(const Image &image) {
  double ratio = std::max(1.0, double(kMinSide) / std::min(image.width, image.height));
  auto toUnit = [&](int size) {
    double units = std::nearbyint(std::floor(size * ratio) / kSizeUnit);
    return std::max(1, static_cast<int>(units)) * kSizeUnit;
  };
  return resize(image, toUnit(image.width), toUnit(image.height));
}

/// Pixels above the threshold, each with its neighbours to the right, below, and
/// between the two.
static std::vector<bool> findCores(const ProbabilityMap &map) {
  std::vector<bool> isCore(size_t(map.width) * map.height);
  for (int y = 0; y < map.height; ++y)
    for (int x = 0; x < map.width; ++x)
      if (map.at(x, y) > kCoreThreshold)
        for (int j = y; j < std::min(y + 2, map.height); ++j)
          for (int i = x; i < std::min(x + 2, map.width); ++i)
            isCore[size_t(j) * map.width + i] = true;
  return isCore;
}

/// Removes the core around `start` from `isCore`; returns its pixels. Neighbours
/// across a corner belong together.
static std::vector<Point> takeCore(std::vector<bool> &isCore, int width, int height, size_t start) {
  std::vector<Point> core;
  std::vector<size_t> pending = {start};
  isCore[start] = false;
  while (!pending.empty()) {
    int x = pending.back() % width, y = pending.back() / width;
    pending.pop_back();
    core.push_back({double(x), double(y)});
    for (int j = std::max(y - 1, 0); j < std::min(y + 2, height); ++j)
      for (int i = std::max(x - 1, 0); i < std::min(x + 2, width); ++i) {
        size_t next = size_t(j) * width + i;
        if (isCore[next]) {
          isCore[next] = false;
          pending.push_back(next);
        }
      }
  }
  return core;
}

static double meanProbability(const ProbabilityMap &map, const Rectangle &rectangle) {
  Box corners = rectangle.corners();
  auto [left, right] = std::minmax({corners[0].x, corners[1].x, corners[2].x, corners[3].x});
  auto [top, bottom] = std::minmax({corners[0].y, corners[1].y, corners[2].y, corners[3].y});
  double sum = 0;
  int count = 0;
  for (int y = std::max(0.0, top); y <= std::min(map.height - 1.0, bottom); ++y)
    for (int x = std::max(0.0, left); x <= std::min(map.width - 1.0, right); ++x)
      if (rectangle.contains({double(x), double(y)})) {
        sum += map.at(x, y);
        ++count;
      }
  return count == 0 ? 0 : sum / count;
}

/// From the top; what begins within ten pixels of height is one row, from the left.
static void sortForReading(std::vector<Box> &boxes) {
  std::sort(boxes.begin(), boxes.end(), [](const Box &a, const Box &b) { return a[0].y < b[0].y; });
  for (size_t i = 1; i < boxes.size(); ++i)
    for (size_t j = i; j > 0; --j) {
      if (boxes[j][0].y - boxes[j - 1][0].y >= 10 || boxes[j][0].x >= boxes[j - 1][0].x)
        break;
      std::swap(boxes[j], boxes[j - 1]);
    }
}

static std::vector<Box> findBoxes(const ProbabilityMap &map, const Image &image) {
  const double scaleX = double(image.width) / map.width;
  const double scaleY = double(image.height) / map.height;
  std::vector<bool> isCore = findCores(map);
  std::vector<Box> boxes;
  for (size_t start = 0; start < isCore.size(); ++start) {
    if (!isCore[start])
      continue;
    Rectangle core = smallestRectangle(takeCore(isCore, map.width, map.height, start));
    if (std::min(core.width, core.height) < kMinCore || meanProbability(map, core) < kBoxThreshold)
      continue;
    Box box = core.grown(kGrowth * core.area() / core.perimeter()).corners();
    for (Point &corner : box) {
      corner.x = std::clamp(corner.x * scaleX, 0.0, image.width - 1.0);
      corner.y = std::clamp(corner.y * scaleY, 0.0, image.height - 1.0);
    }
    boxes.push_back(box);
  }
  sortForReading(boxes);
  return boxes;
}

std::vector<Box> detectText(Session &detector, const Image &image) {
  Image resized = resizeForDetector(image);
  std::vector<float> planes(resized.pixels.size());
  writePlanes(resized, planes.data(), resized.width);
  detector.setInput(0, planes, {1, 3, resized.height, resized.width});
  detector.run();
  dsc::TensorView output = detector.output();
  if (dimsOf(output) != Dims{1, 1, resized.height, resized.width})
    throw std::runtime_error("the detector is not one of PP-OCR");
  return findBoxes({output.as<float>().data(), resized.width, resized.height}, image);
}

} // namespace examples
