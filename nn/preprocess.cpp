#include "nn/preprocess.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "image/resample/area.h"
#include "image/resample/reorient.h"
#include "image/resample/resample.h"
#include "nn/body.h"
#include "nn/cubic.h"

namespace penta::nn {

namespace {

Grid grid_with_spacing(const Grid& grid, const Vector3& spacing_mm) {
  Size3 size{};
  for (std::size_t k = 0; k < 3; ++k)
    size[k] = std::max<std::int64_t>(
        1, std::llround(static_cast<double>(grid.size()[k]) * grid.spacing_mm()[k] / spacing_mm[k]));
  const auto first = [&](std::size_t k) { return 0.5 * spacing_mm[k] / grid.spacing_mm()[k] - 0.5; };
  return {size, spacing_mm, grid.to_patient({first(0), first(1), first(2)}), grid.direction()};
}

bool has_spacing(const Grid& grid, const Vector3& spacing_mm) {
  for (std::size_t k = 0; k < 3; ++k)
    if (std::abs(grid.spacing_mm()[k] - spacing_mm[k]) > 1e-3 * spacing_mm[k]) return false;
  return true;
}

/// As nnU-Net rounds (half to even).
Size3 size_at(const Grid& grid, const Vector3& spacing_mm) {
  Size3 size{};
  for (std::size_t k = 0; k < 3; ++k)
    size[k] = std::max<std::int64_t>(
        1, std::llrint(grid.spacing_mm()[k] / spacing_mm[k] * static_cast<double>(grid.size()[k])));
  return size;
}

Volume<float> resampled(Volume<float> image, const InputSpec& spec) {
  if (spec.size) return area_mean_to(std::as_const(image).view(), {(*spec.size)[0], (*spec.size)[1], 1});
  if (!spec.spacing_mm) return image;
  const Vector3 wanted = seen_spacing(image.grid(), spec);
  if (spec.resampling == Resampling::cubic) {
    const auto axis = spec.separate_axis ? slice_axis_of(image.grid().spacing_mm(), wanted) : std::nullopt;
    return resample_cubic(std::as_const(image).view(), size_at(image.grid(), wanted), axis);
  }
  if (has_spacing(image.grid(), wanted)) return image;
  if (spec.resampling == Resampling::area) return area_mean(std::as_const(image).view(), wanted);
  return resample_linear_held(std::as_const(image).view(), grid_with_spacing(image.grid(), wanted));
}

/// The grid whose axes 0, 1, 2 are `axes` of the given one.
Grid permuted(const Grid& grid, const std::array<int, 3>& axes) {
  Size3 size{};
  Vector3 spacing{};
  Matrix3 direction{};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto from = static_cast<std::size_t>(axes[k]);
    size[k] = grid.size()[from];
    spacing[k] = grid.spacing_mm()[from];
    for (std::size_t r = 0; r < 3; ++r) direction[r][k] = grid.direction()[r][from];
  }
  return {size, spacing, grid.origin_mm(), direction};
}

Volume<float> permuted(VolumeView<const float> image, const std::array<int, 3>& axes) {
  Volume<float> out(permuted(image.grid, axes));
  const std::array<std::int64_t, 3> own{1, image.grid.size()[0], image.grid.size()[0] * image.grid.size()[1]};
  const auto stride = [&](std::size_t k) { return own[static_cast<std::size_t>(axes[k])]; };
  const Size3& size = out.grid().size();
  auto to = out.voxels().begin();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x, ++to)
        *to = image.voxels[static_cast<std::size_t>(x * stride(0) + y * stride(1) + z * stride(2))];
  return out;
}

/// Whether "not 0" means the filled mask of all channels, as with nnU-Net.
bool counts_by_mask(const InputSpec& spec) {
  if (!spec.normalise_first || spec.body_box->kind != BodyBox::Kind::nonzero) return false;
  bool some = false;
  for (std::size_t c = 0; c < spec.channel_count(); ++c) some = some || spec.normalise_of(c).nonzero;
  return some;
}

/// As the file has it, or the content of a picture.
Volume<float> copied(VolumeView<const float> image, const InputSpec& spec) {
  std::array<std::int64_t, 4> box{0, 0, image.grid.size()[0], image.grid.size()[1]};
  if (spec.content_box) box = content_box(image, *spec.content_box);
  Volume<float> copy(image.grid.cropped({box[0], box[1], 0}, {box[2], box[3], image.grid.size()[2]}));
  for (std::int64_t z = 0; z < image.grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < box[3]; ++y) std::copy_n(&image.at(box[0], box[1] + y, z), box[2], &copy.at(0, y, z));
  return copy;
}

}  // namespace

std::array<std::int64_t, 4> content_box(VolumeView<const float> picture, const ContentBox& how) {
  const std::int64_t width = picture.grid.size()[0], height = picture.grid.size()[1];
  std::vector<double> in_column(static_cast<std::size_t>(width)), in_row(static_cast<std::size_t>(height));
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      if (static_cast<double>(picture.at(x, y, 0)) > how.level) {
        in_column[static_cast<std::size_t>(x)] += 1.0 / static_cast<double>(height);
        in_row[static_cast<std::size_t>(y)] += 1.0 / static_cast<double>(width);
      }
  const auto span_of = [&](const std::vector<double>& shares) -> std::array<std::int64_t, 2> {
    const auto full = [&](double share) { return share >= how.share - 1e-12; };
    const auto first = std::find_if(shares.begin(), shares.end(), full);
    const auto last = std::find_if(shares.rbegin(), shares.rend(), full);
    if (first == shares.end()) return {0, static_cast<std::int64_t>(shares.size())};
    return {first - shares.begin(), last.base() - first};
  };
  const auto columns = span_of(in_column), rows = span_of(in_row);
  return {columns[0], rows[0], columns[1], rows[1]};
}

Vector3 seen_spacing(const Grid& grid, const InputSpec& spec) {
  Vector3 wanted = grid.spacing_mm();
  if (spec.spacing_mm)
    for (std::size_t k = 0; k < 3; ++k)
      if ((*spec.spacing_mm)[k] > 0) wanted[k] = (*spec.spacing_mm)[k];
  return wanted;
}

Grid turned(const Grid& grid, const InputSpec& spec) {
  return permuted(spec.orientation.empty() ? grid : reoriented(grid, spec.orientation), spec.axes);
}

Volume<float> turned(VolumeView<const float> image, const InputSpec& spec) {
  Volume<float> out = spec.orientation.empty() ? copied(image, spec) : reoriented(image, spec.orientation);
  return spec.axes == std::array<int, 3>{0, 1, 2} ? std::move(out) : permuted(std::as_const(out).view(), spec.axes);
}

Grid seen_grid(const Grid& grid, const InputSpec& spec) {
  if (!spec.spacing_mm) return grid;
  const Vector3 wanted = seen_spacing(grid, spec);
  if (spec.resampling == Resampling::cubic) return same_extent(grid, size_at(grid, wanted));
  return has_spacing(grid, wanted) ? grid : grid_with_spacing(grid, wanted);
}

std::vector<VolumeView<const float>> views_of(const std::vector<Volume<float>>& volumes) {
  std::vector<VolumeView<const float>> views;
  for (const Volume<float>& volume : volumes) views.push_back(volume.view());
  return views;
}

Volume<float> prepared(VolumeView<const float> image, const InputSpec& spec) {
  return std::move(prepared(std::span(&image, 1), spec).front());
}

std::vector<Volume<float>> prepared(std::span<const VolumeView<const float>> channels, const InputSpec& spec) {
  if (channels.size() != spec.channel_count()) throw Error(Code::internal, "preparing an image: not the card's channels");
  std::vector<Volume<float>> out;
  for (const VolumeView<const float>& channel : channels) {
    if (&channel == &channels.front() || channel.grid.same_as(channels.front().grid)) {
      out.push_back(turned(channel, spec));
      continue;
    }
    const float lowest = *std::min_element(channel.voxels.begin(), channel.voxels.end());
    const Volume<float> placed = resample_linear(channel, channels.front().grid, lowest);
    out.push_back(turned(placed.view(), spec));
  }
  std::vector<std::uint8_t> mask;
  if (spec.body_box) {
    const Box box = body_box(views_of(out), *spec.body_box);
    if (counts_by_mask(spec)) {
      const Volume<std::uint8_t> content = content_mask(views_of(out));
      const Volume<std::uint8_t> inside = cut(content.view(), box);
      mask.assign(inside.voxels().begin(), inside.voxels().end());
    }
    for (Volume<float>& volume : out) volume = cut(std::as_const(volume).view(), box);
  }
  for (std::size_t c = 0; c < out.size(); ++c) {
    if (spec.normalise_first) normalise(out[c].voxels(), spec.normalise_of(c), mask);
    out[c] = resampled(std::move(out[c]), spec);
    if (!spec.normalise_first) normalise(out[c].voxels(), spec.normalise_of(c));
  }
  return out;
}

Tensor to_tensor(VolumeView<const float> image, const InputSpec& spec) { return to_tensor(std::span(&image, 1), spec); }

Tensor to_tensor(std::span<const VolumeView<const float>> channels, const InputSpec& spec) {
  const Size3& size = channels.front().grid.size();
  Size3 padded = size;
  for (std::size_t k = 0; k < static_cast<std::size_t>(spec.network_dims()); ++k)
    padded[k] = (size[k] + spec.pad_multiple - 1) / spec.pad_multiple * spec.pad_multiple;
  const auto count = static_cast<std::int64_t>(channels.size());
  Tensor tensor{spec.network_dims() == 3 ? std::vector<std::int64_t>{1, count, padded[2], padded[1], padded[0]}
                               : std::vector<std::int64_t>{1, count, padded[1], padded[0]},
                std::vector<float>(static_cast<std::size_t>(count * padded[0] * padded[1] * padded[2]))};
  std::size_t to = 0;
  for (const VolumeView<const float>& image : channels)
    for (std::int64_t z = 0; z < padded[2]; ++z)
      for (std::int64_t y = 0; y < padded[1]; ++y)
        for (std::int64_t x = 0; x < padded[0]; ++x, ++to) {
          const bool beyond = x >= size[0] || y >= size[1] || z >= size[2];
          if (beyond && spec.padding != Padding::edge) continue;
          tensor.values[to] = image.at(std::min(x, size[0] - 1), std::min(y, size[1] - 1), std::min(z, size[2] - 1));
        }
  return tensor;
}

}  // namespace penta::nn
