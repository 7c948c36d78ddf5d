#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "io/dicom/internal.h"
#include "io/dicom/diffusion.h"
#include "io/dicom/mosaic.h"
#include "io/dicom/real_world.h"
#include "io/dicom/read_sr.h"

namespace penta::io::dicom {

namespace {

struct Class {
  std::string_view uid;
  SeriesKind kind;
  bool enhanced;
};

constexpr std::string_view rt_dose_class = "1.2.840.10008.5.1.4.1.1.481.2";

// Storage SOP classes that are read (PS3.4 B.5). Of all others the pixels are read where there are any.
constexpr std::array<Class, 50> classes{{
    {"1.2.840.10008.5.1.4.1.1.2", SeriesKind::volume, false},         // CT
    {"1.2.840.10008.5.1.4.1.1.2.1", SeriesKind::volume, true},        // Enhanced CT
    {"1.2.840.10008.5.1.4.1.1.2.2", SeriesKind::volume, true},        // Legacy Converted Enhanced CT
    {"1.2.840.10008.5.1.4.1.1.4", SeriesKind::volume, false},         // MR
    {"1.2.840.10008.5.1.4.1.1.4.1", SeriesKind::volume, true},        // Enhanced MR
    {"1.2.840.10008.5.1.4.1.1.4.3", SeriesKind::volume, true},        // Enhanced MR Color
    {"1.2.840.10008.5.1.4.1.1.4.4", SeriesKind::volume, true},        // Legacy Converted Enhanced MR
    {"1.2.840.10008.5.1.4.1.1.128", SeriesKind::volume, false},       // PET
    {"1.2.840.10008.5.1.4.1.1.128.1", SeriesKind::volume, true},      // Legacy Converted Enhanced PET
    {"1.2.840.10008.5.1.4.1.1.130", SeriesKind::volume, true},        // Enhanced PET
    {"1.2.840.10008.5.1.4.1.1.30", SeriesKind::volume, true},         // Parametric Map
    {"1.2.840.10008.5.1.4.1.1.6.2", SeriesKind::volume, true},        // Enhanced US Volume
    {"1.2.840.10008.5.1.4.1.1.20", SeriesKind::projections, false},   // NM, told apart by its Image Type
    {"1.2.840.10008.5.1.4.1.1.5", SeriesKind::projections, false},    // NM, retired
    {"1.2.840.10008.5.1.4.1.1.6.1", SeriesKind::frames, false},       // US
    {"1.2.840.10008.5.1.4.1.1.3.1", SeriesKind::frames, false},       // US multi-frame
    {"1.2.840.10008.5.1.4.1.1.6", SeriesKind::frames, false},         // US, retired
    {"1.2.840.10008.5.1.4.1.1.3", SeriesKind::frames, false},         // US multi-frame, retired
    {"1.2.840.10008.5.1.4.1.1.7", SeriesKind::frames, false},         // Secondary Capture
    {"1.2.840.10008.5.1.4.1.1.7.1", SeriesKind::frames, false},       // ... multi-frame single bit
    {"1.2.840.10008.5.1.4.1.1.7.2", SeriesKind::frames, false},       // ... multi-frame grey byte
    {"1.2.840.10008.5.1.4.1.1.7.3", SeriesKind::frames, false},       // ... multi-frame grey word
    {"1.2.840.10008.5.1.4.1.1.7.4", SeriesKind::frames, false},       // ... multi-frame true colour
    {"1.2.840.10008.5.1.4.1.1.1", SeriesKind::frames, false},         // CR
    {"1.2.840.10008.5.1.4.1.1.1.1", SeriesKind::frames, false},       // DX for presentation
    {"1.2.840.10008.5.1.4.1.1.1.1.1", SeriesKind::frames, false},     // DX for processing
    {"1.2.840.10008.5.1.4.1.1.1.2", SeriesKind::frames, false},       // MG for presentation
    {"1.2.840.10008.5.1.4.1.1.1.2.1", SeriesKind::frames, false},     // MG for processing
    {"1.2.840.10008.5.1.4.1.1.1.3", SeriesKind::frames, false},       // IO for presentation
    {"1.2.840.10008.5.1.4.1.1.1.3.1", SeriesKind::frames, false},     // IO for processing
    {"1.2.840.10008.5.1.4.1.1.12.1", SeriesKind::frames, false},      // XA
    {"1.2.840.10008.5.1.4.1.1.12.2", SeriesKind::frames, false},      // RF
    {"1.2.840.10008.5.1.4.1.1.77.1.1", SeriesKind::frames, false},    // VL Endoscopic
    {"1.2.840.10008.5.1.4.1.1.77.1.1.1", SeriesKind::frames, false},  // Video Endoscopic
    {"1.2.840.10008.5.1.4.1.1.77.1.2", SeriesKind::frames, false},    // VL Microscopic
    {"1.2.840.10008.5.1.4.1.1.77.1.4", SeriesKind::frames, false},    // VL Photographic
    {"1.2.840.10008.5.1.4.1.1.77.1.4.1", SeriesKind::frames, false},  // Video Photographic
    {"1.2.840.10008.5.1.4.1.1.77.1.5.1", SeriesKind::frames, false},  // Ophthalmic Photography 8 bit
    {"1.2.840.10008.5.1.4.1.1.77.1.5.2", SeriesKind::frames, false},  // Ophthalmic Photography 16 bit
    {"1.2.840.10008.5.1.4.1.1.77.1.6", SeriesKind::frames, false},    // VL Whole Slide Microscopy: tiles
    {"1.2.840.10008.5.1.4.1.1.481.1", SeriesKind::frames, false},     // RT Image
    {"1.2.840.10008.5.1.4.1.1.481.2", SeriesKind::volume, false},     // RT Dose
    {"1.2.840.10008.5.1.4.1.1.481.3", SeriesKind::contours, false},   // RT Structure Set
    {"1.2.840.10008.5.1.4.1.1.66.4", SeriesKind::segmentation, false},
    {"1.2.840.10008.5.1.4.1.1.66.7", SeriesKind::segmentation, false},  // Label Map Segmentation
    {"1.2.840.10008.5.1.4.1.1.88.11", SeriesKind::report, false},       // Basic Text SR
    {"1.2.840.10008.5.1.4.1.1.88.22", SeriesKind::report, false},       // Enhanced SR
    {"1.2.840.10008.5.1.4.1.1.88.33", SeriesKind::report, false},       // Comprehensive SR
    {"1.2.840.10008.5.1.4.1.1.88.34", SeriesKind::report, false},       // Comprehensive 3D SR
    {"1.2.840.10008.5.1.4.1.1.88.35", SeriesKind::report, false},       // Extensible SR
}};

const Class* class_of(const std::string& uid) noexcept {
  for (const Class& row : classes)
    if (row.uid == uid) return &row;
  return nullptr;
}

// An unknown class with pixels: a volume where it says where its slices lie, else pictures.
Class class_by_pixels(DcmItem& data) {
  const bool groups = has(data, tag::shared_groups) || has(data, tag::per_frame_groups);
  const bool placed = has(data, tag::image_position) && has(data, tag::image_orientation);
  return {{}, groups || placed ? SeriesKind::volume : SeriesKind::frames, groups};
}

// De-identified files may have lost their SOP class: then the modality says what they are.
std::string class_of_modality(const std::string& modality) {
  if (modality == "CT") return "1.2.840.10008.5.1.4.1.1.2";
  if (modality == "MR") return "1.2.840.10008.5.1.4.1.1.4";
  if (modality == "PT") return "1.2.840.10008.5.1.4.1.1.128";
  if (modality == "NM") return "1.2.840.10008.5.1.4.1.1.20";
  if (modality == "US") return "1.2.840.10008.5.1.4.1.1.6.1";
  if (modality == "RTSTRUCT") return "1.2.840.10008.5.1.4.1.1.481.3";
  return {};
}

bool contains(const std::string& text, std::string_view part) noexcept { return text.find(part) != std::string::npos; }

// PS3.3 C.8.9.1.1.3, Units, as UCUM. CNTS and PROPCNTS are counts: an annotation, since they have no dimension.
std::string pet_unit(const std::string& units) {
  if (units == "BQML") return "Bq/mL";
  if (units == "GML") return "g/mL";
  if (units == "CM2ML") return "cm2/mL";
  if (units == "CNTS") return "{counts}";
  if (units == "PROPCNTS") return "{counts}";
  if (units == "PCNT") return "%";
  if (units == "NONE") return "1";
  if (units == "CPS" || units == "PROPCPS") return "/s";
  if (units == "MGMINML") return "mg/min/mL";
  if (units == "UMOLMINML") return "umol/min/mL";
  if (units == "MLMING") return "mL/min/g";
  if (units == "MLG") return "mL/g";
  if (units == "1CM") return "/cm";
  if (units == "UMOLML") return "umol/mL";
  if (units == "MLMINML") return "mL/min/mL";
  if (units == "MLML") return "mL/mL";
  return {};
}

void set_unit(DcmItem& data, Instance& instance) {
  const std::string& modality = instance.acquisition.modality;
  if (instance.sop_class == "1.2.840.10008.5.1.4.1.1.30") return;  // a parametric map says it in its groups
  if (modality == "CT" && instance.kind == SeriesKind::volume) {
    const std::string type = text(data, tag::rescale_type);
    const bool given = instance.enhanced || has(data, tag::rescale_intercept);
    if (instance.lut && instance.lut->type == "HU") instance.unit = "[hnsf'U]";
    else if (given && (type.empty() || type == "HU")) instance.unit = "[hnsf'U]";
    else
      instance.faults.push_back({Severity::warning, "unknown_units",
                                 given ? "Rescale Type (0028,1054) is " + type + ", so values are not in HU"
                                       : "there is no Rescale Intercept (0028,1052), so values are not in HU"});
  } else if (modality == "PET") {
    const std::string units = text(data, tag::units);
    instance.unit = pet_unit(units);
    if (instance.unit.empty() && !instance.enhanced)
      instance.faults.push_back({Severity::warning, "unknown_units",
                                 units.empty() ? "Units (0054,1001) are missing" : "Units (0054,1001) are " + units});
  } else if (instance.kind != SeriesKind::volume && (modality == "NM" || modality == "SPECT")) {
    instance.unit = "{counts}";
  } else if (modality == "SPECT") {
    instance.unit = pet_unit(text(data, tag::units));
  }
}

void add_fault(Instance& instance, Severity severity, const char* code, std::string text) {
  instance.faults.push_back({severity, code, std::move(text)});
}

double time_key(DcmItem& data) {
  if (const auto reference = number(data, tag::frame_reference_time)) return *reference / 1000;
  return seconds_of("20000101", text(data, tag::acquisition_time)).value_or(0);
}

Slice slice_of(DcmItem& data, Instance& instance) {
  Slice slice;
  slice.plane = plane_of(data, data);
  slice.spacing_mm = spacing_of(data, instance.faults);
  slice.thickness_mm = number(data, tag::slice_thickness);
  slice.between_mm = number(data, tag::spacing_between_slices);
  slice.slope = number(data, tag::rescale_slope).value_or(1);
  slice.intercept = number(data, tag::rescale_intercept).value_or(0);
  slice.number = instance.instance_number;
  if (instance.acquisition.modality == "MR") {
    const Diffusion diffusion = diffusion_of(data);
    slice.keys[key_b_value] = diffusion.b_s_per_mm2.value_or(0);
    slice.keys[key_direction] = direction_key(diffusion);
    slice.gradient = diffusion.gradient;
  }
  slice.keys[key_echo] = number(data, tag::echo_time).value_or(0);
  slice.keys[key_temporal] = number(data, tag::temporal_position).value_or(0);
  slice.keys[key_trigger] = number(data, tag::trigger_time).value_or(0);
  slice.keys[key_acquisition] = number(data, tag::acquisition_number).value_or(0);
  slice.keys[key_time] = time_key(data);
  slice.keys[key_type] = hash_key(instance.acquisition.image_type);
  apply_real_world(&data, instance, slice);
  return slice;
}

bool is_mosaic(const Instance& instance) { return contains(instance.acquisition.image_type, "MOSAIC"); }

// Mosaics hold all slices of a volume in one picture; their header describes the picture, not the slices.
bool read_tiles(DcmItem& data, Instance& instance, const Slice& first) {
  const auto mosaic = mosaic_of(data);
  const auto tile = mosaic ? tile_layout(instance.layout, *mosaic) : std::nullopt;
  if (!tile) return false;
  instance.slices = tile_slices(first, *mosaic, instance.layout, *tile, instance.faults);
  instance.layout = *tile;
  return true;
}

void read_slices_of(DcmItem& data, Instance& instance) {
  if (instance.enhanced) return read_functional_groups(data, instance);
  if (instance.kind == SeriesKind::volume && instance.acquisition.dicom_modality == "NM")
    return read_nm_slices(data, instance);
  const Slice first = slice_of(data, instance);
  if (instance.sop_class == rt_dose_class) return read_dose_slices(data, first, instance);
  if (instance.kind == SeriesKind::volume && read_tiles(data, instance, first)) return;
  std::optional<std::array<double, 2>> by_regions;
  if (instance.acquisition.modality == "US")
    by_regions = us_spacing(us_regions(data), instance.layout, instance.faults);
  for (std::int64_t frame = 0; frame < instance.layout.frames; ++frame) {
    Slice slice = first;
    slice.frame = static_cast<int>(frame);
    if (instance.layout.frames > 1) slice.plane.reset();
    if (!slice.spacing_mm) slice.spacing_mm = by_regions;
    instance.slices.push_back(slice);
  }
  if (instance.acquisition.dicom_modality == "NM") read_nm_keys(data, instance);
}

void settle_kind(DcmItem& data, Instance& instance) {
  const std::string& type = instance.acquisition.image_type;
  if (instance.acquisition.dicom_modality == "NM" && instance.kind == SeriesKind::projections) {
    if (contains(type, "RECON")) instance.kind = SeriesKind::volume;
    else if (!contains(type, "TOMO")) instance.kind = SeriesKind::frames;
  } else if (instance.kind == SeriesKind::projections) {
    instance.kind = SeriesKind::frames;
  }
  // A secondary capture that says where it lies (a reformatted slice, say) is a slice.
  if (contains(instance.sop_class, "5.1.4.1.1.7") && has(data, tag::image_position) &&
      has(data, tag::image_orientation) && has(data, tag::pixel_spacing) && instance.layout.frames == 1)
    instance.kind = SeriesKind::volume;
  // A CT localiser is a projection: neither HU nor a slice.
  if (instance.acquisition.modality == "CT" && instance.kind == SeriesKind::volume && contains(type, "LOCALIZER"))
    instance.kind = SeriesKind::frames;
  if (instance.kind == SeriesKind::volume && instance.layout.is_colour()) instance.kind = SeriesKind::frames;
  if (instance.kind == SeriesKind::volume && is_mosaic(instance)) {
    const auto mosaic = mosaic_of(data);
    if (mosaic && tile_layout(instance.layout, *mosaic)) return;
    add_fault(instance, Severity::warning, "mosaic",
              "a mosaic that does not say how many slices it holds (NumberOfImagesInMosaic), or whose tiles do not "
              "divide the picture: read as a picture");
    instance.kind = SeriesKind::frames;
  }
}

void check_pixels(const Object& object, Instance& instance) {
  if (!object.has_pixels()) {
    add_fault(instance, Severity::error, "no_pixels", "there is no pixel data");
    return;
  }
  instance.has_pixels = true;
  try {
    instance.layout = layout_of(object);
    check_limits(instance.layout, object);
  } catch (const Error& error) {
    instance.has_pixels = false;
    return add_fault(instance, Severity::error, "bad_pixel_description", error.what());
  }
  if (!transfer_syntax_known(object.transfer_syntax))
    return add_fault(instance, Severity::error, "unsupported_transfer_syntax",
                     unread_syntax(object.transfer_syntax));
  const auto end = object.complete ? static_cast<std::int64_t>(object.bytes.size()) : object.file_bytes;
  const std::int64_t there = std::min<std::int64_t>(end - object.pixel_offset, object.pixel_length);
  const std::int64_t needed = instance.layout.native_bytes();
  if (!object.encapsulated() && there < needed)
    add_fault(instance, Severity::error, "truncated",
              "there are " + std::to_string(std::max<std::int64_t>(there, 0)) + " of " + std::to_string(needed) +
                  " bytes of pixel data");
}

void describe_regions(const Object& object, Instance& instance) {
  if (instance.kind == SeriesKind::segmentation) {
    instance.shape = std::to_string(items(object.data(), Tag{0x0062, 0x0002}).size()) + " segments";
    return;
  }
  try {
    if (instance.kind == SeriesKind::report) {
      const StructuredReport report = read_report(object, instance.faults);
      instance.shape = std::to_string(report.groups.size()) + " groups, " + std::to_string(report.measurements.size()) +
                       " measurements";
      return;
    }
    const Contours contours = read_contours(object, instance.faults);
    std::size_t count = 0;
    for (const ContourRegion& region : contours.regions) count += region.contours.size();
    instance.shape = std::to_string(contours.regions.size()) + " regions, " + std::to_string(count) + " contours";
  } catch (const Error& error) {
    const char* const code = instance.kind == SeriesKind::report ? "no_content" : "no_regions";
    add_fault(instance, Severity::error, code, error.what());
    instance.kind = SeriesKind::other;
  }
}

}  // namespace

double hash_key(const std::string& text) {
  const std::string hex = Sha256().add(std::string_view(text)).hex();
  double value = 0;
  for (const char c : hex.substr(0, 8)) value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
  return value;
}

std::optional<Plane> plane_of(DcmItem& position, DcmItem& orientation) {
  return plane_from(numbers(position, tag::image_position), numbers(orientation, tag::image_orientation));
}

std::optional<Plane> plane_from(const std::vector<double>& p, const std::vector<double>& o) {
  if (p.size() != 3 || o.size() != 6) return std::nullopt;
  Plane plane{{p[0], p[1], p[2]}, {o[0], o[1], o[2]}, {o[3], o[4], o[5]}};
  constexpr double tolerance = 1e-3;
  const double row = norm(plane.row), column = norm(plane.column);
  if (std::abs(row - 1) > tolerance || std::abs(column - 1) > tolerance ||
      std::abs(dot(plane.row, plane.column)) > tolerance)
    return std::nullopt;
  // Exactly orthonormal: the row is kept, the column loses its part along the row.
  for (double& c : plane.row) c /= row;
  const double along = dot(plane.row, plane.column);
  for (std::size_t i = 0; i < 3; ++i) plane.column[i] -= along * plane.row[i];
  const double length = norm(plane.column);
  for (double& c : plane.column) c /= length;
  return plane;
}

std::optional<std::array<double, 2>> spacing_of(DcmItem& item, std::vector<Remark>& faults) {
  const auto values = numbers(item, tag::pixel_spacing);
  if (values.empty() && !has(item, tag::pixel_spacing)) return std::nullopt;
  // (0028,0030) is the distance between rows (y), then between columns (x) (PS3.3 10.7.1.3).
  if (values.size() == 2 && values[0] > 0 && values[1] > 0) return std::array{values[1], values[0]};
  faults.push_back({Severity::warning, "bad_spacing", "Pixel Spacing (0028,0030) is not two numbers above zero"});
  return std::nullopt;
}

Instance instance_of(const Object& object, const Source& source) {
  DcmItem& data = object.data();
  Instance instance;
  instance.source = source;
  instance.sop_class = text(data, tag::sop_class);
  instance.transfer_syntax = object.transfer_syntax;
  instance.id = {instance.sop_class, text(data, tag::sop_instance), 0};
  instance.series_number = integer(data, tag::series_number).value_or(0);
  instance.instance_number = integer(data, tag::instance_number).value_or(0);
  instance.concatenation = text(data, Tag{0x0020, 0x9161});
  instance.acquisition = acquisition_of(data, instance.faults);
  if (instance.sop_class.empty()) {
    instance.sop_class =
        object.media_class.empty() ? class_of_modality(instance.acquisition.dicom_modality) : object.media_class;
    if (!instance.sop_class.empty())
      add_fault(instance, Severity::note, "sop_class_assumed",
                "SOP Class UID (0008,0016) is missing: taken as " + uid_name(instance.sop_class));
    instance.id.sop_class_uid = instance.sop_class;
  }
  const Class* row = class_of(instance.sop_class);
  const Class by_pixels = class_by_pixels(data);
  if (row == nullptr && object.has_pixels()) {
    add_fault(instance, Severity::note, "sop_class_by_pixels",
              (instance.sop_class.empty() ? std::string("SOP Class UID (0008,0016) is missing")
                                          : "SOP class " + uid_name(instance.sop_class) + " is not known here") +
                  ": its pixels are read as they are");
    row = &by_pixels;
  }
  if (row == nullptr) {
    add_fault(instance, Severity::warning, "unsupported_sop_class",
              instance.sop_class.empty() ? "SOP Class UID (0008,0016) is missing"
                                         : "SOP class " + uid_name(instance.sop_class) + " is not read");
    return instance;
  }
  instance.kind = row->kind;
  instance.enhanced = row->enhanced;
  if (instance.kind == SeriesKind::contours || instance.kind == SeriesKind::segmentation ||
      instance.kind == SeriesKind::report) {
    describe_regions(object, instance);
    return instance;
  }
  check_pixels(object, instance);
  if (std::any_of(instance.faults.begin(), instance.faults.end(),
                  [](const Remark& fault) { return fault.severity == Severity::error; })) {
    instance.kind = SeriesKind::other;
    return instance;
  }
  if (!instance.layout.is_colour() && !instance.layout.is_real() && !instance.layout.is_double())
    instance.lut = modality_lut_of(data, instance.layout, instance.faults);
  settle_kind(data, instance);
  set_unit(data, instance);
  read_slices_of(data, instance);
  if (instance.kind == SeriesKind::volume && instance.slices.size() > 0 && !instance.slices.front().plane &&
      !is_mosaic(instance))
    add_fault(instance, Severity::warning, "no_position",
              "Image Position (0020,0032) or Orientation (0020,0037) is missing or wrong: read as frames");
  return instance;
}

}  // namespace penta::io::dicom
