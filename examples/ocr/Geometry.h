//===- Geometry.h - points, and rectangles in any direction -----------------===//
#ifndef DSC_EXAMPLES_OCR_GEOMETRY_H
#define DSC_EXAMPLES_OCR_GEOMETRY_H

#include <array>
#include <vector>

namespace examples {

struct Point {
  double x, y;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(Point a, double s) { return {a.x * s, a.y * s}; }
inline double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }
inline double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
double length(Point a);

/// Upper left, upper right, lower right, lower left, as one reads it.
using Box = std::array<Point, 4>;

/// A rectangle: its centre, the unit vector of its first side, both sides' lengths.
struct Rectangle {
  Point center;
  Point direction;
  double width, height;

  double area() const { return width * height; }
  double perimeter() const { return 2 * (width + height); }
  bool contains(Point point) const;
  /// With every side moved outwards.
  Rectangle grown(double distance) const;
  /// Its corners in reading order.
  Box corners() const;
};

/// The rectangle of least area around points (at least one).
Rectangle smallestRectangle(std::vector<Point> points);

} // namespace examples

#endif
