#include "render/window.h"

#include <algorithm>
#include <cmath>

namespace penta::render {

namespace {

constexpr std::size_t sample_max = 200000;

std::uint8_t ramp(int level, int first, int last) noexcept {
  return static_cast<std::uint8_t>(std::clamp((level - first) * 255 / (last - first), 0, 255));
}

std::vector<float> sampled(std::span<const float> values) {
  const std::size_t step = std::max<std::size_t>(1, values.size() / sample_max);
  std::vector<float> kept;
  for (std::size_t i = 0; i < values.size(); i += step)
    if (std::isfinite(values[i])) kept.push_back(values[i]);
  return kept;
}

float percentile_in_place(std::vector<float>& values, double fraction) {
  if (values.empty()) return 0;
  const auto rank =
      static_cast<std::size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(values.size() - 1)));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// A thin sample of one volume's voxels as numbers; empty for colours.
std::vector<float> sample_of(const AnyVolume& volume) {
  return std::visit(
      [](const auto& v) {
        const auto voxels = v.voxels();
        using T = std::decay_t<decltype(voxels[0])>;
        const std::size_t step = std::max<std::size_t>(1, voxels.size() / sample_max);
        std::vector<float> out;
        if constexpr (!std::is_same_v<T, Rgb8>)
          for (std::size_t i = 0; i < voxels.size(); i += step) {
            if constexpr (std::is_same_v<T, std::complex<float>>)
              out.push_back(std::abs(voxels[i]));
            else
              out.push_back(static_cast<float>(voxels[i]));
          }
        return out;
      },
      volume);
}

std::vector<float> sample_of(const Image& image, int index) {
  const auto pick = [index](std::size_t count) {
    return index < 0 ? count / 2 : std::min(static_cast<std::size_t>(index), count - 1);
  };
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels))
    return volumes->empty() ? std::vector<float>{} : sample_of((*volumes)[pick(volumes->size())]);
  if (const auto* frames = std::get_if<FrameSequence>(&image.pixels))
    return frames->empty() ? std::vector<float>{} : (*frames)[pick(frames->size())].grey();
  const auto& slices = std::get<SliceStack>(image.pixels).slices;
  std::vector<float> all;
  for (const auto& slice : slices) {
    const std::vector<float> some = sampled(slice.pixels);
    const std::size_t step = std::max<std::size_t>(1, slices.size() * some.size() / sample_max);
    for (std::size_t i = 0; i < some.size(); i += step) all.push_back(some[i]);
  }
  return all;
}

bool is_byte_frame(const Image& image) {
  const auto* frames = std::get_if<FrameSequence>(&image.pixels);
  return frames != nullptr && !frames->empty() &&
         (std::holds_alternative<std::vector<std::uint8_t>>(frames->front().pixels) ||
          std::holds_alternative<std::vector<Rgb8>>(frames->front().pixels));
}

Window from_zero(std::vector<float> values, double fraction, Palette palette) {
  std::erase_if(values, [](float v) { return !(v > 0) || !std::isfinite(v); });
  const float high = percentile_in_place(values, fraction);
  return Window::between(0, high > 0 ? high : 1, palette);
}

Window suv_window(const std::vector<float>& values) {
  std::vector<float> taken_up = values;
  std::erase_if(taken_up, [](float v) { return !(v > 0.5F) || !std::isfinite(v); });
  const double high = std::clamp(std::ceil(percentile_in_place(taken_up, 0.995)), 5.0F, 10.0F);
  return Window::between(0, high, Palette::inverted_grey, "SUV 0 to " + std::to_string(std::lround(high)));
}

std::vector<Window> ct_windows(const Image& image) {
  std::vector<Window> windows{
      {40, 400, Palette::grey, "soft tissue"}, {-600, 1500, Palette::grey, "lung"}, {400, 1800, Palette::grey, "bone"}};
  const std::string& part = image.acquisition.body_part;
  if (part.find("HEAD") != std::string::npos || part.find("BRAIN") != std::string::npos)
    windows.insert(windows.begin(), Window{40, 80, Palette::grey, "brain"});
  return windows;
}

}  // namespace

Rgb8 colour_of(Palette palette, std::uint8_t level) noexcept {
  const auto inverted = static_cast<std::uint8_t>(255 - level);
  switch (palette) {
    case Palette::grey:
      return {level, level, level};
    case Palette::inverted_grey:
      return {inverted, inverted, inverted};
    case Palette::hot_iron:
      return {ramp(level, 0, 128), ramp(level, 128, 255), ramp(level, 192, 255)};
  }
  return {};
}

Window Window::between(double low, double high, Palette palette, std::string name) {
  return {(low + high) / 2, std::max(high - low, 1e-12), palette, std::move(name)};
}

std::uint8_t Window::level(float value) const noexcept {
  const double part = (static_cast<double>(value) - (centre - width / 2)) / width;
  if (!(part > 0)) return 0;
  return part >= 1 ? std::uint8_t{255} : static_cast<std::uint8_t>(std::lround(255 * part));
}

float percentile(std::span<const float> values, double fraction) {
  std::vector<float> kept = sampled(values);
  return percentile_in_place(kept, fraction);
}

Window robust_window(std::span<const float> values, Palette palette) {
  std::vector<float> kept = sampled(values);
  double low = percentile_in_place(kept, 0.01), high = percentile_in_place(kept, 0.99);
  if (!(high > low) && !kept.empty()) {
    low = *std::min_element(kept.begin(), kept.end());
    high = *std::max_element(kept.begin(), kept.end());
  }
  return high > low ? Window::between(low, high, palette) : Window::between(low - 0.5, low + 0.5, palette);
}

std::vector<Window> default_windows(const Image& image, int index) {
  const std::string& modality = image.acquisition.modality;
  if (is_byte_frame(image)) return {Window::between(0, 255)};
  const bool hounsfield = image.unit == "[hnsf'U]" || image.unit == "HU";
  if (hounsfield || (modality == "CT" && image.unit.empty())) return ct_windows(image);
  const std::vector<float> values = sample_of(image, index);
  if (modality == "PET") {
    if (image.unit == "g/mL" || image.unit == "{SUVbw}g/ml") return {suv_window(values)};
    return {from_zero(values, 0.999, Palette::inverted_grey)};
  }
  if (modality == "SPECT" || modality == "NM")
    return {from_zero(values, 0.999, image.is_frames() ? Palette::inverted_grey : Palette::hot_iron)};
  return {robust_window(values)};
}

Window default_window(const Projections& projections, int layer) {
  return from_zero(sampled(projections.layers.at(static_cast<std::size_t>(layer))), 0.999, Palette::inverted_grey);
}

}  // namespace penta::render
