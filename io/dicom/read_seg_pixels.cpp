#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <map>
#include <set>

#include "core/error.h"
#include "core/parallel.h"
#include "io/dicom/read_seg_parts.h"

namespace penta::io::dicom::seg {

namespace {

constexpr Tag maximum_fraction{0x0062, 0x000E}, fraction_type{0x0062, 0x0010}, padding{0x0028, 0x0120};

[[noreturn]] void bad(const std::string& what) { throw Error(Code::bad_input, what); }

void add(std::vector<Remark>& remarks, const char* code, std::string text) {
  remarks.push_back({Severity::note, code, std::move(text)});
}

/// Which pixels of a BINARY or FRACTIONAL frame lie inside its segment.
class Masks {
 public:
  Masks(const Object& object, const Header& header, std::vector<Remark>& remarks)
      : plane_(header.plane()), bits_(packed_bits(object, header)) {
    if (!bits_.empty()) return;
    frames_.emplace(object);
    if (header.kind == Kind::binary) {
      if (frames_->layout().bits_allocated != 1)
        add(remarks, "binary_seg_of_bytes", "a BINARY segmentation holds bytes: what is not zero is inside");
      return;
    }
    const int most = integer(object.data(), maximum_fraction).value_or(255);
    least_ = std::max((most + 1) / 2, 1);
    const std::string type = text(object.data(), fraction_type);
    add(remarks, "fractional_seg",
        "a FRACTIONAL segmentation (" + (type.empty() ? "of unknown type" : type) +
            ") was cut at half of its maximum " +
            std::to_string(most) + ": values from " + std::to_string(least_) + " on are inside");
  }

  /// Calls body(first, last) for runs of pixels inside, in order. Frames may be looked at side by side.
  template <class Body>
  void each_run(std::size_t frame, const Body& body) const {
    if (bits_.empty())
      decoded_runs(frame, body);
    else
      bit_runs(frame, body);
  }

 private:
  // Native bits are read where they lie: most of them are zero, and whole words are passed over.
  static std::span<const std::byte> packed_bits(const Object& object, const Header& header) {
    if (header.kind != Kind::binary || object.encapsulated() || object.big_endian ||
        integer(object.data(), tag::bits_allocated).value_or(0) != 1)
      return {};
    const auto there = object.bytes.subspan(static_cast<std::size_t>(object.pixel_offset));
    const auto native = there.first(std::min<std::size_t>(there.size(), object.pixel_length));
    const std::size_t needed = (header.frames.size() * header.plane() + 7) / 8;
    if (native.size() < needed)
      bad("its Pixel Data (7FE0,0010) ends before its last frame: " + std::to_string(native.size()) + " of " +
          std::to_string(needed) + " bytes");
    return native.first(needed);
  }

  [[nodiscard]] bool bit(std::size_t at) const noexcept {
    return (std::to_integer<unsigned>(bits_[at / 8]) >> (at % 8) & 1U) != 0;
  }

  // 64 pixels from `at` on, the first one lowest; those past the end are zero.
  [[nodiscard]] std::uint64_t word(std::size_t at) const noexcept {
    std::uint64_t value = 0;
    const std::size_t byte = at / 8, there = std::min<std::size_t>(bits_.size() - byte, 8);
    if constexpr (std::endian::native == std::endian::little)
      std::memcpy(&value, bits_.data() + byte, there);
    else
      for (std::size_t k = 0; k < there; ++k) value |= std::to_integer<std::uint64_t>(bits_[byte + k]) << (8 * k);
    return value >> (at % 8);
  }

  template <class Body>
  void bit_runs(std::size_t frame, const Body& body) const {
    const std::size_t start = frame * plane_;
    for (std::size_t i = 0; i < plane_;) {
      const std::uint64_t next = word(start + i);
      // A word that starts inside a byte holds at least 57 pixels.
      const std::size_t sure = std::min<std::size_t>(64 - (start + i) % 8, plane_ - i);
      const auto clear = std::min(static_cast<std::size_t>(std::countr_zero(next)), sure);
      i += clear;
      if (clear == sure) continue;
      const std::size_t first = i;
      while (i < plane_ && bit(start + i)) ++i;
      body(first, i);
    }
  }

  template <class Body>
  void decoded_runs(std::size_t frame, const Body& body) const {
    std::vector<std::int32_t> values(plane_);
    frames_->stored(static_cast<std::int64_t>(frame), values);
    for (std::size_t i = 0; i < plane_;) {
      while (i < plane_ && values[i] < least_) ++i;
      const std::size_t first = i;
      while (i < plane_ && values[i] >= least_) ++i;
      if (i > first) body(first, i);
    }
  }

  std::size_t plane_;
  std::span<const std::byte> bits_;
  std::optional<Frames> frames_;
  std::int32_t least_ = 1;
};

/// The frames of one segment, by slice.
using FramesBySlice = std::vector<std::pair<std::int64_t, std::vector<std::size_t>>>;

// Two frames of one segment at one place: a union where both come from one source, else no volume can hold them.
std::map<int, FramesBySlice> by_segment(const Header& header, std::vector<Remark>& remarks) {
  std::map<int, std::map<std::int64_t, std::vector<std::size_t>>> sorted;
  bool repeated = false;
  for (std::size_t f = 0; f < header.frames.size(); ++f) {
    const SegFrame& frame = header.frames[f];
    auto& there = sorted[frame.segment][frame.slice];
    if (!there.empty()) {
      const SegFrame& first = header.frames[there.front()];
      if (first.source_instance != frame.source_instance || first.source_frame != frame.source_frame)
        bad("segment " + std::to_string(frame.segment) +
            " has two frames at one place (0020,0032) that belong to different images: a segmentation over time is "
            "not read");
      repeated = true;
    }
    there.push_back(f);
  }
  if (repeated) add(remarks, "repeated_frames", "frames of one segment lie at one place: their union was taken");
  std::map<int, FramesBySlice> out;
  for (auto& [segment, slices] : sorted) out[segment].assign(slices.begin(), slices.end());
  return out;
}

/// Writes a segment into a layer; false, and the layer as before, where another segment is in the way.
bool fill(Volume<std::uint16_t>& layer, const FramesBySlice& slices, const Masks& masks, std::size_t plane,
          std::uint16_t value) {
  std::atomic<bool> free{true};
  const auto each = [&](const auto& body) {
    parallel_for(static_cast<std::int64_t>(slices.size()), 8, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t k = first; k < last; ++k) {
        const auto& [slice, frames] = slices[static_cast<std::size_t>(k)];
        const auto voxels = layer.voxels().subspan(static_cast<std::size_t>(slice) * plane, plane);
        for (const std::size_t frame : frames)
          masks.each_run(frame, [&](std::size_t from, std::size_t to) { body(voxels.subspan(from, to - from)); });
      }
    });
  };
  each([&](std::span<std::uint16_t> run) {
    for (std::uint16_t& voxel : run) {
      if (voxel != 0 && voxel != value) free.store(false, std::memory_order_relaxed);
      else voxel = value;
    }
  });
  if (free) return true;
  each([&](std::span<std::uint16_t> run) {
    for (std::uint16_t& voxel : run)
      if (voxel == value) voxel = 0;
  });
  return false;
}

// Overlapping segments of a small file must not ask for any amount of memory.
void add_layer(LabelMap& labels, const Grid& grid, const Object& object) {
  constexpr std::int64_t always = std::int64_t{1} << 30, most = std::int64_t{8} << 30;
  const auto layers = static_cast<std::int64_t>(labels.layers.size()) + 1;
  const std::int64_t needed = grid.count() * 2 * layers;
  if (layers > 1 && needed > std::min(most, std::max(always, 200 * object.file_bytes)))
    bad("its segments overlap so much that they need " + std::to_string(layers) + " layers of labels, which is " +
        std::to_string(needed >> 20) + " MiB");
  labels.layers.emplace_back(grid);
}

void fill_masks(const Object& object, const Header& header, const Grid& grid, LabelMap& labels) {
  const Masks masks(object, header, labels.remarks);
  const auto frames = by_segment(header, labels.remarks);
  for (const Segment& segment : labels.segments)
    if (segment.value == 0) bad("a Segment Number (0062,0004) of 0 is only for LABELMAP");
  for (const auto& [number, slices] : frames)
    if (std::none_of(labels.segments.begin(), labels.segments.end(),
                     [wanted = number](const Segment& s) { return s.value == wanted; }))
      add(labels.remarks, "frames_without_segment",
          "frames of segment " + std::to_string(number) +
              ", which the Segment Sequence (0062,0002) lacks, are left out");
  add_layer(labels, grid, object);
  for (Segment& segment : labels.segments) {
    const auto own = frames.find(segment.value);
    if (own == frames.end()) continue;
    std::size_t layer = 0;
    while (!fill(labels.layers[layer], own->second, masks, header.plane(), static_cast<std::uint16_t>(segment.value)))
      if (++layer == labels.layers.size()) add_layer(labels, grid, object);
    segment.layer = static_cast<int>(layer);
  }
}

/// What each stored value becomes. The padding value is background; segment 0 is too, unless another value pads.
std::vector<std::uint16_t> value_table(DcmItem& data, LabelMap& labels) {
  std::vector<std::uint16_t> table(65536);
  for (std::size_t v = 0; v < table.size(); ++v) table[v] = static_cast<std::uint16_t>(v);
  const auto pad = integer(data, padding);
  const int background = pad && *pad >= 0 && *pad <= 65535 ? *pad : 0;
  std::erase_if(labels.segments, [&](const Segment& s) { return s.value == background; });
  const auto zero = std::find_if(labels.segments.begin(), labels.segments.end(),
                                 [](const Segment& s) { return s.value == 0; });
  if (zero != labels.segments.end()) {
    // Zero is no label here, so the segment takes the value that the padding has left free.
    zero->value = background;
    table[0] = static_cast<std::uint16_t>(background);
    add(labels.remarks, "segment_zero",
        "segment 0 ('" + zero->name + "') has the value " + std::to_string(background) + " here");
  }
  table[static_cast<std::size_t>(background)] = 0;
  return table;
}

void fill_labels(const Object& object, const Header& header, const Grid& grid, LabelMap& labels) {
  const Frames frames(object);
  if (frames.layout().bits_allocated != 8 && frames.layout().bits_allocated != 16)
    bad("Bits Allocated (0028,0100) of a LABELMAP is " + std::to_string(frames.layout().bits_allocated));
  if (frames.layout().is_signed) bad("Pixel Representation (0028,0103) of a LABELMAP is signed");
  std::set<std::int64_t> places;
  for (const SegFrame& frame : header.frames)
    if (!places.insert(frame.slice).second)
      bad("two frames of a LABELMAP lie at one place (0020,0032): a segmentation over time is not read");
  const auto table = value_table(object.data(), labels);
  add_layer(labels, grid, object);
  const std::size_t plane = header.plane();
  parallel_for(static_cast<std::int64_t>(header.frames.size()), 4, [&](std::int64_t first, std::int64_t last) {
    std::vector<std::int32_t> values(plane);
    for (std::int64_t f = first; f < last; ++f) {
      frames.stored(f, values);
      const auto slice = static_cast<std::size_t>(header.frames[static_cast<std::size_t>(f)].slice);
      const auto voxels = labels.layers[0].voxels().subspan(slice * plane, plane);
      std::transform(values.begin(), values.end(), voxels.begin(),
                     [&](std::int32_t v) { return table[static_cast<std::size_t>(v) & 0xFFFFU]; });
    }
  });
  const std::size_t known = labels.segments.size();
  add_found_segments(labels);
  if (labels.segments.size() > known)
    add(labels.remarks, "values_without_segment",
        std::to_string(labels.segments.size() - known) +
            " values of its pixels have no item in the Segment Sequence (0062,0002): named 'label N'");
}

}  // namespace

void fill_layers(const Object& object, const Header& header, const Grid& grid, LabelMap& labels) {
  if (!object.has_pixels() || object.pixel_tag.element != 0x0010) bad("there is no Pixel Data (7FE0,0010)");
  const int bits = integer(object.data(), tag::bits_allocated).value_or(0);
  const bool bits_fit = header.kind == Kind::binary ? bits == 1 || bits == 8 : bits == 8 || bits == 16;
  if (!bits_fit)
    bad("Bits Allocated (0028,0100) " + std::to_string(bits) + " does not fit its Segmentation Type (0062,0001)");
  if (header.kind == Kind::labelmap)
    fill_labels(object, header, grid, labels);
  else
    fill_masks(object, header, grid, labels);
}

}  // namespace penta::io::dicom::seg
