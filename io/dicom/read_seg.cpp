#include "io/dicom/read_seg.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "io/dicom/write_cielab.h"
#include "io/dicom/write_seg.h"

namespace penta::io::dicom {

namespace {

[[noreturn]] void bad(const std::string& what) { throw Error(Code::bad_input, "reading a SEG: " + what); }

std::string text_in(DcmItem& item, const DcmTagKey& tag) {
  OFString value;
  if (item.findAndGetOFStringArray(tag, value).bad()) return {};
  return {value.c_str(), value.size()};
}

DcmItem* first_item(DcmItem* item, const DcmTagKey& sequence) {
  DcmItem* found = nullptr;
  if (item == nullptr || item->findAndGetSequenceItem(sequence, found, 0).bad()) return nullptr;
  return found;
}

std::optional<std::int64_t> integer_in(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return std::nullopt;
  Uint16 small = 0;
  if (element->getUint16(small).good()) return small;
  Sint32 wide = 0;
  if (element->getSint32(wide).good()) return wide;
  return std::nullopt;
}

template <std::size_t N>
std::optional<std::array<double, N>> numbers_in(DcmItem* item, const DcmTagKey& tag) {
  if (item == nullptr) return std::nullopt;
  std::array<double, N> values{};
  for (std::size_t k = 0; k < N; ++k)
    if (item->findAndGetFloat64(tag, values[k], static_cast<unsigned long>(k)).bad() || !std::isfinite(values[k]))
      return std::nullopt;
  return values;
}

CodedConcept code_in(DcmItem* item) {
  if (item == nullptr) return {};
  return {text_in(*item, DCM_CodingSchemeDesignator), text_in(*item, DCM_CodeValue), text_in(*item, DCM_CodeMeaning)};
}

// Left and Right in SNOMED CT and in its retired SRT form.
Side side_of(const CodedConcept& code) {
  if (code.value == "7771000" || code.value == "G-A101") return Side::left;
  if (code.value == "24028007" || code.value == "G-A100") return Side::right;
  return Side::none;
}

Side side_in(DcmItem& row, DcmItem* type) {
  const Side of_type = side_of(code_in(first_item(type, DCM_SegmentedPropertyTypeModifierCodeSequence)));
  if (of_type != Side::none) return of_type;
  DcmItem* region = first_item(&row, DCM_AnatomicRegionSequence);
  return side_of(code_in(first_item(region, DCM_AnatomicRegionModifierSequence)));
}

Segment segment_in(DcmItem& row) {
  const auto number = integer_in(row, DCM_SegmentNumber);
  if (!number || *number < 1 || *number > 65535) bad("a segment without a number from 1 to 65535 (0062,0004)");
  Segment segment;
  segment.value = static_cast<int>(*number);
  segment.name = text_in(row, DCM_SegmentLabel);
  segment.category = code_in(first_item(&row, DCM_SegmentedPropertyCategoryCodeSequence));
  DcmItem* type = first_item(&row, DCM_SegmentedPropertyTypeCodeSequence);
  if (text_in(row, DCM_SegmentDescription) != no_type_code_text) segment.type = code_in(type);
  segment.side = side_in(row, type);
  std::array<std::uint16_t, 3> lab{};
  bool coloured = true;
  for (std::size_t k = 0; k < 3; ++k)
    coloured = coloured &&
               row.findAndGetUint16(DCM_RecommendedDisplayCIELabValue, lab[k], static_cast<unsigned long>(k)).good();
  if (coloured) segment.colour = rgb_from_cielab(lab);
  return segment;
}

std::vector<Segment> segments_in(DcmItem& data) {
  std::vector<Segment> segments;
  DcmItem* row = nullptr;
  for (long k = 0; data.findAndGetSequenceItem(DCM_SegmentSequence, row, k).good() && row != nullptr; ++k)
    segments.push_back(segment_in(*row));
  if (segments.empty()) bad("there is no Segment Sequence (0062,0002)");
  return segments;
}

struct SegFrame {
  int segment = 0;
  std::optional<PatientPoint> corner;
  std::int64_t source_frame = 0;  // 1-based frame of the source, 0 unknown
  std::string source_instance;
  std::int64_t slice = 0;
};

// What all frames share: size, spacing, orientation.
struct Layout {
  std::int64_t columns = 0, rows = 0;
  std::optional<std::array<double, 6>> orientation;
  std::optional<std::array<double, 2>> spacing;
  double slice_step = 0;  // as the header says, 0: it does not
};

struct Frames {
  Layout layout;
  std::vector<SegFrame> frames;
  std::map<int, std::vector<std::size_t>> of_segment;
};

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

void read_layout(Layout& layout, DcmItem* group) {
  keep_same(layout.orientation,
            numbers_in<6>(first_item(group, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient), 1e-4,
            "orientation (0020,0037)");
  DcmItem* measures = first_item(group, DCM_PixelMeasuresSequence);
  keep_same(layout.spacing, numbers_in<2>(measures, DCM_PixelSpacing), 1e-4, "pixel spacing (0028,0030)");
  if (layout.slice_step > 0) return;
  const auto between = numbers_in<1>(measures, DCM_SpacingBetweenSlices);
  const auto thickness = numbers_in<1>(measures, DCM_SliceThickness);
  layout.slice_step = std::abs(between ? (*between)[0] : thickness ? (*thickness)[0] : 0.0);
}

SegFrame frame_in(DcmItem* own, DcmItem* shared) {
  SegFrame frame;
  const auto either = [&](const DcmTagKey& sequence) {
    DcmItem* item = first_item(own, sequence);
    return item != nullptr ? item : first_item(shared, sequence);
  };
  DcmItem* segment = either(DCM_SegmentIdentificationSequence);
  const auto number = segment != nullptr ? integer_in(*segment, DCM_ReferencedSegmentNumber) : std::nullopt;
  if (!number) bad("a frame without a Referenced Segment Number (0062,000B)");
  frame.segment = static_cast<int>(*number);
  if (const auto at = numbers_in<3>(either(DCM_PlanePositionSequence), DCM_ImagePositionPatient))
    frame.corner = PatientPoint{(*at)[0], (*at)[1], (*at)[2]};
  DcmItem* source = first_item(either(DCM_DerivationImageSequence), DCM_SourceImageSequence);
  if (source != nullptr) {
    frame.source_frame = integer_in(*source, DCM_ReferencedFrameNumber).value_or(0);
    frame.source_instance = text_in(*source, DCM_ReferencedSOPInstanceUID);
  }
  return frame;
}

Frames frames_in(DcmItem& data) {
  Frames all;
  all.layout.columns = integer_in(data, DCM_Columns).value_or(0);
  all.layout.rows = integer_in(data, DCM_Rows).value_or(0);
  if (all.layout.columns < 1 || all.layout.rows < 1) bad("Rows or Columns (0028,0010) is missing");
  DcmItem* shared = first_item(&data, DCM_SharedFunctionalGroupsSequence);
  read_layout(all.layout, shared);
  DcmElement* groups = nullptr;
  if (data.findAndGetElement(DCM_PerFrameFunctionalGroupsSequence, groups).bad() || groups->ident() != EVR_SQ)
    bad("there are no per-frame functional groups (5200,9230)");
  auto& sequence = static_cast<DcmSequenceOfItems&>(*groups);
  // Going from item to item: getItem(k) walks the list from its start each time.
  for (DcmObject* object = sequence.nextInContainer(nullptr); object != nullptr;
       object = sequence.nextInContainer(object)) {
    auto* own = static_cast<DcmItem*>(object);
    read_layout(all.layout, own);
    all.frames.push_back(frame_in(own, shared));
    all.of_segment[all.frames.back().segment].push_back(all.frames.size() - 1);
  }
  if (all.frames.empty()) bad("it holds no frame");
  return all;
}

// The step along the normal of which all distances are whole multiples: the header's where it fits, else the least.
double slice_step(const std::vector<double>& heights, double stated) {
  const auto fits = [&](double step) {
    return std::all_of(heights.begin(), heights.end(), [&](double h) {
      const double at = (h - heights.front()) / step;
      return std::abs(at - std::round(at)) < 0.05;
    });
  };
  double least = 0;
  for (std::size_t k = 1; k < heights.size(); ++k)
    if (const double gap = heights[k] - heights[k - 1]; gap > 1e-3 && (least == 0 || gap < least)) least = gap;
  if (least == 0) return stated > 0 ? stated : 1;
  if (stated > 0 && stated <= least * 1.05 && fits(stated)) {
    const double steps = std::round((heights.back() - heights.front()) / stated);
    return (heights.back() - heights.front()) / steps;
  }
  if (!fits(least)) bad("its frames lie at uneven distances, so they make no volume");
  return (heights.back() - heights.front()) / std::round((heights.back() - heights.front()) / least);
}

// A broken position must not ask for more memory than any real segmentation does.
void check_extent(const Frames& all, std::int64_t slices) {
  constexpr std::int64_t always = std::int64_t{1} << 28, most = std::int64_t{1} << 32;
  const std::int64_t plane = all.layout.columns * all.layout.rows;
  const bool sparse = slices > 100 * static_cast<std::int64_t>(all.frames.size());
  if (slices > most / plane || (sparse && slices > always / plane))
    bad("its frames span " + std::to_string(slices) + " slices, which is more than they can be meant to");
}

Grid grid_of_frames(Frames& all) {
  const auto& o = *all.layout.orientation;
  const Vector3 row{o[0], o[1], o[2]}, column{o[3], o[4], o[5]}, normal = cross(row, column);
  std::vector<double> heights;
  for (const SegFrame& frame : all.frames) {
    if (!frame.corner) bad("some frames have a position in the patient and others have none");
    heights.push_back(dot(normal, {frame.corner->x, frame.corner->y, frame.corner->z}));
  }
  const auto lowest = static_cast<std::size_t>(std::min_element(heights.begin(), heights.end()) - heights.begin());
  const PatientPoint origin = *all.frames[lowest].corner;
  std::vector<double> sorted = heights;
  std::sort(sorted.begin(), sorted.end());
  const double step = slice_step(sorted, all.layout.slice_step);
  std::int64_t slices = 1;
  for (std::size_t k = 0; k < all.frames.size(); ++k) {
    SegFrame& frame = all.frames[k];
    frame.slice = std::llround((heights[k] - heights[lowest]) / step);
    slices = std::max(slices, frame.slice + 1);
    const Vector3 off{frame.corner->x - origin.x, frame.corner->y - origin.y, frame.corner->z - origin.z};
    if (std::abs(dot(off, row)) > 0.05 * (*all.layout.spacing)[1] ||
        std::abs(dot(off, column)) > 0.05 * (*all.layout.spacing)[0])
      bad("its frames are shifted within their planes, so they make no volume");
  }
  check_extent(all, slices);
  const Matrix3 direction{
      {{row[0], column[0], normal[0]}, {row[1], column[1], normal[1]}, {row[2], column[2], normal[2]}}};
  return {{all.layout.columns, all.layout.rows, slices},
          {(*all.layout.spacing)[1], (*all.layout.spacing)[0], step},
          origin,
          direction};
}

// Frames without a place: slice = the frame of the source, or the instance in order of appearance.
Grid grid_of_pictures(Frames& all) {
  std::map<std::string, std::int64_t> order;
  std::int64_t slices = 1;
  for (SegFrame& frame : all.frames) {
    const auto next = static_cast<std::int64_t>(order.size());
    frame.slice =
        frame.source_frame > 0 ? frame.source_frame - 1 : order.try_emplace(frame.source_instance, next).first->second;
    slices = std::max(slices, frame.slice + 1);
  }
  check_extent(all, slices);
  return {{all.layout.columns, all.layout.rows, slices}, {1, 1, 1}};
}

// One byte a pixel, 1 inside: from bits or from fractions.
class FramePixels {
 public:
  FramePixels(DcmItem& data, std::span<const std::byte> native, const Layout& layout, std::size_t frames)
      : plane_(static_cast<std::size_t>(layout.columns * layout.rows)), bytes_(native) {
    binary_ = text_in(data, DCM_SegmentationType) == "BINARY";
    if (!binary_ && text_in(data, DCM_SegmentationType) != "FRACTIONAL")
      bad("Segmentation Type (0062,0001) '" + text_in(data, DCM_SegmentationType) + "' is not read yet");
    if (!binary_) half_ = static_cast<unsigned>(integer_in(data, DCM_MaximumFractionalValue).value_or(255) + 1) / 2;
    const std::int64_t bits = integer_in(data, DCM_BitsAllocated).value_or(0);
    if (bits != (binary_ ? 1 : 8))
      bad("Bits Allocated (0028,0100) " + std::to_string(bits) + " does not fit its Segmentation Type");
    const std::size_t needed = binary_ ? (frames * plane_ + 7) / 8 : frames * plane_;
    if (bytes_.size() < needed) bad("its pixel data ends before its last frame");
  }
  [[nodiscard]] bool inside(std::size_t frame, std::size_t pixel) const noexcept {
    const std::size_t at = frame * plane_ + pixel;
    const auto byte = std::to_integer<unsigned>(bytes_[binary_ ? at / 8 : at]);
    return binary_ ? (byte >> (at % 8) & 1U) != 0 : byte >= half_;
  }
  [[nodiscard]] bool binary() const noexcept { return binary_; }

 private:
  std::size_t plane_;
  bool binary_ = true;
  unsigned half_ = 0;
  std::span<const std::byte> bytes_;
};

// Whether a segment's frames would cover a voxel of `layer` that another segment holds.
bool overlaps(const Volume<std::uint16_t>& layer, const Frames& all, const FramePixels& pixels, int segment) {
  const auto plane = static_cast<std::size_t>(all.layout.columns * all.layout.rows);
  const auto own = all.of_segment.find(segment);
  if (own == all.of_segment.end()) return false;
  for (const std::size_t f : own->second) {
    const auto voxels = layer.voxels().subspan(static_cast<std::size_t>(all.frames[f].slice) * plane, plane);
    for (std::size_t i = 0; i < plane; ++i)
      if (voxels[i] != 0 && pixels.inside(f, i)) return true;
  }
  return false;
}

void fill(Volume<std::uint16_t>& layer, const Frames& all, const FramePixels& pixels, int segment) {
  const auto plane = static_cast<std::size_t>(all.layout.columns * all.layout.rows);
  const auto own = all.of_segment.find(segment);
  if (own == all.of_segment.end()) return;
  for (const std::size_t f : own->second) {
    const auto voxels = layer.voxels().subspan(static_cast<std::size_t>(all.frames[f].slice) * plane, plane);
    for (std::size_t i = 0; i < plane; ++i)
      if (pixels.inside(f, i)) voxels[i] = static_cast<std::uint16_t>(segment);
  }
}

void fill_layers(LabelMap& labels, const Grid& grid, const Frames& all, const FramePixels& pixels) {
  labels.layers.emplace_back(grid);
  for (Segment& segment : labels.segments) {
    std::size_t layer = 0;
    while (layer < labels.layers.size() && overlaps(labels.layers[layer], all, pixels, segment.value)) ++layer;
    if (layer == labels.layers.size()) labels.layers.emplace_back(grid);
    fill(labels.layers[layer], all, pixels, segment.value);
    segment.layer = static_cast<int>(layer);
  }
}

void read_identity(DcmItem& data, Acquisition& acquisition) {
  acquisition.dicom_modality = text_in(data, DCM_Modality);
  acquisition.study_uid = text_in(data, DCM_StudyInstanceUID);
  acquisition.series_uid = text_in(data, DCM_SeriesInstanceUID);
  acquisition.frame_of_reference_uid = text_in(data, DCM_FrameOfReferenceUID);
  acquisition.series_description = text_in(data, DCM_SeriesDescription);
}

}  // namespace

LabelMap seg_from(DcmItem& data, std::span<const std::byte> native_pixels, std::vector<Remark>& remarks) {
  LabelMap labels;
  labels.segments = segments_in(data);
  Frames all = frames_in(data);
  labels.planar = !(all.layout.orientation && all.layout.spacing && all.frames.front().corner);
  const FramePixels pixels(data, native_pixels, all.layout, all.frames.size());
  if (!pixels.binary())
    remarks.push_back({Severity::note, "fractional_seg", "a FRACTIONAL segmentation was cut at half of its maximum"});
  const Grid grid = labels.planar ? grid_of_pictures(all) : grid_of_frames(all);
  fill_layers(labels, grid, all, pixels);
  read_identity(data, labels.acquisition);
  return labels;
}

LabelMap read_seg(std::span<const std::byte> bytes) {
  DcmInputBufferStream stream;
  stream.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
  stream.setEos();
  DcmFileFormat file;
  file.transferInit();
  const OFCondition status = file.read(stream);
  file.transferEnd();
  if (status.bad()) bad(std::string("it is no DICOM file: ") + status.text());
  std::vector<Remark> remarks;
  const Uint8* first = nullptr;
  unsigned long count = 0;
  if (file.getDataset()->findAndGetUint8Array(DCM_PixelData, first, &count).bad() || first == nullptr)
    bad("it has no pixel data that is not compressed (7FE0,0010)");
  return seg_from(*file.getDataset(), std::as_bytes(std::span(first, count)), remarks);
}

}  // namespace penta::io::dicom
