//===- Detection.h - where in a picture there is text -----------------------===//
#ifndef DSC_EXAMPLES_OCR_DETECTION_H
#define DSC_EXAMPLES_OCR_DETECTION_H

#include <vector>

#include "common/Session.h"
#include "ocr/Geometry.h"
#include "ocr/Image.h"

namespace examples {

/// Runs the detector; returns the boxes of the lines of text in the image's
/// coordinates, from top to bottom.
std::vector<Box> detectText(Session &detector, const Image &image);

} // namespace examples

#endif
