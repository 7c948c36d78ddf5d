#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/label_map.h"
#include "io/dicom/internal.h"

/// The steps of reading a Segmentation: its table, its frames' places, its pixels. Inside io/dicom only; what they
/// throw does not name the file, which seg_from puts before it.
namespace penta::io::dicom::seg {

enum class Kind { binary, fractional, labelmap };

struct SegFrame {
  int segment = 0;  ///< 0 in a LABELMAP, whose pixels name the segment
  std::optional<PatientPoint> corner;
  std::int64_t source_frame = 0;  ///< 1-based frame of the source, 0 unknown
  std::string source_instance;
  std::int64_t slice = 0;  ///< filled by place_frames
};

struct Header {
  Kind kind = Kind::binary;
  std::int64_t columns = 0, rows = 0;
  std::optional<std::array<double, 6>> orientation;
  std::optional<std::array<double, 2>> spacing;  ///< row and column distance, as (0028,0030) gives them
  double between_mm = 0, thickness_mm = 0;       ///< 0: not said
  std::vector<SegFrame> frames;

  [[nodiscard]] bool planar() const noexcept { return !(orientation && spacing && frames.front().corner); }
  [[nodiscard]] std::size_t plane() const noexcept { return static_cast<std::size_t>(columns * rows); }
};

/// The Segment Sequence (0062,0002); a LABELMAP may have a segment 0.
[[nodiscard]] std::vector<Segment> segments_in(DcmItem& data);
/// Throws Error{bad_input} for tiled images, and for frames of several orientations or spacings.
[[nodiscard]] Header header_of(DcmItem& data, std::vector<Remark>& remarks);
/// The grid that the frames span, and the slice of each of them.
[[nodiscard]] Grid place_frames(Header& header, std::vector<Remark>& remarks);
/// Fills layers, each segment's layer, and says what was found on the way.
void fill_layers(const Object& object, const Header& header, const Grid& grid, LabelMap& labels);

}  // namespace penta::io::dicom::seg
