#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/volume.h"
#include "nn/engine.h"
#include "nn/network_spec.h"
#include "nn/normalise.h"

namespace penta::nn {

/// The image as the network sees it: axes permuted and flipped, cut, resampled, normalised. Not yet padded.
/// A picture is a volume of one slice. The image's values are all finite (the methods of tasks/ see to that).
[[nodiscard]] Volume<float> prepared(VolumeView<const float> image, const InputSpec& spec);

/// The same for every channel of a network, all on one grid: channels after the first are first brought onto its grid
/// (linear; their smallest value beyond them). Throws Error{internal} on another number of channels than the card's.
[[nodiscard]] std::vector<Volume<float>> prepared(std::span<const VolumeView<const float>> channels, const InputSpec& spec);

/// Axes permuted and flipped as the card says; nothing interpolated.
[[nodiscard]] Volume<float> turned(VolumeView<const float> image, const InputSpec& spec);
/// The grid that turned() gives.
[[nodiscard]] Grid turned(const Grid& grid, const InputSpec& spec);
/// The card's spacing, with the grid's own along an axis of which it says nothing.
[[nodiscard]] Vector3 seen_spacing(const Grid& grid, const InputSpec& spec);
/// The grid of the network's spacing over a turned (and cut) grid; the same grid where no spacing is wanted.
[[nodiscard]] Grid seen_grid(const Grid& grid, const InputSpec& spec);

/// First column and row, width and height of the content of a picture; the whole of it where there is none.
[[nodiscard]] std::array<std::int64_t, 4> content_box(VolumeView<const float> picture, const ContentBox& how);

/// [1, 1, z, y, x] (or [1, 1, y, x]), each axis padded at its high end to a multiple.
[[nodiscard]] Tensor to_tensor(VolumeView<const float> image, const InputSpec& spec);
/// [1, channels, z, y, x] of channels on one grid.
[[nodiscard]] Tensor to_tensor(std::span<const VolumeView<const float>> channels, const InputSpec& spec);

/// Looks at each of some volumes.
[[nodiscard]] std::vector<VolumeView<const float>> views_of(const std::vector<Volume<float>>& volumes);

}  // namespace penta::nn
