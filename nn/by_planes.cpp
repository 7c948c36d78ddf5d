#include "nn/by_planes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "image/resample/area.h"
#include "image/resample/resample.h"
#include "nn/body.h"
#include "nn/cubic.h"
#include "nn/preprocess.h"

namespace penta::nn {

namespace {

/// A turned (and cut) look at a volume of any voxel type.
struct Look {
  const AnyVolume& volume;
  Grid grid;  ///< turned
  std::int64_t start = 0;
  std::array<std::int64_t, 3> stride{};

  Look(const AnyVolume& image, const InputSpec& spec) : volume(image), grid(turned(grid_of(image), spec)) {
    const Grid& own = grid_of(image);
    const IndexMap map = index_map(grid, own);
    const auto offset = [&](const std::array<double, 3>& v) {
      return own.offset(std::llround(v[0]), std::llround(v[1]), std::llround(v[2]));
    };
    start = offset({map.start.x, map.start.y, map.start.z});
    stride = {offset(map.x), offset(map.y), offset(map.z)};
  }

  void cut_to(const Box& box) {
    for (std::size_t k = 0; k < 3; ++k) start += box.first[k] * stride[k];
    grid = grid.cropped(box.first, box.size);
  }

  /// change(value) of each voxel of plane z, in order.
  template <class Change>
  void plane(std::int64_t z, const Change& change) const {
    std::visit(
        [&](const auto& typed) {
          using T = typename std::decay_t<decltype(typed.voxels())>::value_type;
          if constexpr (std::is_arithmetic_v<T>) {
            const auto* from = typed.voxels().data() + start + z * stride[2];
            parallel_for(grid.size()[1], 64, [&](std::int64_t first, std::int64_t last) {
              for (std::int64_t y = first; y < last; ++y)
                for (std::int64_t x = 0; x < grid.size()[0]; ++x)
                  change(x + grid.size()[0] * y, static_cast<float>(from[x * stride[0] + y * stride[1]]));
            });
          }
        },
        volume);
  }
};

bool is_number(const AnyVolume& volume) {
  return std::visit(
      [](const auto& typed) { return std::is_arithmetic_v<typename std::decay_t<decltype(typed.voxels())>::value_type>; }, volume);
}

/// Whether a value's place in the range does not depend on the other values.
bool is_pointwise(const Normalise& how) {
  using Kind = Normalise::Kind;
  return how.kind == Kind::none || how.kind == Kind::unit || how.kind == Kind::window || how.kind == Kind::ct;
}

Box box_of(const std::vector<Look>& looks, const BodyBox& how) {
  const Grid& grid = looks.front().grid;
  Volume<std::uint8_t> mask(grid);
  const bool nonzero = how.kind == BodyBox::Kind::nonzero;
  for (const Look& look : looks) {
    if (!nonzero && &look != &looks.front()) break;
    for (std::int64_t z = 0; z < grid.size()[2]; ++z) {
      std::uint8_t* to = mask.voxels().data() + grid.offset(0, 0, z);
      look.plane(z, [&](std::int64_t i, float v) {
        if (nonzero ? v != 0.F : static_cast<double>(v) > how.level) to[i] = 1;
      });
    }
  }
  return body_box(std::move(mask), how);
}

/// One plane at the network's spacing within the plane.
Volume<float> seen_plane(VolumeView<const float> plane, const Grid& wanted, const InputSpec& spec, bool own_range) {
  const Size3 size{wanted.size()[0], wanted.size()[1], 1};
  if (spec.resampling == Resampling::cubic) return own_range ? resample_cubic(plane, size) : cubic_unclipped(plane, size);
  const Vector3 spacing{wanted.spacing_mm()[0], wanted.spacing_mm()[1], plane.grid.spacing_mm()[2]};
  if (spec.resampling == Resampling::area) return area_mean(plane, spacing);
  const IndexMap map = index_map(wanted, plane.grid);
  return resample_linear_held(plane, Grid(size, spacing, plane.grid.to_patient({map.start.x, map.start.y, 0}), plane.grid.direction()));
}

/// The stack of planes at the network's spacing across them.
Volume<float> seen_stack(Volume<float> stack, const Grid& wanted, const InputSpec& spec, bool by_slices) {
  if (spec.resampling == Resampling::cubic)
    return by_slices ? resample_cubic(std::as_const(stack).view(), wanted.size(), 2)
                     : cubic_unclipped(std::as_const(stack).view(), wanted.size());
  if (spec.resampling == Resampling::area) return area_mean(std::as_const(stack).view(), wanted.spacing_mm());
  return resample_linear_held(std::as_const(stack).view(), wanted);
}

Volume<float> seen_channel(const Look& look, const InputSpec& spec, const Normalise& how) {
  const Grid& grid = look.grid;
  const bool same = !spec.spacing_mm || seen_grid(grid, spec).same_as(grid);
  const bool by_slices = spec.separate_axis && slice_axis_of(grid.spacing_mm(), seen_spacing(grid, spec)).has_value();
  Volume<float> plane(grid.cropped({}, {grid.size()[0], grid.size()[1], 1}));
  std::optional<Volume<float>> stack;
  float low = std::numeric_limits<float>::max(), high = -low;
  for (std::int64_t z = 0; z < grid.size()[2]; ++z) {
    const auto to = plane.voxels();
    look.plane(z, [&](std::int64_t i, float v) { to[static_cast<std::size_t>(i)] = v; });
    if (spec.normalise_first) normalise(to, how);
    const auto [least, most] = std::minmax_element(to.begin(), to.end());
    low = std::min(low, *least);
    high = std::max(high, *most);
    std::optional<Volume<float>> changed;
    if (!same) changed = seen_plane(std::as_const(plane).view(), seen_grid(grid, spec), spec, by_slices);
    const Volume<float>& seen = changed ? *changed : plane;
    if (!stack) {
      // The stack lies on the network's grid within the planes, on the image's across them.
      const Grid& own = seen.grid();
      stack.emplace(Grid({own.size()[0], own.size()[1], grid.size()[2]}, own.spacing_mm(), own.origin_mm(), own.direction()));
    }
    std::copy(seen.voxels().begin(), seen.voxels().end(),
              stack->voxels().begin() + static_cast<std::ptrdiff_t>(z * seen.grid().count()));
  }
  Volume<float> out = same ? std::move(*stack) : seen_stack(std::move(*stack), seen_grid(grid, spec), spec, by_slices);
  if (!same && spec.resampling == Resampling::cubic && !by_slices)
    for (float& v : out.voxels()) v = std::clamp(v, low, high);
  if (!spec.normalise_first) normalise(out.voxels(), how);
  return out;
}

bool possible(std::span<const AnyVolume* const> channels, const InputSpec& spec) {
  for (std::size_t c = 0; c < channels.size(); ++c) {
    if (!is_number(*channels[c]) || !grid_of(*channels[c]).same_as(grid_of(*channels[0]))) return false;
    if (spec.normalise_first && !is_pointwise(spec.normalise_of(c))) return false;
  }
  if (!spec.separate_axis || spec.resampling != Resampling::cubic) return true;
  const Grid grid = turned(grid_of(*channels[0]), spec);
  return slice_axis_of(grid.spacing_mm(), seen_spacing(grid, spec)).value_or(2) == 2;
}

}  // namespace

std::vector<Volume<float>> prepared_by_planes(std::span<const AnyVolume* const> channels, const InputSpec& spec) {
  if (channels.size() != spec.channel_count()) throw Error(Code::internal, "preparing an image: not the card's channels");
  std::vector<Volume<float>> out;
  if (!possible(channels, spec)) {
    std::vector<Volume<float>> whole;
    for (const AnyVolume* channel : channels) whole.push_back(to_float(*channel));
    return prepared(views_of(whole), spec);
  }
  std::vector<Look> looks;
  for (const AnyVolume* channel : channels) looks.emplace_back(*channel, spec);
  if (spec.body_box) {
    const Box box = box_of(looks, *spec.body_box);
    for (Look& look : looks) look.cut_to(box);
  }
  for (std::size_t c = 0; c < looks.size(); ++c) out.push_back(seen_channel(looks[c], spec, spec.normalise_of(c)));
  return out;
}

}  // namespace penta::nn
