#include "recon/simulate/us_scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/random.h"
#include "recon/simulate/us.h"

namespace penta::recon {

namespace {

// 1 inside, 0 outside, with an edge about `soft` wide.
double soft_inside(double beyond, double soft) noexcept { return 1 / (1 + std::exp(beyond / soft)); }

double ellipse_radius(double u, double v, double half_u, double half_v) noexcept { return std::hypot(u / half_u, v / half_v); }

// A bright line of half width w mm about v = 0 for |u - middle| < half, u in half axes.
double line(double u, double v, double middle, double half, double w) noexcept {
  return std::exp(-0.5 * v * v / (w * w)) * soft_inside(std::abs(u - middle) - half, 0.025);
}

// The stronger of two echoes.
double louder(double a_db, double b_db) noexcept { return std::max(a_db, b_db); }

}  // namespace

UsScene::UsScene(std::uint64_t seed, double head_circumference_mm) {
  Random random(seed, 77);
  const double circumference = head_circumference_mm > 0 ? head_circumference_mm : random.uniform(170, 330);
  const double shape = random.uniform(0.74, 0.82);  // outer biparietal over occipitofrontal diameter
  half_long_mm_ = circumference / ellipse_perimeter(1, shape);
  half_short_mm_ = half_long_mm_ * shape;
  skull_mm_ = 1.3 + circumference / 160;
  turn_ = random.uniform(-0.28, 0.28);
  front_ = random.uniform() < 0.5 ? -1 : 1;
  wall_mm_ = random.uniform(7, 14);
  centre_y_ = wall_mm_ + half_short_mm_ + random.uniform(6, 12);
  centre_x_ = random.uniform(-0.12, 0.12) * half_long_mm_;
  depth_mm_ = centre_y_ + half_short_mm_ + random.uniform(8, 18);
  fluid_side_ = random.uniform() < 0.5 ? -1 : 1;
  ventricle_ = random.uniform(0.3, 0.42);
  for (int k = 0; k < 24; ++k) {
    const double length_mm = random.uniform(4, 34), angle = random.uniform(0, 2 * std::numbers::pi);
    const double number = 2 * std::numbers::pi / length_mm;
    // Tissue lies in layers: it changes faster with depth.
    waves_.push_back({0.45 * number * std::cos(angle), number * std::sin(angle), random.uniform(0, 2 * std::numbers::pi),
                      random.uniform(0.5, 1.8)});
  }
}

std::array<double, 2> UsScene::head_frame(double x, double y) const noexcept {
  const double dx = x - centre_x_, dy = y - centre_y_, c = std::cos(turn_), s = std::sin(turn_);
  return {c * dx + s * dy, -s * dx + c * dy};
}

bool UsScene::in_head(double x, double y) const noexcept {
  const auto [u, v] = head_frame(x, y);
  return ellipse_radius(u, v, half_long_mm_, half_short_mm_) <= 1;
}

double UsScene::texture_db(double x, double y) const noexcept {
  double sum = 0;
  for (const Wave& wave : waves_) sum += wave.size_db * std::sin(wave.x * x + wave.y * y + wave.phase);
  return sum;
}

double UsScene::brain_db(double u, double v, double beam_across) const noexcept {
  const double a = half_long_mm_, b = half_short_mm_, f = front_ * u / a, w = v / b;
  double level = -47 + 2.5 * soft_inside(ellipse_radius(u, v, 0.8 * a, 0.8 * b) - 1, 0.05);
  // Thalami beside the midline, darker; ventricle and choroid plexus in the far half, where the near bone does not hide them.
  if (std::hypot((f + 0.02) / 0.2, (std::abs(w) - 0.17) / 0.15) < 1) level -= 4;
  if (std::hypot((f + 0.42) / 0.26, (w - ventricle_) / 0.15) < 1) level = -60;
  if (std::hypot((f + 0.36) / 0.17, (w - ventricle_ - 0.01) / 0.1) < 1) level = -25;
  const double facing = 0.25 + 0.75 * beam_across;
  const auto bright = [&](double share, double top_db) { return share > 1e-3 ? top_db + 20 * std::log10(share * facing) : -90; };
  level = louder(level, bright(line(f, v, -0.35, 0.42, 0.5), -17));
  level = louder(level, bright(line(f, v, 0.72, 0.17, 0.5), -17));
  for (const double side : {-1.0, 1.0}) level = louder(level, bright(line(f, v - side * 0.065 * b, 0.4, 0.11, 0.4), -13));
  for (const double side : {-1.0, 1.0}) level = louder(level, bright(line(f, v - (ventricle_ + side * 0.15) * b, -0.4, 0.2, 0.4), -18));
  // Echoes between bone and probe come again in the near half.
  level = louder(level, -34 - 26 * (w + 1) + 3 * std::sin(1.7 * v));
  // Sulci towards the skull.
  const double folds = std::sin(9 * f + 4 * w) * std::sin(7 * w - 3 * f);
  return level + 2.2 * folds;
}

double UsScene::outside_db(double x, double y, double distance_mm) const noexcept {
  // Fluid lies along one side of the head and thinly around it.
  const double reach_mm = 2 + (fluid_side_ * (x - centre_x_) > 0 ? std::min(0.5 * std::abs(x - centre_x_), 16.0) : 2.0);
  const double near_wall = soft_inside(wall_mm_ - y, 0.8);  // 1 below the wall of the uterus
  const double wet = near_wall * soft_inside(distance_mm - reach_mm, 1.2);
  const double wall_line = std::exp(-0.5 * std::pow((y - wall_mm_) / 1.1, 2));
  const double behind = soft_inside(centre_y_ + 0.75 * half_short_mm_ - y, 3);
  const double tissue = -35 + texture_db(x, y) + 5 * behind + 8 * wall_line;
  return (1 - wet) * tissue + wet * -64;
}

Echo UsScene::at(double x, double y, double beam_x, double beam_y) const noexcept {
  const auto [u, v] = head_frame(x, y);
  const double ratio = ellipse_radius(u, v, half_long_mm_, half_short_mm_);
  const double nu = u / (half_long_mm_ * half_long_mm_), nv = v / (half_short_mm_ * half_short_mm_);
  const double slope = std::max(std::hypot(nu, nv), 1e-9);
  // Distance to the outer edge along its normal, first order: exact on the edge, where it matters.
  const double distance = (ratio - 1) * ratio / slope / std::max(ratio, 0.3);
  const double c = std::cos(turn_), s = std::sin(turn_);
  const double bu = c * beam_x + s * beam_y, bv = -s * beam_x + c * beam_y;
  if (distance > 0) return {outside_db(x, y, distance), 0.02};
  if (distance > -skull_mm_) {
    const double facing = std::abs(nu * bu + nv * bv) / slope;
    const double middle = 1 - std::pow(2 * (distance + 0.5 * skull_mm_) / skull_mm_, 2);
    return {-44 + 46 * std::pow(facing, 0.9) + 4 * middle - 4, 0.9};
  }
  return {brain_db(u, v, std::abs(bv)), 0.03};
}

}  // namespace penta::recon
