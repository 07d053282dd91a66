//===- StrokeFont.cpp - letters as lines of a pen ---------------------------===//
//
// Each letter is a path in the notation of SVG: M moves, L draws a line, C a cubic
// Bezier curve, to absolute coordinates; 10 is the height of a letter.
//
//===----------------------------------------------------------------------===//
#include "ocr/StrokeFont.h"

#include <sstream>
#include <stdexcept>

namespace examples {

namespace {

struct Glyph {
  char letter;
  double width;
  const char *path;
};

constexpr double kUnit = 10;
constexpr double kGap = 2.6; ///< between letters
constexpr int kCurvePieces = 12;

constexpr Glyph kGlyphs[] = {
    {' ', 3.4, ""},
    {'A', 7.6, "M 0 10 L 3.8 0 L 7.6 10 M 1.3 6.6 L 6.3 6.6"},
    {'B', 6.2,
     "M 0 4.8 L 3.4 4.8 C 6.6 4.8 6.6 0 3.4 0 L 0 0 L 0 10 L 3.6 10 "
     "C 7.2 10 7.2 4.8 3.4 4.8"},
    {'C', 7.2, "M 7.2 2.2 C 5.6 -1 0 -0.9 0 5 C 0 10.9 5.6 11 7.2 7.8"},
    {'D', 7, "M 0 0 L 0 10 L 2.6 10 C 8.5 10 8.5 0 2.6 0 L 0 0"},
    {'E', 5.6, "M 5.6 0 L 0 0 L 0 10 L 5.6 10 M 0 4.8 L 5 4.8"},
    {'F', 5.4, "M 5.4 0 L 0 0 L 0 10 M 0 4.8 L 4.8 4.8"},
    {'G', 7.4, "M 7.1 2.2 C 5.5 -1 0 -0.9 0 5 C 0 10.9 5.8 11 7.4 7.8 L 7.4 5.4 L 4.4 5.4"},
    {'H', 6.6, "M 0 0 L 0 10 M 6.6 0 L 6.6 10 M 0 4.8 L 6.6 4.8"},
    {'I', 0, "M 0 0 L 0 10"},
    {'J', 4.4, "M 4.4 0 L 4.4 7 C 4.4 11 0 11 0 7.4"},
    {'K', 6.4, "M 0 0 L 0 10 M 6.2 0 L 0 6.4 M 2.3 4.2 L 6.4 10"},
    {'L', 5.2, "M 0 0 L 0 10 L 5.2 10"},
    {'M', 8, "M 0 10 L 0 0 L 4 8.6 L 8 0 L 8 10"},
    {'N', 6.6, "M 0 10 L 0 0 L 6.6 10 L 6.6 0"},
    {'O', 8, "M 4 0 C -1.3 0 -1.3 10 4 10 C 9.3 10 9.3 0 4 0"},
    {'P', 6, "M 0 10 L 0 0 L 3.2 0 C 6.9 0 6.9 5.4 3.2 5.4 L 0 5.4"},
    {'Q', 8, "M 4 0 C -1.3 0 -1.3 10 4 10 C 9.3 10 9.3 0 4 0 M 5 7.4 L 8 10.6"},
    {'R', 6.4, "M 0 10 L 0 0 L 3.2 0 C 6.9 0 6.9 5.2 3.2 5.2 L 0 5.2 M 3.4 5.2 L 6.4 10"},
    {'S', 6.4,
     "M 6 1.9 C 4.8 -0.8 0.3 -0.5 0.3 2.4 C 0.3 5.8 6.4 4 6.4 7.4 "
     "C 6.4 10.8 1 10.8 0 8"},
    {'T', 6.8, "M 0 0 L 6.8 0 M 3.4 0 L 3.4 10"},
    {'U', 6.6, "M 0 0 L 0 6.4 C 0 11.2 6.6 11.2 6.6 6.4 L 6.6 0"},
    {'V', 7.2, "M 0 0 L 3.6 10 L 7.2 0"},
    {'W', 10.4, "M 0 0 L 2.7 10 L 5.2 0.6 L 7.7 10 L 10.4 0"},
    {'X', 6.8, "M 0 0 L 6.8 10 M 6.8 0 L 0 10"},
    {'Y', 7, "M 0 0 L 3.5 5.2 L 7 0 M 3.5 5.2 L 3.5 10"},
    {'Z', 6.4, "M 0 0 L 6.4 0 L 0 10 L 6.4 10"},
    {'0', 5.8, "M 2.9 0 C -0.9 0 -0.9 10 2.9 10 C 6.7 10 6.7 0 2.9 0"},
    {'1', 2.4, "M 0 2 L 2.4 0 L 2.4 10"},
    {'2', 5.8, "M 0.2 2.6 C 0.4 -0.9 5.6 -0.9 5.5 2.7 C 5.5 5 2.4 6.4 0 10 L 5.8 10"},
    {'3', 5.6,
     "M 0 1.8 C 1 -0.8 5.2 -0.4 5.2 2.4 C 5.2 4.4 3.6 4.8 2.2 4.8 "
     "C 4 4.8 5.6 5.4 5.6 7.4 C 5.6 10.8 0.8 10.8 0 8"},
    {'4', 6, "M 4.4 10 L 4.4 0 L 0 7 L 6 7"},
    {'5', 5.6, "M 5.2 0 L 1 0 L 0.5 4.6 C 2 3.2 5.6 3.4 5.6 6.6 C 5.6 10.8 1 10.9 0 8.2"},
    {'6', 5.8,
     "M 5.2 1.6 C 3.6 -1.4 0 0.2 0 6 C 0 11.2 5.8 11.2 5.8 6.8 "
     "C 5.8 2.8 0.4 2.8 0 6.6"},
    {'7', 5.8, "M 0 0 L 5.8 0 C 3.6 3 2.4 6 2.2 10"},
    {'8', 5.6,
     "M 2.8 4.7 C -0.4 4.7 -0.4 0 2.8 0 C 6 0 6 4.7 2.8 4.7 "
     "C -1 4.7 -1 10 2.8 10 C 6.6 10 6.6 4.7 2.8 4.7"},
    {'9', 5.8,
     "M 0.6 8.4 C 2.2 11.4 5.8 9.8 5.8 4 C 5.8 -1.2 0 -1.2 0 3.2 "
     "C 0 7.2 5.4 7.2 5.8 3.4"},
    {'.', 0, "M 0 9.9 L 0 10"},
    {',', 0.6, "M 0.6 9.6 L 0 11.6"},
    {'-', 3.4, "M 0 6 L 3.4 6"},
    {':', 0, "M 0 3.6 L 0 3.7 M 0 9.9 L 0 10"},
    {'/', 4.4, "M 0 10.8 L 4.4 -0.4"},
    {'+', 6, "M 0 5.4 L 6 5.4 M 3 2.4 L 3 8.4"},
};

} // namespace

static Point curve(Point a, Point b, Point c, Point d, double t) {
  double s = 1 - t;
  return a * (s * s * s) + b * (3 * s * s * t) + c * (3 * s * t * t) + d * (t * t * t);
}

static void addGlyph(const Glyph &glyph, double x, std::vector<Stroke> &strokes) {
  std::istringstream path(glyph.path);
  auto readPoint = [&]() {
    Point point;
    path >> point.x >> point.y;
    return Point{(point.x + x) / kUnit, point.y / kUnit};
  };
  Point pen = {0, 0};
  auto drawTo = [&](Point to) {
    strokes.push_back({pen, to});
    pen = to;
  };
  for (char command; path >> command;) {
    if (command == 'M') {
      pen = readPoint();
    } else if (command == 'L') {
      drawTo(readPoint());
    } else {
      Point a = pen, b = readPoint(), c = readPoint(), d = readPoint();
      for (int i = 1; i <= kCurvePieces; ++i)
        drawTo(curve(a, b, c, d, double(i) / kCurvePieces));
    }
  }
}

static const Glyph &findGlyph(char letter) {
  for (const Glyph &glyph : kGlyphs)
    if (glyph.letter == letter)
      return glyph;
  throw std::runtime_error(std::string("the stroke font has no '") + letter + "'");
}

StrokedText strokeText(const std::string &text) {
  StrokedText result = {{}, 0};
  double x = 0;
  for (char letter : text) {
    const Glyph &glyph = findGlyph(letter);
    addGlyph(glyph, x, result.strokes);
    x += glyph.width + kGap;
  }
  result.width = (x - kGap) / kUnit;
  return result;
}

} // namespace examples
