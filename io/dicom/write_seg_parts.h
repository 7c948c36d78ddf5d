#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/dicom/write_common.h"
#include "io/dicom/write_seg.h"

class DcmDataset;
class DcmItem;

/// The steps of writing a Segmentation. Inside io/dicom only.
namespace penta::io::dicom::seg {

/// One frame: a slice of the grid, of one segment (row of the table) or, in a LABELMAP, of all (-1).
struct FrameKey {
  std::int64_t segment = -1;
  std::int64_t slice = 0;
};

// --- write_seg_bits.cpp: BINARY ------------------------------------------------------------------------------------

struct BinaryFrames {
  std::vector<FrameKey> keys;        ///< by segment, then slice
  std::vector<std::vector<int>> at;  ///< [segment][slice]: frame number from 0, or -1
};
[[nodiscard]] BinaryFrames find_frames(const LabelMap& labels);
/// Appends native Pixel Data: bits from the lowest of each byte on, frames without padding between them (PS3.5 8.1.1).
void append_bits(std::vector<std::byte>& bytes, const LabelMap& labels, const BinaryFrames& frames);

// --- write_labelmap.cpp: LABELMAP (Sup 243) ------------------------------------------------------------------------

/// Segment Numbers of the rows of the table: the labels' own values where they differ, else 1, 2, ...
[[nodiscard]] std::vector<std::uint16_t> labelmap_numbers(const LabelMap& labels);
/// Appends RLE Lossless Pixel Data, one frame a slice. Throws Error{bad_input} where layers overlap.
void append_labels(std::vector<std::byte>& bytes, const LabelMap& labels, std::span<const std::uint16_t> numbers);

// --- write_seg_modules.cpp -----------------------------------------------------------------------------------------

/// The source slice that lies in the plane of a slice of the labels, and whether its pixels are the labels' pixels.
struct Match {
  SourceInstance instance;
  bool same_pixels = false;
};
[[nodiscard]] std::optional<Match> match_plane(const Grid& grid, const Image& source, std::int64_t z);
[[nodiscard]] std::optional<Match> match_slice(const LabelMap& labels, const Image& source, std::int64_t z);

void put_derivation(DcmItem& frame, const Match& match, const CodedConcept& how);

/// What is written: the labels as one type of segmentation.
struct Plan {
  const LabelMap& labels;
  const Image& source;
  const Provenance& provenance;
  bool labelmap = false;
  std::vector<std::uint16_t> numbers;          ///< Segment Number of each row of the table
  std::vector<FrameKey> keys;                  ///< the frames, in order
  std::vector<std::optional<Match>> matches{};  ///< by slice
};
/// All modules but the per-frame groups and the pixels.
void put_modules(DcmDataset& data, const Plan& plan);
/// Per-Frame Functional Groups (5200,9230), as bytes of items.
[[nodiscard]] std::vector<std::byte> frame_items(const Plan& plan);

}  // namespace penta::io::dicom::seg
