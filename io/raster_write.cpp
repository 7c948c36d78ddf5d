#include <algorithm>
#include <bit>
#include <utility>

#include "core/error.h"
#include "io/raster.h"

namespace penta::io {

namespace {

using nifti::Datatype;

template <class T>
constexpr Datatype datatype_of() noexcept {
  if constexpr (std::is_same_v<T, std::uint8_t>) return Datatype::u8;
  if constexpr (std::is_same_v<T, std::int16_t>) return Datatype::i16;
  if constexpr (std::is_same_v<T, std::uint16_t>) return Datatype::u16;
  if constexpr (std::is_same_v<T, std::int32_t>) return Datatype::i32;
  if constexpr (std::is_same_v<T, float>) return Datatype::f32;
  if constexpr (std::is_same_v<T, std::complex<float>>) return Datatype::c64;
  return Datatype::rgb24;
}

Stored look_at_volumes(const VolumeSequence& volumes, const std::string& format) {
  if (volumes.empty()) throw Error(Code::bad_input, "writing " + format + ": an image without a volume");
  return std::visit(
      [&](const auto& first) {
        using V = std::decay_t<decltype(first)>;
        Stored stored;
        const Grid& grid = first.grid();
        stored.grid = &grid;
        stored.in_mm = true;
        stored.size = {grid.size()[0], grid.size()[1], grid.size()[2], static_cast<std::int64_t>(volumes.size())};
        stored.spacing_mm = grid.spacing_mm();
        stored.datatype = datatype_of<std::decay_t<decltype(first.voxels()[0])>>();
        for (const AnyVolume& volume : volumes) {
          const V* same = std::get_if<V>(&volume);
          if (same == nullptr || !same->grid().same_as(grid))
            throw Error(Code::bad_input, "writing " + format + ": the volumes differ in voxel type or grid");
          stored.pieces.push_back(std::as_bytes(same->voxels()));
        }
        return stored;
      },
      volumes.front());
}

// Frames become slices of one voxel with the frames as fourth dimension; they have no place in a patient.
Stored look_at_frames(const FrameSequence& frames, const std::string& format) {
  if (frames.empty()) throw Error(Code::bad_input, "writing " + format + ": an image without a picture");
  const Frame2d& first = frames.front();
  return std::visit(
      [&](const auto& pixels) {
        using P = std::decay_t<decltype(pixels)>;
        using T = typename P::value_type;
        Stored stored;
        stored.size = {first.width, first.height, 1, static_cast<std::int64_t>(frames.size())};
        stored.in_mm = first.spacing_mm.has_value();
        if (first.spacing_mm) stored.spacing_mm = {(*first.spacing_mm)[0], (*first.spacing_mm)[1], 1};
        stored.datatype = datatype_of<T>();
        for (const Frame2d& frame : frames) {
          const P* same = std::get_if<P>(&frame.pixels);
          if (same == nullptr || frame.width != first.width || frame.height != first.height)
            throw Error(Code::bad_input, "writing " + format + ": the frames differ in size or pixel type");
          stored.pieces.push_back(std::as_bytes(std::span<const T>(*same)));
        }
        return stored;
      },
      first.pixels);
}

/// The voxels behind so many zeros, in one piece.
Stored gathered(Stored stored, std::size_t room_bytes) {
  std::size_t size = room_bytes;
  for (const auto& piece : stored.pieces) size += piece.size();
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  bytes.resize(room_bytes);
  for (const auto& piece : stored.pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
  stored.bytes = std::move(bytes);
  stored.pieces.clear();
  return stored;
}

}  // namespace

Stored look_at(const Image& image, const std::string& format) {
  static_assert(std::endian::native == std::endian::little);
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels)) return look_at_volumes(*volumes, format);
  if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) return look_at_frames(*frames, format);
  throw Error(Code::bad_input, "writing " + format + ": the slices are no volume (" +
                                   std::get<SliceStack>(image.pixels).why + "); resample them first");
}

Stored look_at(const LabelMap& labels, int layer) {
  const Volume<std::uint16_t>& volume = labels.layers.at(static_cast<std::size_t>(layer));
  const auto voxels = volume.voxels();
  const Size3& size = volume.grid().size();
  Stored stored;
  stored.size = {size[0], size[1], size[2], 1};
  if (labels.planar) {
    stored.size = {size[0], size[1], 1, size[2]};
  } else {
    stored.grid = &volume.grid();
    stored.spacing_mm = volume.grid().spacing_mm();
    stored.in_mm = true;
  }
  if (!std::all_of(voxels.begin(), voxels.end(), [](std::uint16_t v) { return v <= 255; })) {
    stored.datatype = Datatype::u16;
    stored.pieces.push_back(std::as_bytes(voxels));
    return stored;
  }
  stored.bytes.resize(voxels.size());
  std::transform(voxels.begin(), voxels.end(), stored.bytes.begin(),
                 [](std::uint16_t v) { return static_cast<std::byte>(v); });
  stored.pieces.emplace_back(stored.bytes);
  return stored;
}

Stored stored_of(const Image& image, const std::string& format, std::size_t room_bytes) {
  return gathered(look_at(image, format), room_bytes);
}

Stored stored_of(const LabelMap& labels, int layer, std::size_t room_bytes) {
  return gathered(look_at(labels, layer), room_bytes);
}

}  // namespace penta::io
