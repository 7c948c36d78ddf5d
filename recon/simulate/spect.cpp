#include "recon/simulate/spect.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numbers>

#include "core/parallel.h"
#include "core/random.h"
#include "recon/phantom/rays.h"

namespace penta::recon {

namespace {

constexpr std::int64_t pixels = 64, fine = 128;
constexpr double pixel_mm = 6.4, fine_mm = 3.2;
constexpr std::int64_t planes = 10;     ///< of depth, each blurred with its own width
constexpr double plane_mm = 45;         ///< ten planes hold 450 mm about the axis

using Picture = std::vector<float>;     ///< fine x fine

// Both ways; what falls off the detector is lost.
void blur(Picture& picture, std::int64_t size, double sigma_pixels) {
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma_pixels));
  std::vector<float> kernel(static_cast<std::size_t>(reach + 1));
  double sum = 0;
  for (std::int64_t k = 0; k <= reach; ++k) {
    kernel[static_cast<std::size_t>(k)] = static_cast<float>(std::exp(-0.5 * static_cast<double>(k * k) / (sigma_pixels * sigma_pixels)));
    sum += (k == 0 ? 1 : 2) * static_cast<double>(kernel[static_cast<std::size_t>(k)]);
  }
  Picture other(picture.size());
  for (int way = 0; way < 2; ++way) {
    std::fill(other.begin(), other.end(), 0.F);
    for (std::int64_t y = 0; y < size; ++y)  // rows are added up; the transpose below turns columns into rows
      for (std::int64_t s = std::max<std::int64_t>(0, y - reach); s <= std::min(size - 1, y + reach); ++s) {
        const auto weight = static_cast<float>(static_cast<double>(kernel[static_cast<std::size_t>(std::abs(s - y))]) / sum);
        const float* __restrict from = picture.data() + s * size;
        float* __restrict to = other.data() + y * size;
        for (std::int64_t x = 0; x < size; x += 8)
          for (std::int64_t i = 0; i < 8; ++i) to[x + i] += weight * from[x + i];
      }
    for (std::int64_t y = 0; y < size; ++y)
      for (std::int64_t x = 0; x < size; ++x) picture[static_cast<std::size_t>(y + size * x)] = other[static_cast<std::size_t>(x + size * y)];
  }
}

struct Properties {
  std::array<double, tissue_count> activity{}, attenuation_per_mm{};
};

Properties properties() {
  Properties p;
  for (std::size_t k = 0; k < tissue_count; ++k) {
    const TissueRow& row = row_of(static_cast<Tissue>(k));
    p.activity[k] = row.perfusion;
    p.attenuation_per_mm[k] = attenuation_140kev_per_mm(row.hu);
  }
  return p;
}

// Walks from the detector into the body. `depths` gets what comes out of each plane of depth.
void walk(const std::vector<RayTracer::Piece>& pieces, const Properties& properties, std::array<double, planes>& depths) {
  depths.fill(0);
  double passed = 1;  // share of photons that gets out from here
  for (const auto& piece : pieces) {
    const auto k = static_cast<std::size_t>(piece.tissue);
    const double mu = properties.attenuation_per_mm[k], activity = properties.activity[k];
    for (double at = piece.enter_mm; at < piece.leave_mm;) {
      // Distances run from the axis away from the detector.
      const auto plane = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at / plane_mm)) + planes / 2, 0, planes - 1);
      double end = std::min(piece.leave_mm, static_cast<double>(plane + 1 - planes / 2) * plane_mm);
      if (!(end > at)) end = piece.leave_mm;
      const double share = std::exp(-mu * (end - at));
      depths[static_cast<std::size_t>(plane)] += activity * passed * (mu > 1e-9 ? (1 - share) / mu : end - at);
      passed *= share;
      at = end;
    }
  }
}

// Expected counts of one view, not yet scaled: pixels x pixels.
Picture expected_view(const Patient& patient, const Projections& camera, const SpectProtocol& protocol,
                      const Properties& properties, std::size_t view) {
  const double angle = camera.angle_deg[view] * std::numbers::pi / 180;
  const Vector3 inwards{-std::sin(angle), -std::cos(angle), 0};  // PS3.3 C.8.4.12, see core/raw_data.h
  std::vector<Picture> by_depth(planes, Picture(fine * fine, 0.F));
  std::vector<RayTracer::Piece> pieces;
  std::array<double, planes> depths{};
  for (std::int64_t r = 0; r < fine; ++r) {
    const double z = camera.axial_start_mm + pixel_mm / 2 - (static_cast<double>(r) + 0.5) * fine_mm;
    RayTracer tracer(patient.parts, inwards, z, z);
    for (std::int64_t c = 0; c < fine; ++c) {
      const double u = (static_cast<double>(c) - 0.5 * static_cast<double>(fine - 1)) * fine_mm;
      tracer.trace({-std::cos(angle) * u, std::sin(angle) * u, z}, pieces);
      walk(pieces, properties, depths);
      for (std::size_t k = 0; k < planes; ++k) by_depth[k][static_cast<std::size_t>(c + fine * r)] = static_cast<float>(depths[k]);
    }
  }
  Picture view_counts(pixels * pixels, 0.F);
  for (std::int64_t k = 0; k < planes; ++k) {
    Picture& plane = by_depth[static_cast<std::size_t>(k)];
    if (*std::max_element(plane.begin(), plane.end()) <= 0) continue;
    const double distance_mm = std::max(0.0, protocol.radius_mm + (static_cast<double>(k - planes / 2) + 0.5) * plane_mm);
    blur(plane, fine, (protocol.sigma_mm + protocol.sigma_slope * distance_mm) / fine_mm);
    for (std::int64_t y = 0; y < fine; ++y)
      for (std::int64_t x = 0; x < fine; ++x)
        view_counts[static_cast<std::size_t>(x / 2 + pixels * (y / 2))] += plane[static_cast<std::size_t>(x + fine * y)];
  }
  Picture scatter = view_counts;
  blur(scatter, pixels, 35 / pixel_mm);
  for (std::size_t i = 0; i < scatter.size(); ++i) view_counts[i] += static_cast<float>(protocol.scatter_fraction) * scatter[i];
  return view_counts;
}

}  // namespace

Projections spect_camera(const SpectProtocol& protocol) {
  Projections p;
  p.columns = p.rows = pixels;
  p.spacing_mm = {pixel_mm, pixel_mm};
  for (int v = 0; v < protocol.views; ++v) {
    p.angle_deg.push_back(protocol.start_deg - protocol.arc_deg * v / protocol.views);
    p.radius_mm.push_back(protocol.radius_mm);
  }
  p.axial_start_mm = 40 + 31.5 * pixel_mm - 64;  // the heart (z = 40) lies above the middle, as technologists place it
  p.axial_step_mm = -pixel_mm;
  p.axial_known = true;
  return p;
}

Projections simulate_spect(const Patient& patient, const SpectProtocol& protocol, const std::function<void(double)>& progress) {
  Projections p = spect_camera(protocol);
  const Properties tissues = properties();
  std::vector<Picture> views(p.angle_deg.size());
  std::atomic<int> done{0};
  parallel_for(static_cast<std::int64_t>(views.size()), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t v = first; v < last; ++v) {
      views[static_cast<std::size_t>(v)] = expected_view(patient, p, protocol, tissues, static_cast<std::size_t>(v));
      if (progress) progress(static_cast<double>(++done) / static_cast<double>(views.size()));
    }
  });
  double sum = 0;
  for (const Picture& view : views)
    for (const float value : view) sum += static_cast<double>(value);
  const double scale = sum > 0 ? protocol.counts / sum : 0;
  std::vector<float> counts;
  for (std::size_t v = 0; v < views.size(); ++v) {
    Random random(patient.seed, 900000 + v);
    for (const float value : views[v]) counts.push_back(static_cast<float>(random.poisson(scale * static_cast<double>(value))));
  }
  p.layers.push_back(std::move(counts));
  return p;
}

}  // namespace penta::recon
