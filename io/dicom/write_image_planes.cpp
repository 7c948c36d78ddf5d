#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

void each_of_stack(const SliceStack& stack, const std::function<void(const OutPlane&)>& use) {
  for (const SliceStack::Slice& slice : stack.slices) {
    OutPlane plane{stack.width, stack.height, stack.spacing_mm, 0, slice.origin_mm, stack.row_axis, stack.column_axis};
    plane.values.assign(slice.pixels.begin(), slice.pixels.end());
    plane.slice = &slice - stack.slices.data();
    plane.slices = static_cast<std::int64_t>(stack.slices.size());
    use(plane);
  }
}

void each_of_volume(const AnyVolume& volume, std::int64_t time, std::int64_t times,
                    const std::function<void(const OutPlane&)>& use) {
  const Grid& grid = grid_of(volume);
  for (std::int64_t z = 0; z < grid.size()[2]; ++z) {
    OutPlane plane{grid.size()[0],
                   grid.size()[1],
                   {grid.spacing_mm()[0], grid.spacing_mm()[1]},
                   grid.spacing_mm()[2],
                   grid.to_patient({0, 0, static_cast<double>(z)}),
                   grid.axis(0),
                   grid.axis(1)};
    plane.values = slice_values(volume, z);
    plane.time = time, plane.times = times;
    plane.slice = z, plane.slices = grid.size()[2];
    use(plane);
  }
}

// A slope that is a power of two is exact as text, and what was rounded to it once is not rounded again.
Scaling by_power_of_two(const Extremes& e) {
  Scaling scaling{std::ldexp(1.0, -14), std::floor(e.low), false};
  while ((e.high - scaling.intercept) / scaling.slope > 65535) scaling.slope *= 2;
  return scaling;
}

std::string short_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

}  // namespace

void Extremes::add(std::span<const double> values) noexcept {
  for (const double value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
    whole = whole && value == std::round(value);
  }
}

Scaling scaling_of(const Extremes& e, const std::string& modality) {
  if (e.whole && e.low >= -32768 && e.high <= 32767) return {1, 0, true};
  if (e.whole && e.low >= 0 && e.high <= 65535) return {1, 0, false};
  Scaling scaling{(e.high - e.low) / 65535, e.low, false};
  if (modality == "CT") scaling = by_power_of_two(e);
  if (modality == "PET") scaling = {std::max({e.high, -e.low, 1e-30}) / 32767, 0, true};
  // What stands in the file, so that reading gives what was rounded to it.
  scaling.slope = as_written(scaling.slope);
  scaling.intercept = as_written(scaling.intercept);
  return scaling;
}

double largest_error(std::span<const double> values, const Scaling& scaling) {
  double largest = 0;
  for (const double value : values) {
    const double stored = std::round((value - scaling.intercept) / scaling.slope);
    const auto read = static_cast<double>(static_cast<float>(stored * scaling.slope + scaling.intercept));
    largest = std::max(largest, std::abs(read - value));
  }
  return largest;
}

void Rounding::add(double step, double largest) noexcept {
  slope = std::max(slope, step);
  error = std::max(error, largest);
}

std::string Rounding::text() const {
  if (error == 0) return {};
  return "values are rounded to steps of " + short_text(slope) + ", the largest error is " + short_text(error);
}

std::vector<Remark> Rounding::remarks() const {
  if (error == 0) return {};
  return {{Severity::note, "rounded", "writing 16 bits: " + text()}};
}

void for_each_plane(const Image& image, const std::function<void(const OutPlane&)>& use) {
  if (const auto* stack = std::get_if<SliceStack>(&image.pixels)) return each_of_stack(*stack, use);
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  if (volumes == nullptr)
    throw Error(Code::bad_input, "writing DICOM: pictures without a place in the patient are not slices of " +
                                     image.acquisition.modality);
  for (std::size_t t = 0; t < volumes->size(); ++t)
    each_of_volume((*volumes)[t], static_cast<std::int64_t>(t), static_cast<std::int64_t>(volumes->size()), use);
}

Scaling scaling_of_all(const Image& image) {
  Extremes all;
  for_each_plane(image, [&](const OutPlane& plane) { all.add(plane.values); });
  return scaling_of(all, image.acquisition.modality);
}

}  // namespace penta::io::dicom::parts
