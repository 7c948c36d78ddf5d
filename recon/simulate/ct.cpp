#include "recon/simulate/ct.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/parallel.h"
#include "core/random.h"
#include "recon/phantom/rays.h"

namespace penta::recon {

namespace {

constexpr double water_per_mm = 0.0192;  // 70 keV, the mean energy of a 120 kV beam behind a patient (NIST XCOM)
constexpr std::int64_t bins = 288, views = 240;
constexpr double bin_mm = 1.9;

double attenuation_per_mm(Tissue tissue, bool portal) {
  const TissueRow& row = row_of(tissue);
  return water_per_mm * std::max(0.0, 1 + (portal ? row.portal_hu : row.hu) / 1000);
}

// One view of one slice as line integrals with the counts' noise. The beam runs along (-sin, cos); bins along (cos, sin).
void measure_view(const Patient& patient, const CtProtocol& protocol, double z_mm, std::int64_t slice, std::int64_t view,
                  std::span<float> out) {
  const double angle = std::numbers::pi * static_cast<double>(view) / static_cast<double>(views);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  RayTracer tracer(patient.parts, {-sine, cosine, 0}, z_mm, z_mm);
  Random random(patient.seed, static_cast<std::uint64_t>(1000 + slice * views + view));
  std::vector<RayTracer::Piece> pieces;
  for (std::int64_t b = 0; b < bins; ++b) {
    const double u = (static_cast<double>(b) - 0.5 * static_cast<double>(bins - 1)) * bin_mm;
    tracer.trace({u * cosine, u * sine, z_mm}, pieces);
    double integral = 0;
    for (const auto& piece : pieces)
      integral += (piece.leave_mm - piece.enter_mm) * attenuation_per_mm(piece.tissue, protocol.portal_contrast);
    const std::int64_t photons = random.poisson(protocol.photons * std::exp(-integral));
    out[static_cast<std::size_t>(b)] =
        static_cast<float>(std::log(protocol.photons / static_cast<double>(std::max<std::int64_t>(photons, 1))));
  }
}

// Ram-Lak samples (Kak and Slaney 1988, eq. 3.61) smoothed by 1/4, 1/2, 1/4: a soft-tissue kernel.
std::vector<float> ramp() {
  const auto raw = [](std::int64_t n) {
    if (n == 0) return 0.25;
    if (n % 2 == 0) return 0.0;
    return -1 / (std::numbers::pi * std::numbers::pi * static_cast<double>(n * n));
  };
  std::vector<float> kernel(static_cast<std::size_t>(2 * bins - 1));
  for (std::int64_t n = 1 - bins; n < bins; ++n)
    kernel[static_cast<std::size_t>(n + bins - 1)] =
        static_cast<float>((0.5 * raw(n) + 0.25 * raw(n - 1) + 0.25 * raw(n + 1)) / bin_mm);
  return kernel;
}

void filter(std::span<const float> view, std::span<const float> kernel, std::span<float> out) noexcept {
  std::fill(out.begin(), out.end(), 0.F);
  for (std::int64_t k = 0; k < bins; ++k) {
    const float value = view[static_cast<std::size_t>(k)];
    if (value == 0) continue;
    const float* __restrict from = kernel.data() + (bins - 1 - k);
    float* __restrict to = out.data();
    for (std::int64_t b = 0; b < bins; b += 8)
      for (std::int64_t i = 0; i < 8; ++i) to[b + i] += value * from[b + i];
  }
}
static_assert(bins % 8 == 0);

void back_project(std::span<const float> filtered, std::int64_t view, const Grid& grid, std::span<float> slice) noexcept {
  const double angle = std::numbers::pi * static_cast<double>(view) / static_cast<double>(views);
  const auto step = static_cast<float>(std::cos(angle) * grid.spacing_mm()[0] / bin_mm);
  for (std::int64_t y = 0; y < grid.size()[1]; ++y) {
    const double y_mm = grid.origin_mm().y + static_cast<double>(y) * grid.spacing_mm()[1];
    const auto start = static_cast<float>((grid.origin_mm().x * std::cos(angle) + y_mm * std::sin(angle)) / bin_mm +
                                          0.5 * static_cast<double>(bins - 1));
    float* row = slice.data() + y * grid.size()[0];
    for (std::int64_t x = 0; x < grid.size()[0]; ++x) {
      const float at = start + step * static_cast<float>(x);  // inside the detector for every voxel of ct_grid
      const auto below = static_cast<std::int64_t>(at);
      const float part = at - static_cast<float>(below);
      const float* pair = filtered.data() + below;
      row[x] += pair[0] + part * (pair[1] - pair[0]);
    }
  }
}

}  // namespace

Grid ct_grid(const CtProtocol& protocol) {
  const double half_mm = 63.5 * 3, height_mm = 5.0 * static_cast<double>(protocol.slices - 1);
  return Grid({128, 128, protocol.slices}, {3, 3, 5}, {-half_mm, -half_mm, -0.5 * height_mm});
}

Volume<std::int16_t> simulate_ct(const Patient& patient, const CtProtocol& protocol,
                                 const std::function<void(double)>& progress) {
  Volume<std::int16_t> volume(ct_grid(protocol));
  const Grid& grid = volume.grid();
  const std::vector<float> kernel = ramp();
  std::atomic<std::int64_t> done{0};
  parallel_for(grid.size()[2], 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> measured(bins), filtered(bins + 1, 0.F), slice(static_cast<std::size_t>(grid.size()[0] * grid.size()[1]));
    for (std::int64_t z = first; z < last; ++z) {
      std::fill(slice.begin(), slice.end(), 0.F);
      const double z_mm = grid.origin_mm().z + static_cast<double>(z) * grid.spacing_mm()[2];
      for (std::int64_t view = 0; view < views; ++view) {
        measure_view(patient, protocol, z_mm, z, view, measured);
        filter(measured, kernel, std::span(filtered).first(static_cast<std::size_t>(bins)));
        back_project(filtered, view, grid, slice);
      }
      for (std::size_t i = 0; i < slice.size(); ++i) {
        const double attenuation = std::numbers::pi / static_cast<double>(views) * static_cast<double>(slice[i]);
        volume.voxels()[static_cast<std::size_t>(z) * slice.size() + i] =
            static_cast<std::int16_t>(std::clamp(std::lround(1000 * (attenuation / water_per_mm - 1)), -1024L, 3071L));
      }
      if (progress) progress(static_cast<double>(++done) / static_cast<double>(grid.size()[2]));
    }
  });
  return volume;
}

}  // namespace penta::recon
