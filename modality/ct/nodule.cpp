#include "modality/ct/nodule.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/parallel.h"
#include "image/blobs/blobs.h"
#include "image/morphology/morphology.h"
#include "image/resample/resample.h"
#include "modality/ct/ray_shape.h"

namespace penta::ct {

namespace {

using Mask = Volume<std::uint8_t>;

constexpr double spacing_mm = 1.5, closing_mm = 12, least_answer = 0.12, least_curvature = 0.03;
constexpr std::array<double, 6> radii_mm{2.2, 3.1, 4.4, 6.2, 8.8, 12.4};
constexpr double longest_ray_mm = 30, ray_step_mm = 0.5;
constexpr std::size_t rays = shape_rays;

// What of the image holds the lungs, with room for the closing.
Grid box_of(const Volume<std::uint8_t>& lungs) {
  const Size3& n = lungs.grid().size();
  Size3 low{n}, high{-1, -1, -1};
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x)
        if (lungs.at(x, y, z) != 0) {
          low = {std::min(low[0], x), std::min(low[1], y), std::min(low[2], z)};
          high = {std::max(high[0], x), std::max(high[1], y), std::max(high[2], z)};
        }
  const Vector3& mm = lungs.grid().spacing_mm();
  Vector3 first{};
  Size3 size{1, 1, 1};
  for (std::size_t k = 0; k < 3; ++k) {
    if (high[k] < low[k]) continue;
    const double margin = 2 * closing_mm / mm[k];
    first[k] = static_cast<double>(low[k]) - margin;
    size[k] = static_cast<std::int64_t>(
                  std::ceil((static_cast<double>(high[k] - low[k]) + 2 * margin) * mm[k] / spacing_mm)) +
              1;
  }
  return Grid(size, {spacing_mm, spacing_mm, spacing_mm}, lungs.grid().to_patient({first[0], first[1], first[2]}),
              lungs.grid().direction());
}

// Lungs closed (each side by itself, in case they touch) at the working grid.
Mask closed_lungs(const Mask& lungs, const Grid& grid) {
  const Mask coarse = resample_nearest(lungs.view(), grid);
  Mask all(grid);
  for (std::uint8_t side = 1; side <= 2; ++side) {
    Mask one(grid);
    std::transform(coarse.voxels().begin(), coarse.voxels().end(), one.voxels().begin(),
                   [side](auto v) { return v == side ? 1 : 0; });
    const Mask closed = fill_holes(close(one.view(), closing_mm).view());
    for (std::size_t i = 0; i < all.voxels().size(); ++i) all.voxels()[i] |= closed.voxels()[i];
  }
  return all;
}

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

// Eigenvector of the largest eigenvalue of a symmetric matrix whose smallest is `least`, by powers from `start`.
Vector3 main_axis(Matrix3 m, double least, Vector3 start) {
  for (std::size_t a = 0; a < 3; ++a) m[a][a] -= least;
  for (int turn = 0; turn < 40; ++turn) {
    Vector3 next{};
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t b = 0; b < 3; ++b) next[a] += m[a][b] * start[b];
    const double length = std::hypot(std::hypot(next[0], next[1]), next[2]);
    if (length < 1e-12) break;  // round: any axis will do
    for (std::size_t a = 0; a < 3; ++a) start[a] = next[a] / length;
  }
  return start;
}

// Whether a blob has been found within a voxel and a scale.
bool known(std::span<const Blob> blobs, const Blob& b) {
  return std::any_of(blobs.begin(), blobs.end(), [&](const Blob& a) {
    return std::abs(a.x - b.x) <= 1 && std::abs(a.y - b.y) <= 1 && std::abs(a.z - b.z) <= 1 &&
           (a.scale > b.scale ? a.scale - b.scale : b.scale - a.scale) <= 1;
  });
}

// Maxima of the answer, and round places without one; the `most` that answer most.
std::vector<Blob> places(const ScaleSpace& space, const Mask& inside, std::size_t most) {
  std::vector<Blob> blobs = find_blobs(space, inside.view(), least_answer);
  const std::size_t maxima = blobs.size();
  for (const Blob& b : find_round(space, inside.view(), least_answer, least_curvature))
    if (!known({blobs.data(), maxima}, b)) blobs.push_back(b);
  std::stable_sort(blobs.begin(), blobs.end(), [](const Blob& a, const Blob& b) { return a.strength > b.strength; });
  if (blobs.size() > most) blobs.resize(most);
  return blobs;
}

class Describer {
 public:
  Describer(const Volume<float>& g, const Mask& lungs, const Volume<float>& depth2, const ScaleSpace& space,
            double coarsest_mm)
      : g_(g),
        lungs_(lungs),
        depth2_(depth2),
        space_(space),
        coarsest_mm_(coarsest_mm),
        directions_(ray_directions()) {}

  [[nodiscard]] Spot describe(const Blob& blob) const {
    Vector3 c{static_cast<double>(blob.x), static_cast<double>(blob.y), static_cast<double>(blob.z)};
    std::vector<double> lengths = cast(c);
    // Once more from the middle of what was met, rays along vessels cut short.
    const double middle = median(lengths);
    Vector3 shift{};
    for (std::size_t k = 0; k < rays; ++k)
      for (std::size_t a = 0; a < 3; ++a)
        shift[a] += 3 * directions_[k][a] * std::min(lengths[k], 1.5 * middle) / static_cast<double>(rays) / spacing_mm;
    Vector3 moved = c;
    for (std::size_t a = 0; a < 3; ++a)
      moved[a] += std::clamp(shift[a], -0.6 * blob.radius_mm / spacing_mm, 0.6 * blob.radius_mm / spacing_mm);
    if (value(moved) >= 0.7 * value(c)) {
      c = moved;
      lengths = cast(c);
    }
    Spot spot;
    spot.centre = g_.grid().to_patient({c[0], c[1], c[2]});
    spot.radius_mm = std::max(0.75, median(lengths));
    fill(spot, blob, c, lengths);
    return spot;
  }

 private:
  [[nodiscard]] double value(const Vector3& at) const {
    return static_cast<double>(linear_at(g_.view(), {at[0], at[1], at[2]}, 0));
  }

  static double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return quantile(values, 0.5);
  }

  // How far from `c` along each direction half of the value at the centre is kept.
  [[nodiscard]] std::vector<double> cast(const Vector3& c) const {
    double centre = value(c);
    for (std::size_t k = 0; k < rays; k += 4) {
      const Vector3& d = directions_[k];
      centre = std::max(centre, value({c[0] + 0.5 * d[0], c[1] + 0.5 * d[1], c[2] + 0.5 * d[2]}));
    }
    std::vector<double> lengths(rays, longest_ray_mm);
    for (std::size_t k = 0; k < rays; ++k)
      for (double r = ray_step_mm; r < longest_ray_mm; r += ray_step_mm) {
        const Vector3& d = directions_[k];
        const double s = r / spacing_mm;
        if (value({c[0] + s * d[0], c[1] + s * d[1], c[2] + s * d[2]}) >= 0.5 * centre) continue;
        lengths[k] = r;
        break;
      }
    return lengths;
  }

  struct Shell {
    double mean = 0, deviation = 0, outside = 0, highest = 0;
  };
  [[nodiscard]] Shell shell(const Vector3& c, double radius_mm) const {
    Shell out;
    double square = 0;
    for (const Vector3& d : directions_) {
      const double s = radius_mm / spacing_mm;
      const Vector3 p{c[0] + s * d[0], c[1] + s * d[1], c[2] + s * d[2]};
      const double v = value(p);
      out.mean += v / rays;
      square += v * v / rays;
      out.highest = std::max(out.highest, v);
      out.outside += inside(p) ? 0 : 1.0 / rays;
    }
    out.deviation = std::sqrt(std::max(0.0, square - out.mean * out.mean));
    return out;
  }
  [[nodiscard]] bool inside(const Vector3& p) const {
    const Size3& n = lungs_.grid().size();
    const std::int64_t x = std::llround(p[0]), y = std::llround(p[1]), z = std::llround(p[2]);
    return x >= 0 && y >= 0 && z >= 0 && x < n[0] && y < n[1] && z < n[2] && lungs_.at(x, y, z) != 0;
  }

  void fill(Spot& spot, const Blob& blob, const Vector3& c, const std::vector<double>& lengths) const {
    const double radius = spot.radius_mm;
    std::size_t at = 0;
    const auto put = [&](double v) { spot.numbers[at++] = static_cast<float>(v); };
    put(std::log(radius));
    put(blob.radius_mm / radius);
    put(blob.strength);
    const Vector3 own = hessian_eigenvalues(space_, blob.scale, blob.x, blob.y, blob.z);
    for (const double e : own) put(-e);
    const std::size_t below = blob.scale == 0 ? 0 : blob.scale - 1,
                      above = std::min(blob.scale + 1, radii_mm.size() - 1);
    for (const std::size_t s : {blob.scale, below, above}) {
      const Vector3 e = hessian_eigenvalues(space_, s, blob.x, blob.y, blob.z);
      put(e[0] < 0 ? std::clamp(e[2] / e[0], -1.0, 1.0) : -1);
      put(e[0] < 0 ? std::clamp(e[1] / e[0], -1.0, 1.0) : -1);
    }
    const Shell core = shell(c, 0.25 * radius), half = shell(c, 0.5 * radius), full = shell(c, 0.8 * radius);
    put(0.5 * (core.mean + half.mean));
    put(half.deviation);
    put((value(c) + core.mean + half.mean + full.mean) / 4);
    for (const double k : {1.0, 1.25, 1.5, 2.0, 2.5}) put(shell(c, k * radius).mean);
    const Vector3 axis = fill_rays(radius, lengths, put);
    put(std::sqrt(static_cast<double>(depth2_.at(blob.x, blob.y, blob.z))));
    const Shell wide = shell(c, 2 * radius);
    put(shell(c, 1.25 * radius).outside);
    put(wide.outside);
    put(shell(c, 12).mean);
    put(std::max(core.highest, half.highest));
    put(coarsest_mm_ / radius);
    put(0.5 * (core.mean + half.mean) - wide.mean);
    const RayShape shape = ray_shape(directions_, lengths, radius, axis);
    for (const double v : shape.exits) put(v);
    for (const double v : shape.widest) put(v);
    put(shape.opposed);
    for (const double v : shape.profile) put(v);
    fill_edge(c, lengths, put);
  }

  // Does the density fall off along the rays where they end?
  template <class Put>
  void fill_edge(const Vector3& c, const std::vector<double>& lengths, Put put) const {
    double cosine = 0, fall = 0;
    for (std::size_t k = 0; k < rays; ++k) {
      const Vector3& d = directions_[k];
      Vector3 p{}, gradient{};
      for (std::size_t a = 0; a < 3; ++a) p[a] = c[a] + lengths[k] / spacing_mm * d[a];
      for (std::size_t a = 0; a < 3; ++a) {
        Vector3 low = p, high = p;
        low[a] -= 0.5;
        high[a] += 0.5;
        gradient[a] = (value(high) - value(low)) / spacing_mm;
      }
      const double size = std::hypot(std::hypot(gradient[0], gradient[1]), gradient[2]);
      const double along = -(gradient[0] * d[0] + gradient[1] * d[1] + gradient[2] * d[2]);
      if (size > 0) cosine += along / size / rays;
      fall += along / rays;
    }
    put(cosine);
    put(fall / std::max(0.1, value(c)));
  }

  // The axis along which the rays are longest.
  template <class Put>
  Vector3 fill_rays(double radius, const std::vector<double>& lengths, Put put) const {
    std::vector<double> sorted = lengths;
    std::sort(sorted.begin(), sorted.end());
    for (const double share : {0.0, 0.1, 0.25, 0.75, 0.9, 1.0}) put(std::min(6.0, quantile(sorted, share) / radius));
    for (const double k : {1.5, 2.0, 3.0})
      put(static_cast<double>(sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), k * radius)) / rays);
    Matrix3 m{};
    double sum = 0;
    for (std::size_t k = 0; k < rays; ++k) {
      const double w = std::min(lengths[k], 3 * radius);
      sum += w;
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) m[i][j] += w * directions_[k][i] * directions_[k][j];
    }
    for (auto& row : m)
      for (double& v : row) v /= sum;
    const Vector3 e = eigenvalues_of(m);
    put(e[2]);
    put(e[0]);
    const auto longest = std::max_element(lengths.begin(), lengths.end());
    return main_axis(m, e[0], directions_[static_cast<std::size_t>(longest - lengths.begin())]);
  }

  const Volume<float>& g_;
  const Mask& lungs_;
  const Volume<float>& depth2_;
  const ScaleSpace& space_;
  double coarsest_mm_;
  std::array<Vector3, rays> directions_;
};

}  // namespace

std::vector<Spot> dense_spots(const Volume<float>& hu, const Volume<std::uint8_t>& lungs, std::size_t most) {
  if (std::none_of(lungs.voxels().begin(), lungs.voxels().end(), [](auto v) { return v != 0; })) return {};
  const Grid grid = box_of(lungs);
  const Mask inside = closed_lungs(lungs, grid);
  Volume<float> g = resample_linear(hu.view(), grid, -850);
  Mask outside(grid);
  for (std::size_t i = 0; i < g.voxels().size(); ++i) {
    outside.voxels()[i] = inside.voxels()[i] == 0 ? 1 : 0;
    g.voxels()[i] = inside.voxels()[i] == 0 ? 0 : std::clamp((g.voxels()[i] + 850) / 900, -0.2F, 1.1F);
  }
  const ScaleSpace space = scale_space(g.view(), radii_mm);
  const std::vector<Blob> blobs = places(space, inside, most);
  const Volume<float> depth2 = squared_distance_mm2(outside.view());
  const Vector3& mm = hu.grid().spacing_mm();
  const Describer describer(g, inside, depth2, space, std::max({mm[0], mm[1], mm[2]}));
  std::vector<Spot> spots(blobs.size());
  parallel_for(static_cast<std::int64_t>(blobs.size()), 8, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first; k < last; ++k)
      spots[static_cast<std::size_t>(k)] = describer.describe(blobs[static_cast<std::size_t>(k)]);
  });
  return spots;
}

}  // namespace penta::ct
