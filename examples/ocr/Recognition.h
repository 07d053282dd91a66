//===- Recognition.h - what a line of text says -----------------------------===//
#ifndef DSC_EXAMPLES_OCR_RECOGNITION_H
#define DSC_EXAMPLES_OCR_RECOGNITION_H

#include <string>
#include <vector>

#include "common/Session.h"
#include "ocr/Geometry.h"
#include "ocr/Image.h"

namespace examples {

/// A line as an upright image; lines that run from top to bottom are laid down.
Image cutLine(const Image &image, const Box &box);

/// Whether the line stands on its head.
bool isUpsideDown(Session &classifier, const Image &line);

struct Text {
  std::string text;
  float score; ///< the mean probability of its characters
};

/// The characters of a dictionary file, one a line. Class 0 of the recognizer is no
/// character at all; then come those of the file, then the space.
std::vector<std::string> readDictionary(const std::string &path);

Text recognize(Session &recognizer, const std::vector<std::string> &dictionary, const Image &line);

} // namespace examples

#endif
