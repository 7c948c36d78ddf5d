#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/raw_data.h"

namespace penta::render {

/// How a level 0..255 becomes a colour. `hot_iron` runs black, red, orange, white (as PS3.6 B.1.1 looks).
enum class Palette { grey, inverted_grey, hot_iron };

[[nodiscard]] Rgb8 colour_of(Palette palette, std::uint8_t level) noexcept;

/// Values from centre - width / 2 (level 0) to centre + width / 2 (level 255), linear between, clamped outside.
struct Window {
  double centre = 0.5, width = 1;
  Palette palette = Palette::grey;
  std::string name{};  ///< "soft tissue", "lung", "bone", "brain", "SUV 0 to 5"; empty where there is one window

  [[nodiscard]] static Window between(double low, double high, Palette palette = Palette::grey, std::string name = {});
  /// NaN is level 0.
  [[nodiscard]] std::uint8_t level(float value) const noexcept;
  [[nodiscard]] Rgb8 colour(float value) const noexcept { return colour_of(palette, level(value)); }
};

/// The value below which `fraction` (0..1) of the finite values lie, judged by at most 200000 evenly spaced ones; 0 for
/// none.
[[nodiscard]] float percentile(std::span<const float> values, double fraction);
/// From the 1st to the 99th percentile; from least to largest where these are equal, and one unit wide for a constant.
[[nodiscard]] Window robust_window(std::span<const float> values, Palette palette = Palette::grey);

/// The windows in which an image is looked at, the usual one first; never empty.
/// CT: soft tissue 40/400, lung -600/1500, bone 400/1800, for heads brain 40/80 first (HU). PET: inverted grey from 0
/// to max(5, the 99.5th percentile of what is taken up, at most 10) in SUV, else from 0 to the 99.9th percentile. SPECT
/// and NM: from 0 to the 99.9th percentile, hot iron for volumes and inverted grey for views. 8-bit frames: 0 to 255.
/// Everything else: robust_window. Only the volume (or frame) `index` is looked at; -1: the middle one.
[[nodiscard]] std::vector<Window> default_windows(const Image& image, int index = -1);
[[nodiscard]] Window default_window(const Projections& projections, int layer);

}  // namespace penta::render
