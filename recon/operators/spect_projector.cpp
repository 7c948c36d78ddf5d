#include "recon/operators/spect_projector.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "core/error.h"
#include "core/parallel.h"

namespace penta::recon {

namespace {

constexpr std::int64_t block = 8;

// Rows of the image stand beside each other in memory, so that each step below is eight rows at once.
void add_scaled(const float* __restrict from, float weight, float* __restrict to, std::int64_t count) noexcept {
  for (std::int64_t start = 0; start < count; start += block)
    for (std::int64_t i = 0; i < block; ++i) to[start + i] += weight * from[start + i];
}

struct Taps {
  std::int64_t offset;  ///< of the lower left voxel
  float weight[4];      ///< of (0,0), (1,0), (0,1), (1,1)
};

// Calls body(column, taps) for each sample of one depth plane that lies inside the circle.
template <class Body>
void for_each_sample(std::int64_t n, std::int64_t depth, double cosine, double sine, const Body& body) {
  const double centre = 0.5 * static_cast<double>(n - 1);
  const double limit = (centre - 1e-6) * (centre - 1e-6);
  const double d = static_cast<double>(depth) - centre;
  for (std::int64_t c = 0; c < n; ++c) {
    const double u = static_cast<double>(c) - centre;
    if (u * u + d * d > limit) continue;
    // Columns run along (-cos, sin); the detector stands towards (sin, cos) of the axis (PS3.3 C.8.4.12).
    const double x = -u * cosine + d * sine + centre;
    const double y = u * sine + d * cosine + centre;
    const auto x0 = std::min(static_cast<std::int64_t>(x), n - 2);
    const auto y0 = std::min(static_cast<std::int64_t>(y), n - 2);
    const auto fx = static_cast<float>(x - static_cast<double>(x0));
    const auto fy = static_cast<float>(y - static_cast<double>(y0));
    body(c, Taps{x0 + n * y0, {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy}});
  }
}

// Every sample within a voxel's reach lies in the circle of each view: no voxel is half seen, which would let
// ordered subsets heap counts on the border.
bool seen_by_all(std::int64_t n, std::int64_t voxel) noexcept {
  const double centre = 0.5 * static_cast<double>(n - 1);
  const double x = static_cast<double>(voxel % n) - centre, y = static_cast<double>(voxel / n) - centre;
  return std::hypot(x, y) < centre - std::numbers::sqrt2;
}

std::vector<float> half_gaussian(double sigma) {
  const auto radius = static_cast<std::size_t>(std::ceil(3 * sigma));
  std::vector<float> half(radius + 1, 1.F);
  double sum = 0;
  for (std::size_t i = 0; i <= radius; ++i) {
    const double z = static_cast<double>(i) / std::max(sigma, 1e-9);
    half[i] = static_cast<float>(std::exp(-0.5 * z * z));
    sum += (i == 0 ? 1.0 : 2.0) * static_cast<double>(half[i]);
  }
  for (float& value : half) value = static_cast<float>(value / sum);
  return half;
}

// Symmetric and with zeros outside, so each is its own transpose. `plane` is [columns][rows].
void blur_columns(std::span<const float> plane, std::span<const float> half, std::int64_t columns, std::int64_t rows,
                  std::span<float> out) {
  const auto reach = static_cast<std::int64_t>(half.size()) - 1;
  std::fill(out.begin(), out.end(), 0.F);
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t s = std::max<std::int64_t>(0, c - reach); s <= std::min(columns - 1, c + reach); ++s)
      add_scaled(plane.data() + s * rows, half[static_cast<std::size_t>(std::abs(s - c))], out.data() + c * rows, rows);
}

void blur_rows(std::span<const float> plane, std::span<const float> half, std::int64_t columns, std::int64_t padded,
               std::int64_t rows, std::span<float> out) {
  const auto reach = static_cast<std::int64_t>(half.size()) - 1;
  std::vector<float> line(static_cast<std::size_t>(padded + 2 * reach), 0.F);
  for (std::int64_t c = 0; c < columns; ++c) {
    std::copy_n(plane.data() + c * padded, rows, line.data() + reach);
    float* to = out.data() + c * padded;
    std::fill_n(to, padded, 0.F);
    for (std::int64_t k = -reach; k <= reach; ++k)
      add_scaled(line.data() + reach + k, half[static_cast<std::size_t>(std::abs(k))], to, padded);
    std::fill(to + rows, to + padded, 0.F);
  }
}

void check(const CameraGeometry& g, const std::vector<int>& views) {
  const auto refuse = [](const std::string& why) { throw Error(Code::bad_input, "setting up the SPECT projector: " + why); };
  if (g.columns < 4 || g.rows < 1) refuse("views need at least 4 columns and 1 row");
  if (!(g.spacing_mm[0] > 0) || !(g.spacing_mm[1] > 0)) refuse("pixel spacing must be > 0 mm");
  if (g.sigma_mm < 0 || g.sigma_slope < 0) refuse("the collimator's blur must be >= 0");
  const bool blurred = g.sigma_mm > 0 || g.sigma_slope > 0;
  if (blurred && g.radius_mm.size() != g.angle_deg.size()) refuse("a collimator model needs the radius of each view");
  for (const int view : views)
    if (view < 0 || static_cast<std::size_t>(view) >= g.angle_deg.size()) refuse("there is no such view");
}

}  // namespace

SpectProjector::SpectProjector(CameraGeometry geometry, std::vector<int> views) : geometry_(std::move(geometry)) {
  check(geometry_, views);
  padded_rows_ = (geometry_.rows + block - 1) / block * block;
  for (const int view : views) views_.push_back(view_at(view));
}

SpectProjector::View SpectProjector::view_at(int index) const {
  const double angle = geometry_.angle_deg[static_cast<std::size_t>(index)] * std::numbers::pi / 180.0;
  View view{std::cos(angle), std::sin(angle), {}};
  if (!(geometry_.sigma_mm > 0) && !(geometry_.sigma_slope > 0)) return view;
  const double centre = 0.5 * static_cast<double>(geometry_.columns - 1);
  for (std::int64_t depth = 0; depth < geometry_.columns; ++depth) {
    const double towards_mm = (static_cast<double>(depth) - centre) * geometry_.spacing_mm[0];
    const double distance_mm = std::max(0.0, geometry_.radius_mm[static_cast<std::size_t>(index)] - towards_mm);
    const double sigma_mm = geometry_.sigma_mm + geometry_.sigma_slope * distance_mm;
    view.kernels.push_back(
        {half_gaussian(sigma_mm / geometry_.spacing_mm[0]), half_gaussian(sigma_mm / geometry_.spacing_mm[1])});
  }
  return view;
}

std::int64_t SpectProjector::image_size() const noexcept {
  return geometry_.columns * geometry_.columns * geometry_.rows;
}

std::int64_t SpectProjector::measurement_size() const noexcept {
  return geometry_.columns * geometry_.rows * static_cast<std::int64_t>(views_.size());
}

void SpectProjector::project_view(const View& view, std::span<const float> columns_of_z, std::span<float> sum) const {
  const std::int64_t n = geometry_.columns;
  const std::size_t plane_size = sum.size();
  std::vector<float> plane(plane_size), blurred(plane_size);
  std::fill(sum.begin(), sum.end(), 0.F);
  for (std::int64_t depth = 0; depth < n; ++depth) {
    const bool ideal = view.kernels.empty();
    float* target = ideal ? sum.data() : plane.data();
    if (!ideal) std::fill(plane.begin(), plane.end(), 0.F);
    for_each_sample(n, depth, view.cosine, view.sine, [&](std::int64_t c, const Taps& taps) {
      const float* corner = columns_of_z.data() + taps.offset * padded_rows_;
      const std::int64_t corners[4] = {0, 1, n, n + 1};
      for (std::size_t k = 0; k < 4; ++k)
        add_scaled(corner + corners[k] * padded_rows_, taps.weight[k], target + c * padded_rows_, padded_rows_);
    });
    if (ideal) continue;
    const Kernel& kernel = view.kernels[static_cast<std::size_t>(depth)];
    blur_columns(plane, kernel.across, n, padded_rows_, blurred);
    blur_rows(blurred, kernel.along, n, padded_rows_, geometry_.rows, plane);
    add_scaled(plane.data(), 1.F, sum.data(), static_cast<std::int64_t>(plane_size));
  }
}

void SpectProjector::spread_view(const View& view, std::span<const float> plane, std::span<float> columns_of_z) const {
  const std::int64_t n = geometry_.columns;
  std::vector<float> half_way(plane.size()), blurred(plane.size());
  for (std::int64_t depth = 0; depth < n; ++depth) {
    const float* source = plane.data();
    if (!view.kernels.empty()) {
      const Kernel& kernel = view.kernels[static_cast<std::size_t>(depth)];
      blur_rows(plane, kernel.along, n, padded_rows_, geometry_.rows, half_way);
      blur_columns(half_way, kernel.across, n, padded_rows_, blurred);
      source = blurred.data();
    }
    for_each_sample(n, depth, view.cosine, view.sine, [&](std::int64_t c, const Taps& taps) {
      float* corner = columns_of_z.data() + taps.offset * padded_rows_;
      const std::int64_t corners[4] = {0, 1, n, n + 1};
      for (std::size_t k = 0; k < 4; ++k)
        add_scaled(source + c * padded_rows_, taps.weight[k], corner + corners[k] * padded_rows_, padded_rows_);
    });
  }
}

void SpectProjector::forward(std::span<const float> image, std::span<float> measurement) const {
  const std::int64_t n = geometry_.columns, rows = geometry_.rows;
  std::vector<float> columns_of_z(static_cast<std::size_t>(n * n * padded_rows_), 0.F);
  for (std::int64_t p = 0; p < n * n; ++p)
    for (std::int64_t z = 0; z < rows && seen_by_all(n, p); ++z)
      columns_of_z[static_cast<std::size_t>(p * padded_rows_ + z)] = image[static_cast<std::size_t>(p + n * n * z)];
  parallel_for(static_cast<std::int64_t>(views_.size()), 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> sum(static_cast<std::size_t>(n * padded_rows_));
    for (std::int64_t v = first; v < last; ++v) {
      project_view(views_[static_cast<std::size_t>(v)], columns_of_z, sum);
      for (std::int64_t z = 0; z < rows; ++z)
        for (std::int64_t c = 0; c < n; ++c)
          measurement[static_cast<std::size_t>(c + n * (z + rows * v))] = sum[static_cast<std::size_t>(c * padded_rows_ + z)];
    }
  });
}

void SpectProjector::adjoint(std::span<const float> measurement, std::span<float> image) const {
  const std::int64_t n = geometry_.columns, rows = geometry_.rows;
  const auto count = static_cast<std::int64_t>(views_.size());
  // Views are added up in pieces that do not depend on the threads, and the pieces in order: the same sum always.
  const std::int64_t grain = std::max<std::int64_t>(4, (count + 7) / 8);
  std::vector<std::vector<float>> pieces(static_cast<std::size_t>((count + grain - 1) / grain));
  parallel_for(count, grain, [&](std::int64_t first, std::int64_t last) {
    std::vector<float>& sum = pieces[static_cast<std::size_t>(first / grain)];
    sum.assign(static_cast<std::size_t>(n * n * padded_rows_), 0.F);
    std::vector<float> plane(static_cast<std::size_t>(n * padded_rows_), 0.F);
    for (std::int64_t v = first; v < last; ++v) {
      for (std::int64_t z = 0; z < rows; ++z)
        for (std::int64_t c = 0; c < n; ++c)
          plane[static_cast<std::size_t>(c * padded_rows_ + z)] = measurement[static_cast<std::size_t>(c + n * (z + rows * v))];
      spread_view(views_[static_cast<std::size_t>(v)], plane, sum);
    }
  });
  std::fill(image.begin(), image.end(), 0.F);
  for (const std::vector<float>& piece : pieces)
    for (std::int64_t p = 0; p < n * n; ++p)
      for (std::int64_t z = 0; z < rows && seen_by_all(n, p); ++z)
        image[static_cast<std::size_t>(p + n * n * z)] += piece[static_cast<std::size_t>(p * padded_rows_ + z)];
}

std::vector<std::vector<int>> interleaved_subsets(int count, int subsets) {
  const int used = std::clamp(subsets, 1, std::max(count, 1));
  std::vector<std::vector<int>> out(static_cast<std::size_t>(used));
  for (int view = 0; view < count; ++view) out[static_cast<std::size_t>(view % used)].push_back(view);
  return out;
}

}  // namespace penta::recon
