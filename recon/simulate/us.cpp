#include "recon/simulate/us.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "recon/simulate/us_scene.h"

namespace penta::recon {

namespace {

constexpr double probe_mm = 52;                  ///< radius of the curved probe
constexpr std::int64_t lines = 512;              ///< beams
constexpr double half_angle = 36 * std::numbers::pi / 180;
constexpr double sample_mm = 0.1;
constexpr double range_db = 62;

/// Beams side by side: value[line + lines * sample].
struct Sector {
  std::int64_t samples = 0;
  std::vector<float> real, imaginary;
};

double angle_of(double beam) noexcept { return (beam / (lines - 1) * 2 - 1) * half_angle; }

// Scatterers of unit variance, as strong as the drawing says, less what the sound lost on its way there and back.
Sector scatter(const UsScene& scene, std::uint64_t seed) {
  Sector sector;
  sector.samples = static_cast<std::int64_t>(scene.depth_mm() / sample_mm);
  sector.real.resize(static_cast<std::size_t>(lines * sector.samples));
  sector.imaginary.resize(sector.real.size());
  parallel_for(lines, 16, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t beam = first; beam < last; ++beam) {
      Random random(seed, static_cast<std::uint64_t>(2000 + beam));
      const double angle = angle_of(static_cast<double>(beam)), along_x = std::sin(angle), along_y = std::cos(angle);
      double lost_db = 0;
      for (std::int64_t k = 0; k < sector.samples; ++k) {
        const double r = probe_mm + static_cast<double>(k) * sample_mm;
        const Echo echo = scene.at(r * along_x, r * along_y - probe_mm, along_x, along_y);
        lost_db += 2 * echo.loss_db_per_mm * sample_mm;
        // The gain over depth makes up for a usual loss; behind long ways through bone it does not.
        const double level_db = echo.level_db - std::max(0.0, lost_db - 9 * static_cast<double>(k) / static_cast<double>(sector.samples));
        const auto strength = static_cast<float>(std::pow(10, level_db / 20));
        const auto i = static_cast<std::size_t>(beam + lines * k);
        sector.real[i] = strength * static_cast<float>(random.normal());
        sector.imaginary[i] = strength * static_cast<float>(random.normal());
      }
    }
  });
  return sector;
}

// Weights whose squares add up to 1: white noise keeps its strength.
std::vector<float> kernel_of(double sigma) {
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma));
  std::vector<float> kernel;
  double square = 0;
  for (std::int64_t k = -reach; k <= reach; ++k) {
    const double value = std::exp(-0.5 * static_cast<double>(k * k) / (sigma * sigma));
    kernel.push_back(static_cast<float>(value));
    square += value * value;
  }
  for (float& value : kernel) value = static_cast<float>(value / std::sqrt(square));
  return kernel;
}

void blur_down(std::vector<float>& values, std::int64_t samples, const std::vector<float>& kernel) {
  std::vector<float> out(values.size(), 0.F);
  const auto reach = static_cast<std::int64_t>(kernel.size() / 2);
  parallel_for(samples, 32, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first; k < last; ++k)
      for (std::int64_t s = std::max<std::int64_t>(0, k - reach); s <= std::min(samples - 1, k + reach); ++s) {
        const float weight = kernel[static_cast<std::size_t>(s - k + reach)];
        const float* __restrict from = values.data() + s * lines;
        float* __restrict to = out.data() + k * lines;
        for (std::int64_t x = 0; x < lines; x += 8)
          for (std::int64_t i = 0; i < 8; ++i) to[x + i] += weight * from[x + i];
      }
  });
  values = std::move(out);
}

void blur_across(std::vector<float>& values, std::int64_t samples, const std::vector<float>& kernel) {
  const auto reach = static_cast<std::int64_t>(kernel.size() / 2);
  parallel_for(samples, 32, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> padded(static_cast<std::size_t>(lines + 2 * reach), 0.F);
    for (std::int64_t k = first; k < last; ++k) {
      float* __restrict row = values.data() + k * lines;
      std::copy_n(row, lines, padded.data() + reach);
      std::fill_n(row, lines, 0.F);
      for (std::size_t s = 0; s < kernel.size(); ++s) {
        const float* __restrict from = padded.data() + s;
        for (std::int64_t x = 0; x < lines; x += 8)
          for (std::int64_t i = 0; i < 8; ++i) row[x + i] += kernel[s] * from[x + i];
      }
    }
  });
}

// Decibel of the envelope, over a floor of noise.
std::vector<float> envelope_db(const Sector& sector) {
  std::vector<float> out(sector.real.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float power = 0.5F * (sector.real[i] * sector.real[i] + sector.imaginary[i] * sector.imaginary[i]);
    out[i] = 10 * std::log10(power + 2e-7F);
  }
  return out;
}

float sample(const std::vector<float>& values, std::int64_t samples, double beam, double depth) noexcept {
  const auto b = std::min(static_cast<std::int64_t>(beam), lines - 2), d = std::min(static_cast<std::int64_t>(depth), samples - 2);
  const auto fb = static_cast<float>(beam - static_cast<double>(b)), fd = static_cast<float>(depth - static_cast<double>(d));
  const float* at = values.data() + b + lines * d;
  return (1 - fd) * ((1 - fb) * at[0] + fb * at[1]) + fd * ((1 - fb) * at[lines] + fb * at[lines + 1]);
}

std::vector<std::uint8_t> scan_converted(const std::vector<float>& db, std::int64_t samples, const UsProtocol& protocol,
                                         double pixel_mm) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(protocol.width * protocol.height), 0);
  for (std::int64_t y = 0; y < protocol.height; ++y)
    for (std::int64_t x = 0; x < protocol.width; ++x) {
      const double x_mm = (static_cast<double>(x) - 0.5 * static_cast<double>(protocol.width - 1)) * pixel_mm;
      const double y_mm = static_cast<double>(y) * pixel_mm + probe_mm;
      const double depth = (std::hypot(x_mm, y_mm) - probe_mm) / sample_mm, angle = std::atan2(x_mm, y_mm);
      const double beam = (angle / half_angle + 1) / 2 * (lines - 1);
      if (depth < 0 || depth > static_cast<double>(samples - 1) || beam < 0 || beam > lines - 1) continue;
      const double grey = 255 * (static_cast<double>(sample(db, samples, beam, depth)) + range_db) / range_db;
      pixels[static_cast<std::size_t>(x + protocol.width * y)] = static_cast<std::uint8_t>(std::clamp(grey, 0.0, 255.0));
    }
  return pixels;
}

LabelMap outline(const UsScene& scene, const UsProtocol& protocol, double pixel_mm) {
  LabelMap labels;
  labels.planar = true;
  labels.layers.emplace_back(Grid({protocol.width, protocol.height, 1}, {1, 1, 1}));
  for (std::int64_t y = 0; y < protocol.height; ++y)
    for (std::int64_t x = 0; x < protocol.width; ++x) {
      const double x_mm = (static_cast<double>(x) - 0.5 * static_cast<double>(protocol.width - 1)) * pixel_mm;
      if (scene.in_head(x_mm, static_cast<double>(y) * pixel_mm)) labels.layers[0].at(x, y, 0) = 1;
    }
  Segment head;
  head.value = 1;
  head.name = "fetal head";
  labels.segments.push_back(head);
  return labels;
}

}  // namespace

double ellipse_perimeter(double a, double b) noexcept {
  const double h = (a - b) * (a - b) / ((a + b) * (a + b));
  return std::numbers::pi * (a + b) * (1 + 3 * h / (10 + std::sqrt(4 - 3 * h)));
}

UsStudy simulate_us(std::uint64_t seed, const UsProtocol& protocol) {
  if (protocol.width < 16 || protocol.height < 16) throw Error(Code::bad_input, "simulating ultrasound: the picture is too small");
  const UsScene scene(seed, protocol.head_circumference_mm);
  Sector sector = scatter(scene, seed);
  // Pulse of 0.5 mm, beam of 0.9 degrees (full width at half maximum, of the echo's amplitude).
  const auto down = kernel_of(0.22 / sample_mm), across = kernel_of(0.38 / (half_angle * 360 / std::numbers::pi / (lines - 1)));
  for (auto* part : {&sector.real, &sector.imaginary}) {
    blur_down(*part, sector.samples, down);
    blur_across(*part, sector.samples, across);
  }
  const double pixel_mm = scene.depth_mm() / static_cast<double>(protocol.height - 1);
  UsStudy study;
  study.frame.width = protocol.width;
  study.frame.height = protocol.height;
  study.frame.pixels = scan_converted(envelope_db(sector), sector.samples, protocol, pixel_mm);
  study.frame.spacing_mm = {pixel_mm, pixel_mm};
  UsRegion region;
  region.x1 = protocol.width - 1;
  region.y1 = protocol.height - 1;
  region.unit_x = region.unit_y = RegionUnit::centimetre;
  region.delta_x = region.delta_y = pixel_mm / 10;
  region.spatial_format = region.data_type = 1;
  study.frame.regions.push_back(region);
  study.labels = outline(scene, protocol, pixel_mm);
  study.head_circumference_mm = ellipse_perimeter(scene.half_long_mm(), scene.half_short_mm());
  return study;
}

}  // namespace penta::recon
