//===- Recognition.cpp - what a line of text says ---------------------------===//
#include "ocr/Recognition.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace examples {

constexpr int kLineHeight = 48;
constexpr int kClassifierWidth = 192;
constexpr int kMinRecognizerWidth = 320;
constexpr float kUpsideDownThreshold = 0.9f;

Image cutLine(const Image &image, const Box &box) {
  int width = std::max({length(box[1] - box[0]), length(box[2] - box[3]), 1.0});
  int height = std::max({length(box[3] - box[0]), length(box[2] - box[1]), 1.0});
  Point u = box[1] - box[0], v = box[3] - box[0];
  Image line = cut(image, box[0].x, box[0].y, u.x, u.y, v.x, v.y, width, height);
  return height >= 1.5 * width ? turnQuarter(line) : line;
}

/// Gives a model the line at a height of 48 pixels, with zeros to its right up to
/// `width`, and runs it.
static dsc::TensorView runOnLine(Session &session, const Image &line, int width) {
  int scaledWidth = std::ceil(double(kLineHeight) * line.width / line.height);
  Image scaled = resize(line, std::min(scaledWidth, width), kLineHeight);
  std::vector<float> planes(size_t(3) * kLineHeight * width, 0.0f);
  writePlanes(scaled, planes.data(), width);
  session.setInput(0, planes, {1, 3, kLineHeight, width});
  session.run();
  return session.output();
}

bool isUpsideDown(Session &classifier, const Image &line) {
  dsc::TensorView output = runOnLine(classifier, line, kClassifierWidth);
  if (dimsOf(output) != Dims{1, 2})
    throw std::runtime_error("the classifier is not one of PP-OCR");
  return output.as<float>()[1] > kUpsideDownThreshold;
}

std::vector<std::string> readDictionary(const std::string &path) {
  std::ifstream file(path);
  std::vector<std::string> dictionary = {""};
  for (std::string line; std::getline(file, line);)
    dictionary.push_back(line);
  if (dictionary.size() == 1)
    throw std::runtime_error("no characters in " + path);
  dictionary.push_back(" ");
  return dictionary;
}

/// Connectionist temporal classification: the best class of each step, each run of
/// the same class once, without "no character".
static Text decode(const dsc::TensorView &output, const std::vector<std::string> &dictionary) {
  const int64_t steps = output.dim(1), classes = output.dim(2);
  std::string text;
  float sum = 0;
  int count = 0;
  int64_t previous = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const float *scores = output.as<float>().data() + step * classes;
    int64_t best = std::max_element(scores, scores + classes) - scores;
    if (best != 0 && best != previous) {
      text += dictionary[best];
      sum += scores[best];
      ++count;
    }
    previous = best;
  }
  return {text, count == 0 ? 0 : sum / count};
}

Text recognize(Session &recognizer, const std::vector<std::string> &dictionary, const Image &line) {
  int width = double(kLineHeight) * line.width / line.height;
  dsc::TensorView output = runOnLine(recognizer, line, std::max(width, kMinRecognizerWidth));
  if (output.rank() != 3 || output.dim(2) != static_cast<int64_t>(dictionary.size()))
    throw std::runtime_error("the dictionary does not belong to this recognizer");
  return decode(output, dictionary);
}

} // namespace examples
