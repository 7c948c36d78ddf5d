#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penta::evaluate {

/// An axis-parallel box in mm or pixels; a box of a picture has low[2] = high[2].
struct Box {
  std::array<double, 3> low{}, high{};
};
/// Intersection over union of areas (both flat in z) or volumes; 0 where both are empty.
[[nodiscard]] double box_iou(const Box& a, const Box& b) noexcept;

/// One candidate: its score, its scan or image, and the lesion that it hits (an index of its scan), -1 for none.
struct Candidate {
  double score = 0;
  std::size_t scan = 0;
  int hits = -1;
};
/// Candidates of a whole set, and how many lesions and scans it has.
struct Detections {
  std::vector<Candidate> candidates;
  std::size_t lesions = 0, scans = 0;
};

/// Adds one scan. From the highest score down, each box takes the lesion not yet taken with the largest IoU of at
/// least `iou_min`; a box that finds none is a false positive (PASCAL VOC's rule, Everingham et al. 2010).
void add_by_iou(Detections& all, std::span<const Box> boxes, std::span<const double> scores,
                std::span<const Box> lesions, double iou_min);
/// Adds one scan. A point hits the nearest lesion within that lesion's radius (LUNA16, Setio et al. 2017); a second
/// hit of the same lesion counts neither for nor against.
void add_by_distance(Detections& all, std::span<const std::array<double, 3>> points, std::span<const double> scores,
                     std::span<const std::array<double, 3>> lesions, std::span<const double> radii);

/// Area under the precision envelope over recall, all points (PASCAL VOC 2010). NaN without lesions.
[[nodiscard]] double average_precision(const Detections& all);
/// Share of the lesions that are hit by candidates of a threshold at which false positives a scan do not exceed
/// `false_positives`: the highest such share (no interpolation). NaN without lesions or scans.
[[nodiscard]] double sensitivity_at_false_positives(const Detections& all, double false_positives);
/// Mean of the sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a scan (CPM, Niemeijer et al. 2011).
[[nodiscard]] double cpm(const Detections& all);
/// 2 TP / (2 TP + FP + FN) of the candidates that score at least `threshold`. NaN where there is nothing.
[[nodiscard]] double lesion_f1(const Detections& all, double threshold);

}  // namespace penta::evaluate
