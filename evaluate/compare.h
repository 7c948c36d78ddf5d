#pragma once

#include <array>
#include <cstddef>
#include <optional>
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
  std::optional<std::array<double, 2>> interval{};  ///< 95 %, where it was made
  std::size_t n = 0;                                ///< cases; 0 where there is one
};

/// Throws Error{wrong_use} that lists `known` where one of the metrics is none of them.
void check_known(std::span<const std::string> metrics, std::span<const std::string_view> known, const char* of);

/// Names of the metrics of labels, and of images.
[[nodiscard]] std::span<const std::string_view> label_metrics() noexcept;
[[nodiscard]] std::span<const std::string_view> image_metrics() noexcept;
[[nodiscard]] bool is_label_metric(std::string_view name) noexcept;
[[nodiscard]] bool is_image_metric(std::string_view name) noexcept;

/// Each metric for each value that `a` or the reference has (the reference's names; a segment of `a` without a
/// namesake by value is one too). nsd is that at 1 mm (a planar map: 1 pixel).
/// Throws Error{wrong_use} for an unknown metric, Error{bad_input} for grids that differ.
[[nodiscard]] std::vector<Figure> compare(const LabelMap& a, const LabelMap& reference,
                                          std::span<const std::string> metrics);
/// Each metric over all voxels or pixels (of all volumes or frames). The same errors.
[[nodiscard]] std::vector<Figure> compare(const Image& a, const Image& reference, std::span<const std::string> metrics);

}  // namespace penta::evaluate
