#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdeftag.h>

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_seg_parts.h"

namespace penta::io::dicom::seg {

namespace {

/// Calls body(value, first, last) for runs of one label other than zero.
template <class Body>
void each_run(std::span<const std::uint16_t> labels, const Body& body) {
  for (auto at = labels.begin(); at != labels.end();) {
    const std::uint16_t value = *at;
    const auto end = std::find_if(at, labels.end(), [value](std::uint16_t other) { return other != value; });
    const auto first = static_cast<std::size_t>(at - labels.begin());
    if (value != 0) body(value, first, static_cast<std::size_t>(end - labels.begin()));
    at = end;
  }
}

void set_bits(std::span<std::byte> bits, std::size_t first, std::size_t last) {
  for (; first < last && first % 8 != 0; ++first) bits[first / 8] |= std::byte{1} << (first % 8);
  for (; last > first && last % 8 != 0; --last) bits[(last - 1) / 8] |= std::byte{1} << ((last - 1) % 8);
  std::fill(bits.begin() + static_cast<std::ptrdiff_t>(first / 8), bits.begin() + static_cast<std::ptrdiff_t>(last / 8),
            std::byte{0xFF});
}

}  // namespace

BinaryFrames find_frames(const LabelMap& labels) {
  const Size3& size = labels.grid().size();
  const auto plane = static_cast<std::size_t>(size[0] * size[1]);
  BinaryFrames frames;
  frames.at.assign(labels.segments.size(), std::vector<int>(static_cast<std::size_t>(size[2]), -1));
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<int> rows = rows_by_value(labels, layer, "writing a SEG");
    const auto voxels = labels.layers[layer].voxels();
    parallel_for(size[2], 8, [&](std::int64_t first, std::int64_t last) {
      for (auto z = static_cast<std::size_t>(first); z < static_cast<std::size_t>(last); ++z)
        each_run(voxels.subspan(z * plane, plane), [&](std::uint16_t value, std::size_t, std::size_t) {
          if (rows[value] >= 0) frames.at[static_cast<std::size_t>(rows[value])][z] = 0;
        });
    });
  }
  for (std::size_t s = 0; s < labels.segments.size(); ++s)
    for (std::size_t z = 0; z < frames.at[s].size(); ++z)
      if (frames.at[s][z] == 0) {
        frames.at[s][z] = static_cast<int>(frames.keys.size());
        frames.keys.push_back({static_cast<std::int64_t>(s), static_cast<std::int64_t>(z)});
      }
  // A multi-frame object has at least one frame: labels in which nothing was found get an empty one.
  if (frames.keys.empty()) frames.keys.push_back({0, 0});
  return frames;
}

void append_bits(std::vector<std::byte>& bytes, const LabelMap& labels, const BinaryFrames& frames) {
  const Size3& size = labels.grid().size();
  const auto plane = static_cast<std::size_t>(size[0] * size[1]);
  const std::size_t length = (frames.keys.size() * plane + 7) / 8;
  parts::append_element(bytes, DCM_PixelData, "OB", length + length % 2);
  const std::size_t start = bytes.size();
  bytes.resize(start + length + length % 2);
  const std::span<std::byte> bits(bytes.data() + start, length);
  // Where a frame does not fill its last byte, the next one starts in it: then one thread writes all.
  const std::int64_t grain = plane % 8 == 0 ? 4 : size[2];
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<int> rows = rows_by_value(labels, layer, "writing a SEG");
    const auto voxels = labels.layers[layer].voxels();
    parallel_for(size[2], grain, [&](std::int64_t first, std::int64_t last) {
      for (auto z = static_cast<std::size_t>(first); z < static_cast<std::size_t>(last); ++z)
        each_run(voxels.subspan(z * plane, plane), [&](std::uint16_t value, std::size_t from, std::size_t to) {
          if (rows[value] < 0) return;
          const auto at = static_cast<std::size_t>(frames.at[static_cast<std::size_t>(rows[value])][z]) * plane;
          set_bits(bits, at + from, at + to);
        });
    });
  }
}

}  // namespace penta::io::dicom::seg
