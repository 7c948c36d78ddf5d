#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/parallel.h"
#include "io/dicom/write_rle.h"
#include "io/dicom/write_seg_parts.h"

namespace penta::io::dicom::seg {

namespace {

/// Label -> Segment Number for one layer; labels without a segment are background.
std::vector<std::uint16_t> number_table(const LabelMap& labels, std::size_t layer,
                                        std::span<const std::uint16_t> numbers) {
  const std::vector<int> rows = rows_by_value(labels, layer, "writing a SEG");
  std::vector<std::uint16_t> table(65536, 0);
  for (std::size_t v = 1; v < table.size(); ++v)
    if (rows[v] >= 0) table[v] = numbers[static_cast<std::size_t>(rows[v])];
  return table;
}

/// One slice of all layers as Segment Numbers; false where two of them hold a voxel.
bool join_layers(const LabelMap& labels, const std::vector<std::vector<std::uint16_t>>& tables, std::size_t start,
                 std::span<std::uint16_t> out) {
  bool apart = true;
  for (std::size_t layer = 0; layer < tables.size(); ++layer) {
    const auto voxels = labels.layers[layer].voxels().subspan(start, out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint16_t number = tables[layer][voxels[i]];
      if (number == 0) continue;
      apart = apart && out[i] == 0;
      out[i] = number;
    }
  }
  return apart;
}

}  // namespace

std::vector<std::uint16_t> labelmap_numbers(const LabelMap& labels) {
  std::vector<std::uint16_t> numbers, sorted;
  for (const Segment& segment : labels.segments)
    numbers.push_back(static_cast<std::uint16_t>(std::clamp(segment.value, 0, 65535)));
  sorted = numbers;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    for (std::size_t s = 0; s < numbers.size(); ++s) numbers[s] = static_cast<std::uint16_t>(s + 1);
  return numbers;
}

void append_labels(std::vector<std::byte>& bytes, const LabelMap& labels, std::span<const std::uint16_t> numbers) {
  const Size3& size = labels.grid().size();
  const auto columns = static_cast<std::size_t>(size[0]), plane = columns * static_cast<std::size_t>(size[1]);
  const bool wide = *std::max_element(numbers.begin(), numbers.end()) > 255;
  std::vector<std::vector<std::uint16_t>> tables;
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer)
    tables.push_back(number_table(labels, layer, numbers));
  std::vector<std::vector<std::byte>> frames(static_cast<std::size_t>(size[2]));
  std::atomic<bool> apart{true};
  parallel_for(size[2], 4, [&](std::int64_t first, std::int64_t last) {
    std::vector<std::uint16_t> same(65536);
    for (std::size_t v = 0; v < same.size(); ++v) same[v] = static_cast<std::uint16_t>(v);
    for (auto z = static_cast<std::size_t>(first); z < static_cast<std::size_t>(last); ++z) {
      if (tables.size() == 1) {
        frames[z] = rle_of_labels(labels.layers[0].voxels().subspan(z * plane, plane), columns, tables[0], wide);
        continue;
      }
      std::vector<std::uint16_t> joined(plane, 0);
      if (!join_layers(labels, tables, z * plane, joined)) apart = false;
      frames[z] = rle_of_labels(joined, columns, same, wide);
    }
  });
  if (!apart)
    throw Error(Code::bad_input,
                "writing a SEG: its segments overlap, which a LABELMAP cannot hold (Sup 243); BINARY can");
  append_encapsulated(bytes, frames);
}

}  // namespace penta::io::dicom::seg
