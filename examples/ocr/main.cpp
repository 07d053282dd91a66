//===- main.cpp - finds and reads the text in a picture ---------------------===//
//
//   ocr detector.dsc classifier.dsc recognizer.dsc dictionary.txt PICTURE.ppm
//
// The detector is compiled once for pictures of any size, the recognizer for lines
// of any length.
//
//===----------------------------------------------------------------------===//
#include <cmath>
#include <cstdio>

#include "common/Arguments.h"
#include "ocr/Detection.h"
#include "ocr/Recognition.h"

using namespace examples;

constexpr float kMinTextScore = 0.5f;

static int readPicture(const Arguments &arguments) {
  const std::vector<std::string> &files = arguments.positional;
  Session detector(files[0], arguments.session);
  Session classifier(files[1], arguments.session);
  Session recognizer(files[2], arguments.session);
  std::vector<std::string> dictionary = readDictionary(files[3]);
  Image image = readPpm(files[4]);

  for (const Box &box : detectText(detector, image)) {
    Image line = cutLine(image, box);
    bool turn = isUpsideDown(classifier, line);
    if (turn)
      line = turnHalf(line);
    Text text = recognize(recognizer, dictionary, line);
    if (text.score < kMinTextScore)
      continue;
    for (Point corner : box)
      std::printf("(%ld,%ld) ", std::lround(corner.x), std::lround(corner.y));
    std::printf("%s %.3f %s\n", turn ? "upside-down" : "upright", text.score, text.text.c_str());
  }
  return 0;
}

int main(int argc, char **argv) {
  return runMain(argc, argv, 5,
                 "DETECTOR.dsc CLASSIFIER.dsc RECOGNIZER.dsc DICTIONARY.txt PICTURE.ppm",
                 readPicture);
}
