#include "evaluate/detection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "evaluate/order.h"

namespace penta::evaluate {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// Lesions found and false positives once the candidates of one score more are let in.
struct Step {
  double found = 0, alarms = 0, score = 0;
};
std::vector<Step> steps(const Detections& all) {
  std::vector<double> scores;
  for (const Candidate& c : all.candidates) scores.push_back(c.score);
  std::set<std::pair<std::size_t, int>> found;
  std::vector<Step> list;
  double alarms = 0;
  for (const std::size_t i : by_falling(scores)) {
    const Candidate& c = all.candidates[i];
    if (c.hits < 0) alarms += 1;
    else found.insert({c.scan, c.hits});
    const Step step{static_cast<double>(found.size()), alarms, c.score};
    if (!list.empty() && list.back().score == c.score) list.back() = step;
    else list.push_back(step);
  }
  return list;
}

double size_of(const Box& box, bool flat) noexcept {
  double size = 1;
  for (std::size_t k = 0; k < (flat ? 2U : 3U); ++k) size *= std::max(0.0, box.high[k] - box.low[k]);
  return size;
}

}  // namespace

double box_iou(const Box& a, const Box& b) noexcept {
  const bool flat = a.low[2] == a.high[2] && b.low[2] == b.high[2];
  Box both;
  for (std::size_t k = 0; k < 3; ++k) {
    both.low[k] = std::max(a.low[k], b.low[k]);
    both.high[k] = std::min(a.high[k], b.high[k]);
  }
  const double common = size_of(both, flat), all = size_of(a, flat) + size_of(b, flat) - common;
  return all > 0 ? common / all : 0;
}

void add_by_iou(Detections& all, std::span<const Box> boxes, std::span<const double> scores,
                std::span<const Box> lesions, double iou_min) {
  std::vector<bool> taken(lesions.size());
  for (const std::size_t i : by_falling(scores)) {
    int best = -1;
    double overlap = iou_min;
    for (std::size_t k = 0; k < lesions.size(); ++k) {
      const double iou = box_iou(boxes[i], lesions[k]);
      if (taken[k] || iou < overlap || (best >= 0 && iou == overlap)) continue;
      overlap = iou;
      best = static_cast<int>(k);
    }
    if (best >= 0) taken[static_cast<std::size_t>(best)] = true;
    all.candidates.push_back({scores[i], all.scans, best});
  }
  all.lesions += lesions.size();
  all.scans += 1;
}

void add_by_distance(Detections& all, std::span<const std::array<double, 3>> points, std::span<const double> scores,
                     std::span<const std::array<double, 3>> lesions, std::span<const double> radii) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    int best = -1;
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < lesions.size(); ++k) {
      const double d = std::hypot(points[i][0] - lesions[k][0], points[i][1] - lesions[k][1], points[i][2] - lesions[k][2]);
      if (d > radii[k] || d >= nearest) continue;
      nearest = d;
      best = static_cast<int>(k);
    }
    all.candidates.push_back({scores[i], all.scans, best});
  }
  all.lesions += lesions.size();
  all.scans += 1;
}

double average_precision(const Detections& all) {
  if (all.lesions == 0) return undefined;
  const std::vector<Step> list = steps(all);
  double area = 0, envelope = 0;
  for (std::size_t i = list.size(); i-- > 0;) {
    if (list[i].found + list[i].alarms > 0)
      envelope = std::max(envelope, list[i].found / (list[i].found + list[i].alarms));
    area += (list[i].found - (i > 0 ? list[i - 1].found : 0)) * envelope;
  }
  return area / static_cast<double>(all.lesions);
}

double sensitivity_at_false_positives(const Detections& all, double false_positives) {
  if (all.lesions == 0 || all.scans == 0) return undefined;
  double best = 0;
  for (const Step& step : steps(all))
    if (step.alarms <= false_positives * static_cast<double>(all.scans) + 1e-9) best = std::max(best, step.found);
  return best / static_cast<double>(all.lesions);
}

double cpm(const Detections& all) {
  double sum = 0;
  for (const double rate : {0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0}) sum += sensitivity_at_false_positives(all, rate);
  return sum / 7;
}

double lesion_f1(const Detections& all, double threshold) {
  Step at;
  for (const Step& step : steps(all))
    if (step.score >= threshold) at = step;
  const double misses = static_cast<double>(all.lesions) - at.found, total = 2 * at.found + at.alarms + misses;
  return total > 0 ? 2 * at.found / total : undefined;
}

}  // namespace penta::evaluate
