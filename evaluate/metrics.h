#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"

namespace penta::evaluate {

/// One number: what was measured, of which segment (or the whole image), and its UCUM unit.
struct Figure {
  std::string metric, label;
  double value = 0;  ///< NaN where it is not defined: a distance to an empty mask
  std::string unit;
};

// Overlap of masks (0 or not) of equal length. Two empty masks agree: 1.
/// 2 |A n B| / (|A| + |B|) (Dice 1945).
[[nodiscard]] double dice(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;
/// |A n B| / |A u B| (Jaccard 1912).
[[nodiscard]] double iou(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

/// The larger of the two directed 95th percentiles of the distances (mm, voxel centres) from each border voxel of one
/// mask to the nearest border voxel of the other (Metrics Reloaded, Maier-Hein et al. 2024). A border voxel has a
/// face neighbour that is not in the mask (outside the grid counts as that). 0 for two empty masks, NaN for one.
[[nodiscard]] double hd95_mm(VolumeView<const std::uint8_t> a, VolumeView<const std::uint8_t> b);

// Of values of equal length; NaN for none. A NaN that both have at one place is no difference.
[[nodiscard]] double max_abs(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double mean_abs(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double rmse(std::span<const float> a, std::span<const float> b) noexcept;
/// 20 log10((max - min of b) / rmse) in dB; infinite for equal values.
[[nodiscard]] double psnr(std::span<const float> a, std::span<const float> b) noexcept;

/// Area under the ROC curve: the chance that a positive scores above a negative, ties by halves (Mann-Whitney).
/// NaN where one of the two kinds is missing.
[[nodiscard]] double auroc(std::span<const double> scores, std::span<const std::uint8_t> positive);

/// dice, iou, hd95, volume_error
[[nodiscard]] bool is_label_metric(std::string_view name) noexcept;
/// max_abs, mean_abs, rmse, psnr
[[nodiscard]] bool is_image_metric(std::string_view name) noexcept;

/// Each metric for each value that `a` or the reference has (the reference's names; a segment of `a` without a
/// namesake by value is one too). `volume_error` is (a - reference) / reference, NaN for an empty reference.
/// Throws Error{wrong_use} for an unknown metric, Error{bad_input} for grids that differ.
[[nodiscard]] std::vector<Figure> compare(const LabelMap& a, const LabelMap& reference,
                                          std::span<const std::string> metrics);
/// Each metric over all voxels or pixels (of all volumes or frames). The same errors.
[[nodiscard]] std::vector<Figure> compare(const Image& a, const Image& reference, std::span<const std::string> metrics);

}  // namespace penta::evaluate
