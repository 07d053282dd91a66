//===- StrokeFont.h - letters as lines of a pen -----------------------------===//
#ifndef DSC_EXAMPLES_OCR_STROKEFONT_H
#define DSC_EXAMPLES_OCR_STROKEFONT_H

#include <string>
#include <vector>

#include "ocr/Geometry.h"

namespace examples {

struct Stroke {
  Point from, to;
};

/// A line of text as straight strokes. Letters are 1 high, from y = 0 at their upper
/// edge; the line begins at x = 0. Knows capitals, digits, the space and ".,-:/+".
/// Throws std::runtime_error for others.
struct StrokedText {
  std::vector<Stroke> strokes;
  double width;
};
StrokedText strokeText(const std::string &text);

} // namespace examples

#endif
