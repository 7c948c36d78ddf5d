#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/nifti.h"

namespace penta::io::nifti {

namespace {

constexpr std::size_t data_start = 352;

/// What goes into the header besides the voxels; without a grid the file has pixels and no mm.
struct Layout {
  std::array<std::int64_t, 4> size{1, 1, 1, 1};
  std::array<double, 3> spacing{1, 1, 1};
  const Grid* grid = nullptr;
  bool in_mm = false;
  Datatype datatype = Datatype::u8;
};

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

/// Little-endian fields of nifti1.h by offset.
class HeaderBytes {
 public:
  explicit HeaderBytes(std::vector<std::byte>& bytes) : bytes_(bytes) {}
  template <class T>
  void put(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(T));
  }
  void put_number(std::size_t offset, double value) { put(offset, static_cast<float>(value)); }
  void put_text(std::size_t offset, std::string_view text) {
    std::memcpy(bytes_.data() + offset, text.data(), text.size());
  }

 private:
  std::vector<std::byte>& bytes_;
};

void put_size(HeaderBytes& out, const Layout& layout) {
  out.put<std::int16_t>(40, layout.size[3] > 1 ? 4 : 3);
  for (std::size_t i = 0; i < 7; ++i) {
    const std::int64_t n = i < 4 ? layout.size[i] : 1;
    if (n > std::numeric_limits<std::int16_t>::max())
      throw Error(Code::bad_input, "writing NIfTI-1: " + std::to_string(n) + " voxels on one axis, at most 32767");
    out.put<std::int16_t>(42 + 2 * i, static_cast<std::int16_t>(n));
  }
}

void put_place(HeaderBytes& out, const Layout& layout) {
  for (std::size_t i = 0; i < 3; ++i) out.put_number(80 + 4 * i, layout.spacing[i]);
  out.put_number(92, 1);
  out.put_number(76, 1);
  out.put<std::uint8_t>(123, layout.in_mm ? 2 : 0);
  if (layout.grid == nullptr) return;
  const Placement place = placement_of(*layout.grid);
  out.put_number(76, place.qfac);
  out.put<std::int16_t>(252, 1);
  out.put<std::int16_t>(254, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    out.put_number(256 + 4 * i, place.quaternion[i]);
    out.put_number(268 + 4 * i, place.quaternion_offset[i]);
    for (std::size_t j = 0; j < 4; ++j) out.put_number(280 + 16 * i + 4 * j, place.srow[i][j]);
  }
}

std::vector<std::byte> start(const Layout& layout, std::size_t payload_bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::vector<std::byte> bytes;
  bytes.reserve(data_start + payload_bytes);
  bytes.resize(data_start);
  HeaderBytes out(bytes);
  out.put<std::int32_t>(0, 348);
  out.put<std::uint8_t>(38, 'r');  // "regular", as nifti1.h asks for Analyze readers
  put_size(out, layout);
  out.put<std::int16_t>(70, static_cast<std::int16_t>(layout.datatype));
  out.put<std::int16_t>(72, static_cast<std::int16_t>(8 * voxel_bytes(layout.datatype)));
  out.put_number(108, data_start);
  out.put_number(112, 1);
  put_place(out, layout);
  out.put_text(148, "pentascope");
  out.put_text(344, "n+1");
  return bytes;
}

template <class T>
void append(std::vector<std::byte>& bytes, std::span<const T> voxels) {
  const auto raw = std::as_bytes(voxels);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

std::vector<std::byte> write_volumes(const VolumeSequence& volumes) {
  if (volumes.empty()) throw Error(Code::bad_input, "writing NIfTI: an image without a volume");
  return std::visit(
      [&](const auto& first) {
        using V = std::decay_t<decltype(first)>;
        Layout layout;
        const Grid& grid = first.grid();
        layout.grid = &grid;
        layout.in_mm = true;
        layout.size = {grid.size()[0], grid.size()[1], grid.size()[2], static_cast<std::int64_t>(volumes.size())};
        layout.spacing = grid.spacing_mm();
        layout.datatype = datatype_of<std::decay_t<decltype(first.voxels()[0])>>();
        std::vector<std::byte> bytes = start(layout, first.voxels().size_bytes() * volumes.size());
        for (const AnyVolume& volume : volumes) {
          const V* same = std::get_if<V>(&volume);
          if (same == nullptr || !same->grid().same_as(grid))
            throw Error(Code::bad_input, "writing NIfTI: the volumes differ in voxel type or grid");
          append(bytes, same->voxels());
        }
        return gzip(bytes);
      },
      volumes.front());
}

// Frames become slices of one voxel with the frames as fourth dimension; they have no place in a patient.
std::vector<std::byte> write_frames(const FrameSequence& frames) {
  if (frames.empty()) throw Error(Code::bad_input, "writing NIfTI: an image without a picture");
  const Frame2d& first = frames.front();
  return std::visit(
      [&](const auto& pixels) {
        using P = std::decay_t<decltype(pixels)>;
        using T = typename P::value_type;
        Layout layout;
        layout.size = {first.width, first.height, 1, static_cast<std::int64_t>(frames.size())};
        layout.in_mm = first.spacing_mm.has_value();
        if (first.spacing_mm) layout.spacing = {(*first.spacing_mm)[0], (*first.spacing_mm)[1], 1};
        layout.datatype = datatype_of<T>();
        std::vector<std::byte> bytes = start(layout, pixels.size() * sizeof(T) * frames.size());
        for (const Frame2d& frame : frames) {
          const P* same = std::get_if<P>(&frame.pixels);
          if (same == nullptr || frame.width != first.width || frame.height != first.height)
            throw Error(Code::bad_input, "writing NIfTI: the frames differ in size or pixel type");
          append(bytes, std::span<const T>(*same));
        }
        return gzip(bytes);
      },
      first.pixels);
}

}  // namespace

std::vector<std::byte> write(const Image& image) {
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels)) return write_volumes(*volumes);
  if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) return write_frames(*frames);
  throw Error(Code::bad_input, "writing NIfTI: the slices are no volume (" + std::get<SliceStack>(image.pixels).why +
                                   "); resample them first");
}

std::vector<std::byte> write(const LabelMap& labels, int layer) {
  const Volume<std::uint16_t>& volume = labels.layers.at(static_cast<std::size_t>(layer));
  const auto voxels = volume.voxels();
  const Size3& size = volume.grid().size();
  const bool narrow = std::all_of(voxels.begin(), voxels.end(), [](std::uint16_t v) { return v <= 255; });
  Layout layout;
  layout.size = {size[0], size[1], size[2], 1};
  layout.datatype = narrow ? Datatype::u8 : Datatype::u16;
  if (labels.planar) {
    layout.size = {size[0], size[1], 1, size[2]};
  } else {
    layout.grid = &volume.grid();
    layout.spacing = volume.grid().spacing_mm();
    layout.in_mm = true;
  }
  std::vector<std::byte> bytes = start(layout, voxels.size() * voxel_bytes(layout.datatype));
  if (labels.planar) HeaderBytes(bytes).put_text(328, planar_intent);
  if (!narrow) {
    append(bytes, voxels);
  } else {
    std::vector<std::uint8_t> small(voxels.size());
    std::transform(voxels.begin(), voxels.end(), small.begin(),
                   [](std::uint16_t v) { return static_cast<std::uint8_t>(v); });
    append(bytes, std::span<const std::uint8_t>(small));
  }
  return gzip(bytes);
}

}  // namespace penta::io::nifti
