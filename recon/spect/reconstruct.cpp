#include "recon/spect/reconstruct.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "recon/solvers/osem.h"

namespace penta::recon {

namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(Code::bad_input, "reading SPECT projections: " + why); }

// Row 0 is at the head unless the header said that rows run upwards.
bool rows_run_down(const Projections& p) noexcept { return !(p.axial_step_mm > 0); }

std::size_t view_size(const Projections& p) noexcept { return static_cast<std::size_t>(p.columns * p.rows); }

std::vector<float> views_of(std::span<const float> counts, const std::vector<int>& views, std::size_t size) {
  std::vector<float> out;
  out.reserve(size * views.size());
  for (const int view : views) {
    const auto part = counts.subspan(static_cast<std::size_t>(view) * size, size);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

CameraGeometry camera_of(const Projections& p) {
  if (p.columns < 4 || p.rows < 1) refuse("a view needs at least 4 columns and 1 row");
  if (p.angle_deg.size() < 2) refuse("there are fewer than two views");
  if (!p.radius_mm.empty() && p.radius_mm.size() != p.angle_deg.size()) refuse("not every view has a radius");
  for (const double angle : p.angle_deg)
    if (!std::isfinite(angle)) refuse("an angle is not a number");
  for (const double spacing : p.spacing_mm)
    if (!(spacing > 0) || !std::isfinite(spacing)) refuse("the pixel spacing is not > 0 mm");
  for (const auto& layer : p.layers)
    if (layer.size() != view_size(p) * p.angle_deg.size()) refuse("a gate holds another number of views than there are angles");
  return {p.columns, p.rows, p.spacing_mm, p.angle_deg, p.radius_mm};
}

Grid reconstruction_grid(const Projections& p) {
  const double half_mm = 0.5 * static_cast<double>(p.columns - 1) * p.spacing_mm[0];
  const double height_mm = static_cast<double>(p.rows - 1) * p.spacing_mm[1];
  const double lowest_mm = rows_run_down(p) ? p.axial_start_mm - height_mm : p.axial_start_mm;
  return Grid({p.columns, p.columns, p.rows}, {p.spacing_mm[0], p.spacing_mm[0], p.spacing_mm[1]},
              {-half_mm, -half_mm, lowest_mm});
}

std::vector<float> counts_of(const Projections& p, int window, std::optional<int> gate) {
  if (window < 0 || window >= p.windows) refuse("there is no energy window " + std::to_string(window + 1));
  if (gate && (*gate < 0 || *gate >= p.gates)) refuse("there is no gate " + std::to_string(*gate + 1));
  if (p.layers.size() != static_cast<std::size_t>(p.gates * p.windows)) refuse("gates or windows are missing");
  std::vector<float> sum(view_size(p) * p.angle_deg.size(), 0.F);
  for (int g = gate.value_or(0); g < (gate ? *gate + 1 : p.gates); ++g) {
    const auto& layer = p.layers[static_cast<std::size_t>(g + p.gates * window)];
    if (layer.size() != sum.size()) refuse("a gate holds another number of views than there are angles");
    std::transform(sum.begin(), sum.end(), layer.begin(), sum.begin(), std::plus<>());
  }
  return sum;
}

Volume<float> reconstruct(const Projections& p, std::span<const float> counts, const SpectOptions& options,
                          const std::function<void(int, int)>& progress) {
  CameraGeometry camera = camera_of(p);
  camera.sigma_mm = options.sigma_mm;
  camera.sigma_slope = options.sigma_slope;
  const auto dealt = interleaved_subsets(static_cast<int>(p.angle_deg.size()), options.subsets);
  std::vector<SpectProjector> projectors;
  std::vector<std::vector<float>> measured;
  for (const auto& views : dealt) {
    projectors.emplace_back(camera, views);
    measured.push_back(views_of(counts, views, view_size(p)));
  }
  std::vector<Subset> subsets;
  for (std::size_t s = 0; s < dealt.size(); ++s) subsets.push_back({&projectors[s], measured[s]});
  const std::vector<float> image = osem(subsets, options.iterations, progress);

  Volume<float> volume(reconstruction_grid(p));
  const std::int64_t slice = p.columns * p.columns;
  const auto views = static_cast<float>(p.angle_deg.size());
  for (std::int64_t row = 0; row < p.rows; ++row) {
    const std::int64_t z = rows_run_down(p) ? p.rows - 1 - row : row;
    std::transform(image.begin() + row * slice, image.begin() + (row + 1) * slice,
                   volume.voxels().begin() + z * slice, [&](float value) { return value * views; });
  }
  return volume;
}

}  // namespace penta::recon
