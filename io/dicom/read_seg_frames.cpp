#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "io/dicom/read_seg_parts.h"

namespace penta::io::dicom::seg {

namespace {

constexpr Tag segmentation_type{0x0062, 0x0001}, segment_identification{0x0062, 0x000A},
    referenced_segment{0x0062, 0x000B}, plane_orientation{0x0020, 0x9116}, plane_position{0x0020, 0x9113},
    pixel_measures{0x0028, 0x9110}, derivation{0x0008, 0x9124}, source_image{0x0008, 0x2112},
    referenced_frame{0x0008, 0x1160}, referenced_instance{0x0008, 0x1155}, organization{0x0020, 0x9311},
    matrix_columns{0x0048, 0x0006}, slide_position{0x0048, 0x021A};

[[noreturn]] void bad(const std::string& what) { throw Error(Code::bad_input, what); }

template <std::size_t N>
std::optional<std::array<double, N>> numbers_in(DcmItem* item, Tag at) {
  if (item == nullptr) return std::nullopt;
  const auto all = numbers(*item, at);
  if (all.size() < N) return std::nullopt;
  std::array<double, N> values{};
  std::copy_n(all.begin(), N, values.begin());
  return values;
}

DcmItem* inside(DcmItem* item, Tag sequence) { return item == nullptr ? nullptr : first_item(*item, sequence); }

template <class T>
void keep_same(std::optional<T>& kept, const std::optional<T>& next, double tolerance, const char* what) {
  if (!next) return;
  if (!kept) {
    kept = next;
    return;
  }
  for (std::size_t k = 0; k < kept->size(); ++k)
    if (std::abs((*kept)[k] - (*next)[k]) > tolerance) bad(std::string("its frames differ in ") + what);
}

void read_measures(Header& header, DcmItem* group) {
  keep_same(header.orientation, numbers_in<6>(inside(group, plane_orientation), tag::image_orientation), 1e-4,
            "Image Orientation (0020,0037)");
  DcmItem* measures = inside(group, pixel_measures);
  keep_same(header.spacing, numbers_in<2>(measures, tag::pixel_spacing), 1e-4, "Pixel Spacing (0028,0030)");
  if (const auto between = numbers_in<1>(measures, tag::spacing_between_slices); between && header.between_mm == 0)
    header.between_mm = std::abs((*between)[0]);
  if (const auto thickness = numbers_in<1>(measures, tag::slice_thickness); thickness && header.thickness_mm == 0)
    header.thickness_mm = std::abs((*thickness)[0]);
}

SegFrame frame_in(DcmItem* own, DcmItem* shared, Kind kind) {
  SegFrame frame;
  const auto either = [&](Tag sequence) {
    DcmItem* item = inside(own, sequence);
    return item != nullptr ? item : inside(shared, sequence);
  };
  if (kind != Kind::labelmap) {
    DcmItem* segment = either(segment_identification);
    const auto number = segment != nullptr ? integer(*segment, referenced_segment) : std::nullopt;
    if (!number) bad("a frame without a Referenced Segment Number (0062,000B)");
    frame.segment = *number;
  }
  if (const auto at = numbers_in<3>(either(plane_position), tag::image_position))
    frame.corner = PatientPoint{(*at)[0], (*at)[1], (*at)[2]};
  if (DcmItem* source = inside(either(derivation), source_image)) {
    frame.source_frame = std::max(integer(*source, referenced_frame).value_or(0), 0);
    frame.source_instance = text(*source, referenced_instance);
  }
  return frame;
}

void refuse_tiles(DcmItem& data, DcmItem* shared) {
  const std::string type = text(data, organization);
  if (type.starts_with("TILED") || has(data, matrix_columns) || inside(shared, slide_position) != nullptr)
    bad("a tiled segmentation of slide microscopy (Dimension Organization Type (0020,9311) '" + type +
        "', Total Pixel Matrix Columns (0048,0006)) is not read");
}

Kind kind_of(DcmItem& data) {
  const std::string type = text(data, segmentation_type);
  if (type == "BINARY") return Kind::binary;
  if (type == "FRACTIONAL") return Kind::fractional;
  if (type == "LABELMAP") return Kind::labelmap;
  bad("Segmentation Type (0062,0001) '" + type + "' is not BINARY, FRACTIONAL or LABELMAP");
}

}  // namespace

Header header_of(DcmItem& data, std::vector<Remark>& remarks) {
  Header header;
  header.kind = kind_of(data);
  header.columns = integer(data, tag::columns).value_or(0);
  header.rows = integer(data, tag::rows).value_or(0);
  if (header.columns < 1 || header.rows < 1) bad("Rows (0028,0010) or Columns (0028,0011) is missing or zero");
  DcmItem* shared = first_item(data, tag::shared_groups);
  refuse_tiles(data, shared);
  read_measures(header, shared);
  const auto groups = items(data, tag::per_frame_groups);
  if (groups.empty()) bad("there are no Per-Frame Functional Groups (5200,9230)");
  const int stated = std::max(integer(data, tag::number_of_frames).value_or(1), 1);
  if (static_cast<std::size_t>(stated) > groups.size())
    bad("Number of Frames (0028,0008) is " + std::to_string(stated) + ", but " + std::to_string(groups.size()) +
        " frames are described (5200,9230)");
  if (static_cast<std::size_t>(stated) < groups.size())
    remarks.push_back({Severity::warning, "frames_left_out",
                       std::to_string(groups.size()) + " frames are described (5200,9230), but Number of Frames " +
                           "(0028,0008) is " + std::to_string(stated) + ": the others are left out"});
  if (inside(groups.front(), slide_position) != nullptr) refuse_tiles(data, groups.front());
  for (DcmItem* own : std::span(groups).first(static_cast<std::size_t>(stated))) {
    read_measures(header, own);
    header.frames.push_back(frame_in(own, shared, header.kind));
  }
  return header;
}

namespace {

bool fits(const std::vector<double>& heights, double step, double tolerance) {
  return std::all_of(heights.begin(), heights.end(), [&](double h) {
    const double at = (h - heights.front()) / step;
    return std::abs(at - std::round(at)) < tolerance;
  });
}

/// The step along the normal of which all distances are whole multiples: the stated one where it fits, else the least
/// distance, the slice thickness, or a fraction of the least (only some slices of the source may have frames).
double slice_step(const std::vector<double>& heights, const Header& header, std::vector<Remark>& remarks) {
  double least = 0;
  for (std::size_t k = 1; k < heights.size(); ++k)
    if (const double gap = heights[k] - heights[k - 1]; gap > 1e-3 && (least == 0 || gap < least)) least = gap;
  const double stated = header.between_mm;
  if (least == 0) return stated > 0 ? stated : header.thickness_mm > 0 ? header.thickness_mm : 1;
  const double extent = heights.back() - heights.front();
  const auto exact = [&](double step) { return extent / std::round(extent / step); };
  if (stated > 1e-3 && stated <= least * 1.05 && fits(heights, stated, 0.05)) return exact(stated);
  if (fits(heights, least, 0.05)) return exact(least);
  double found = 0;
  if (header.thickness_mm > 1e-3 && header.thickness_mm < least && fits(heights, header.thickness_mm, 0.02))
    found = header.thickness_mm;
  for (int part = 2; part <= 8 && found == 0; ++part)
    if (fits(heights, least / part, 0.02)) found = least / part;
  if (found == 0) bad("its frames lie at uneven distances (0020,0032), so they make no volume");
  found = exact(found);
  remarks.push_back({Severity::note, "slice_step_found",
                     "the distance of slices is not said: all frames lie at multiples of " +
                         std::to_string(found).substr(0, 6) + " mm"});
  return found;
}

// A broken position must not ask for more memory than any real segmentation does.
void check_extent(const Header& header, std::int64_t slices) {
  constexpr std::int64_t always = std::int64_t{1} << 28, most = std::int64_t{1} << 32;
  const std::int64_t plane = header.columns * header.rows;
  const bool sparse = slices > 100 * static_cast<std::int64_t>(header.frames.size());
  if (slices > most / plane || (sparse && slices > always / plane))
    bad("its frames span " + std::to_string(slices) + " slices (0020,0032), which is more than they can be meant to");
}

// Frames without a place: slice = the frame of the source, or the instance in order of appearance.
Grid grid_of_pictures(Header& header) {
  std::map<std::string, std::int64_t> order;
  std::int64_t slices = 1;
  for (SegFrame& frame : header.frames) {
    const auto next = static_cast<std::int64_t>(order.size());
    frame.slice =
        frame.source_frame > 0 ? frame.source_frame - 1 : order.try_emplace(frame.source_instance, next).first->second;
    slices = std::max(slices, frame.slice + 1);
  }
  check_extent(header, slices);
  return {{header.columns, header.rows, slices}, {1, 1, 1}};
}

/// The slices of the frames above `lowest`, which all must lie straight above it.
std::int64_t place_slices(Header& header, const std::vector<double>& heights, std::size_t lowest, double step) {
  const auto& o = *header.orientation;
  const Vector3 row{o[0], o[1], o[2]}, column{o[3], o[4], o[5]};
  const PatientPoint origin = *header.frames[lowest].corner;
  std::int64_t slices = 1;
  for (std::size_t k = 0; k < header.frames.size(); ++k) {
    SegFrame& frame = header.frames[k];
    const double at = (heights[k] - heights[lowest]) / step;
    if (!(at < 1e9)) bad("a frame's position (0020,0032) is out of any range");
    frame.slice = std::llround(at);
    slices = std::max(slices, frame.slice + 1);
    const Vector3 off{frame.corner->x - origin.x, frame.corner->y - origin.y, frame.corner->z - origin.z};
    if (std::abs(dot(off, row)) > 0.05 * (*header.spacing)[1] ||
        std::abs(dot(off, column)) > 0.05 * (*header.spacing)[0])
      bad("its frames are shifted within their planes (0020,0032), so they make no volume");
  }
  return slices;
}

}  // namespace

Grid place_frames(Header& header, std::vector<Remark>& remarks) {
  if (header.planar()) return grid_of_pictures(header);
  const auto& o = *header.orientation;
  const Vector3 row{o[0], o[1], o[2]}, column{o[3], o[4], o[5]}, normal = cross(row, column);
  std::vector<double> heights;
  for (const SegFrame& frame : header.frames) {
    if (!frame.corner) bad("some frames have a position in the patient (0020,0032) and others have none");
    heights.push_back(dot(normal, {frame.corner->x, frame.corner->y, frame.corner->z}));
  }
  const auto lowest = static_cast<std::size_t>(std::min_element(heights.begin(), heights.end()) - heights.begin());
  std::vector<double> sorted = heights;
  std::sort(sorted.begin(), sorted.end());
  const double step = slice_step(sorted, header, remarks);
  const std::int64_t slices = place_slices(header, heights, lowest, step);
  check_extent(header, slices);
  const Matrix3 direction{
      {{row[0], column[0], normal[0]}, {row[1], column[1], normal[1]}, {row[2], column[2], normal[2]}}};
  return {{header.columns, header.rows, slices},
          {(*header.spacing)[1], (*header.spacing)[0], step},
          *header.frames[lowest].corner,
          direction};
}

}  // namespace penta::io::dicom::seg
