#include <algorithm>
#include <cmath>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr int exact_bits = 24;  // of a float32

/// Largest distance of a stored whole number from its float32.
double largest_error(const Object& object) {
  const Frames frames(object);
  std::vector<std::int32_t> values(static_cast<std::size_t>(frames.layout().pixels()));
  const bool wide = frames.layout().is_wide();
  double largest = 0;
  for (std::int64_t frame = 0; frame < frames.layout().frames; ++frame) {
    frames.stored(frame, values);
    for (const std::int32_t value : values) {
      const double exact = wide ? static_cast<double>(static_cast<std::uint32_t>(value)) : static_cast<double>(value);
      largest = std::max(largest, std::abs(exact - static_cast<double>(static_cast<float>(exact))));
    }
  }
  return largest;
}

bool is_rescaled(const Instance& instance) {
  return std::any_of(instance.slices.begin(), instance.slices.end(),
                     [](const Slice& slice) { return slice.slope != 1 || slice.intercept != 0; });
}

}  // namespace

std::optional<Remark> loss_of(const Instance& instance, bool as_float) {
  const Layout& layout = instance.layout;
  if (layout.samples == 3 && layout.bits_stored > 8)
    return Remark{Severity::warning, "colour_depth",
                  "colours of " + std::to_string(layout.bits_stored) + " bits a channel were cut to their upper 8"};
  if (!as_float || layout.bits_stored <= exact_bits || layout.is_colour() || instance.lut || is_rescaled(instance))
    return std::nullopt;
  const double largest = largest_error(load(instance.source, true));
  if (largest == 0) return std::nullopt;
  return Remark{Severity::warning, "rounded",
                "whole numbers of " + std::to_string(layout.bits_stored) + " bits became float32: off by up to " +
                    std::to_string(static_cast<std::int64_t>(largest))};
}

}  // namespace penta::io::dicom
