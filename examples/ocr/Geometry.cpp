//===- Geometry.cpp - points, and rectangles in any direction ---------------===//
#include "ocr/Geometry.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace examples {

double length(Point a) { return std::hypot(a.x, a.y); }

static Point perpendicular(Point a) { return {-a.y, a.x}; }

bool Rectangle::contains(Point point) const {
  Point d = point - center;
  return std::fabs(dot(d, direction)) <= width / 2 &&
         std::fabs(dot(d, perpendicular(direction))) <= height / 2;
}

Rectangle Rectangle::grown(double distance) const {
  return {center, direction, width + 2 * distance, height + 2 * distance};
}

Box Rectangle::corners() const {
  Point u = direction * (width / 2), v = perpendicular(direction) * (height / 2);
  Box box = {center - u - v, center + u - v, center + u + v, center - u + v};
  // The left pair and the right pair, each from top to bottom.
  std::sort(box.begin(), box.end(), [](Point a, Point b) { return a.x < b.x; });
  if (box[0].y > box[1].y)
    std::swap(box[0], box[1]);
  if (box[2].y > box[3].y)
    std::swap(box[2], box[3]);
  return {box[0], box[2], box[3], box[1]};
}

/// Andrew's monotone chain: the corners of the convex hull, in order.
static std::vector<Point> convexHull(std::vector<Point> points) {
  std::sort(points.begin(), points.end(),
            [](Point a, Point b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  std::vector<Point> hull;
  auto add = [&](Point point, size_t floor) {
    while (hull.size() >= floor + 2 &&
           cross(hull.back() - hull[hull.size() - 2], point - hull.back()) <= 0)
      hull.pop_back();
    hull.push_back(point);
  };
  for (Point point : points)
    add(point, 0);
  size_t floor = hull.size() - 1;
  for (auto point = points.rbegin(); point != points.rend(); ++point)
    add(*point, floor);
  if (hull.size() > 1)
    hull.pop_back();
  return hull;
}

/// One side of the smallest rectangle lies on a side of the convex hull.
Rectangle smallestRectangle(std::vector<Point> points) {
  std::vector<Point> hull = convexHull(std::move(points));
  Rectangle best = {hull[0], {1, 0}, 0, 0};
  double bestArea = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < hull.size(); ++i) {
    Point side = hull[(i + 1) % hull.size()] - hull[i];
    double sideLength = length(side);
    if (sideLength == 0)
      continue;
    Point u = side * (1 / sideLength), v = perpendicular(u);
    double minU = 0, maxU = 0, minV = 0, maxV = 0;
    for (Point point : hull) {
      double pu = dot(point - hull[i], u), pv = dot(point - hull[i], v);
      minU = std::min(minU, pu), maxU = std::max(maxU, pu);
      minV = std::min(minV, pv), maxV = std::max(maxV, pv);
    }
    double area = (maxU - minU) * (maxV - minV);
    if (area < bestArea) {
      bestArea = area;
      Point center = hull[i] + u * ((minU + maxU) / 2) + v * ((minV + maxV) / 2);
      best = {center, u, maxU - minU, maxV - minV};
    }
  }
  return best;
}

} // namespace examples
