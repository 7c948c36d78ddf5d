#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace {

using parts::Scaling;
using parts::add_item;
using parts::as_written;
using parts::put;
using parts::put_decimal;
using parts::put_decimals;
using parts::put_empty_sequence;
using parts::put_frame_of_reference;
using parts::put_image;
using parts::put_integer;
using parts::put_nuclear_orientation;
using parts::put_orientation;
using parts::put_pixel_description;
using parts::put_pixels;
using parts::put_position;
using parts::put_text;
using parts::put_u16;
using parts::put_u16s;
using parts::slice_values;
using parts::stored_words;
using parts::to_bytes;
using parts::write_recon_tomo;

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::bad_input, "writing NM: " + what); }

// Views of one detector: evenly stepped from its start angle.
struct Rotation {
  std::int64_t detectors = 1, views = 0;  // views a detector
  double step_deg = 0;
  std::vector<double> start_deg;
};

double turned(double from, double to) { return std::remainder(to - from, 360.0); }

std::optional<Rotation> even_steps(const std::vector<double>& angle_deg, std::int64_t detectors) {
  const auto count = static_cast<std::int64_t>(angle_deg.size());
  if (detectors < 1 || count % detectors != 0) return std::nullopt;
  Rotation rotation{detectors, count / detectors, 0, {}};
  if (rotation.views > 1) rotation.step_deg = turned(angle_deg[0], angle_deg[1]);
  for (std::int64_t d = 0; d < detectors; ++d) {
    const double start = angle_deg[static_cast<std::size_t>(d * rotation.views)];
    rotation.start_deg.push_back(start - 360 * std::floor(start / 360));
    for (std::int64_t v = 0; v < rotation.views; ++v) {
      const double expected = start + rotation.step_deg * static_cast<double>(v);
      if (std::abs(turned(expected, angle_deg[static_cast<std::size_t>(d * rotation.views + v)])) > 0.01)
        return std::nullopt;
    }
  }
  return rotation;
}

Rotation rotation_of(const Projections& p, const SpectFacts& facts) {
  if (const auto one = even_steps(p.angle_deg, 1)) return *one;
  for (std::int64_t detectors = facts.detectors.value.value_or(2); detectors <= 4; ++detectors)
    if (const auto several = even_steps(p.angle_deg, detectors)) return *several;
  refuse("the angles of the views are not evenly stepped for any number of detectors up to 4");
}

SpectFacts facts_or_none(const Acquisition& source) {
  const auto* facts = facts_of<SpectFacts>(source);
  return facts != nullptr ? *facts : SpectFacts{};
}

// PS3.3 C.8.4.9 and C.8.4.10.
void put_isotope(DcmDataset& data, const SpectFacts& facts, int windows) {
  put_u16(data, DCM_NumberOfEnergyWindows, static_cast<std::uint16_t>(windows));
  for (int w = 0; w < windows; ++w) {
    DcmItem& row = add_item(data, DCM_EnergyWindowInformationSequence);
    if (static_cast<std::size_t>(w) >= facts.energy_windows.size()) continue;
    const EnergyWindow& window = facts.energy_windows[static_cast<std::size_t>(w)];
    put_text(row, DCM_EnergyWindowName, window.name, 16);
    DcmItem& range = add_item(row, DCM_EnergyWindowRangeSequence);
    put_decimal(range, DCM_EnergyWindowLowerLimit, window.lower_kev);
    put_decimal(range, DCM_EnergyWindowUpperLimit, window.upper_kev);
  }
  DcmItem& row = add_item(data, DCM_RadiopharmaceuticalInformationSequence);
  put_empty_sequence(row, DCM_RadionuclideCodeSequence);
  if (facts.tracer) put_text(row, DCM_Radiopharmaceutical, *facts.tracer);
}

void put_position_of_view(DcmItem& row, const Projections& p, double angle_deg, double radius_mm) {
  const double a = angle_deg * std::numbers::pi / 180,
               half = 0.5 * static_cast<double>(p.columns - 1) * p.spacing_mm[0];
  const Vector3 along{-std::cos(a), std::sin(a), 0};
  put_position(
      row, {radius_mm * std::sin(a) - half * along[0], radius_mm * std::cos(a) - half * along[1], p.axial_start_mm});
  put_decimals(row, DCM_ImageOrientationPatient,
               std::array{along[0], along[1], 0.0, 0.0, 0.0, p.axial_step_mm < 0 ? -1.0 : 1.0});
}

// PS3.3 C.8.4.11: where the detector stood at its first view.
void put_detectors(DcmDataset& data, const Projections& p, const SpectFacts& facts, const Rotation& rotation) {
  put_u16(data, DCM_NumberOfDetectors, static_cast<std::uint16_t>(rotation.detectors));
  for (std::int64_t d = 0; d < rotation.detectors; ++d) {
    DcmItem& row = add_item(data, DCM_DetectorInformationSequence);
    put_text(row, DCM_CollimatorGridName, facts.collimator ? *facts.collimator : "", 16);
    put(row, DCM_CollimatorType, "PARA");
    put(row, DCM_FocalDistance, "");
    put_decimal(row, DCM_StartAngle, rotation.start_deg[static_cast<std::size_t>(d)]);
    const auto first = static_cast<std::size_t>(d * rotation.views);
    const double radius = first < p.radius_mm.size() ? p.radius_mm[first] : 0;
    if (p.axial_known) put_position_of_view(row, p, rotation.start_deg[static_cast<std::size_t>(d)], radius);
  }
}

// PS3.3 C.8.4.12.
void put_rotation(DcmDataset& data, const Projections& p, const SpectFacts& facts, const Rotation& rotation) {
  put_u16(data, DCM_NumberOfRotations, 1);
  DcmItem& row = add_item(data, DCM_RotationInformationSequence);
  put_decimal(row, DCM_StartAngle, rotation.start_deg.front());
  put_decimal(row, DCM_AngularStep, std::abs(rotation.step_deg));
  put(row, DCM_RotationDirection, rotation.step_deg < 0 ? "CW" : "CC");
  put_decimal(row, DCM_ScanArc, std::abs(rotation.step_deg) * static_cast<double>(rotation.views));
  put_integer(row, DCM_ActualFrameDuration, std::llround(facts.frame_duration_ms.value.value_or(0)));
  put_u16(row, DCM_NumberOfFramesInRotation, static_cast<std::uint16_t>(rotation.views));
  if (p.radius_mm.empty()) return;
  const bool round = std::all_of(p.radius_mm.begin(), p.radius_mm.end(), [&](double r) { return r == p.radius_mm[0]; });
  const std::size_t given = round ? 1 : std::min(p.radius_mm.size(), static_cast<std::size_t>(rotation.views));
  put_decimals(row, DCM_RadialPosition, std::span(p.radius_mm).first(given));
}

void put_gates(DcmDataset& data, int gates) {
  put_u16(data, DCM_NumberOfRRIntervals, 1);
  put_u16(data, DCM_NumberOfTimeSlots, static_cast<std::uint16_t>(gates));
  DcmItem& gated = add_item(data, DCM_GatedInformationSequence);
  put(add_item(gated, DCM_DataInformationSequence), DCM_FrameTime, "0");
}

// The vectors of PS3.3 table C.8-8, frame by frame: window, detector, gate, view (the last runs fastest).
struct Vectors {
  std::vector<std::uint16_t> window, detector, rotation, interval, slot, view;
  std::vector<std::uint16_t> counts;
};

void add_frame(Vectors& vectors, const Projections& p, std::span<const float> counts,
               const std::array<std::int64_t, 4>& at) {
  const auto [window, detector, gate, view] = at;
  vectors.window.push_back(static_cast<std::uint16_t>(window + 1));
  vectors.detector.push_back(static_cast<std::uint16_t>(detector + 1));
  vectors.rotation.push_back(1);
  vectors.interval.push_back(1);
  vectors.slot.push_back(static_cast<std::uint16_t>(gate + 1));
  vectors.view.push_back(static_cast<std::uint16_t>(view + 1));
  if (counts.size() != static_cast<std::size_t>(p.columns * p.rows))
    refuse("a layer holds fewer counts than its views");
  for (const float value : counts) {
    if (!(value >= 0 && value <= 65535 && value == std::round(value)))
      refuse("a count is no whole number from 0 to 65535");
    vectors.counts.push_back(static_cast<std::uint16_t>(value));
  }
}

Vectors frames_of(const Projections& p, const Rotation& rotation) {
  Vectors vectors;
  const auto plane = static_cast<std::size_t>(p.columns * p.rows);
  for (std::int64_t w = 0; w < p.windows; ++w)
    for (std::int64_t d = 0; d < rotation.detectors; ++d)
      for (std::int64_t g = 0; g < p.gates; ++g)
        for (std::int64_t v = 0; v < rotation.views; ++v) {
          const std::span<const float> layer = p.layers.at(static_cast<std::size_t>(g + p.gates * w));
          const std::size_t first = static_cast<std::size_t>(d * rotation.views + v) * plane;
          if (first + plane > layer.size()) refuse("a layer holds fewer counts than its views");
          add_frame(vectors, p, layer.subspan(first, plane), {w, d, g, v});
        }
  return vectors;
}

void put_pointer(DcmDataset& data, std::span<const DcmTagKey> tags) {
  std::vector<Uint16> words;
  for (const DcmTagKey& tag : tags) words.insert(words.end(), {tag.getGroup(), tag.getElement()});
  auto element = std::make_unique<DcmAttributeTag>(DcmTag(DCM_FrameIncrementPointer));
  if (element->putUint16Array(words.data(), tags.size()).bad() || data.insert(element.get(), OFTrue).bad())
    throw Error(Code::internal, "writing NM: cannot set the frame increment pointer");
  static_cast<void>(element.release());
}

void put_vectors(DcmDataset& data, const Vectors& vectors, bool gated) {
  std::vector<DcmTagKey> tags{DCM_EnergyWindowVector, DCM_DetectorVector, DCM_RotationVector};
  put_u16s(data, DCM_EnergyWindowVector, vectors.window);
  put_u16s(data, DCM_DetectorVector, vectors.detector);
  put_u16s(data, DCM_RotationVector, vectors.rotation);
  if (gated) {
    put_u16s(data, DCM_RRIntervalVector, vectors.interval);
    put_u16s(data, DCM_TimeSlotVector, vectors.slot);
    tags.insert(tags.end(), {DCM_RRIntervalVector, DCM_TimeSlotVector});
  }
  put_u16s(data, DCM_AngularViewVector, vectors.view);
  tags.push_back(DCM_AngularViewVector);
  put_pointer(data, tags);
}

void put_nuclear(DcmDataset& data, std::int64_t frames, double row_mm, double column_mm,
                 const std::string& patient_position) {
  put_integer(data, DCM_NumberOfFrames, frames);
  put_decimals(data, DCM_PixelSpacing, std::array{row_mm, column_mm});
  put(data, DCM_CountsAccumulated, "");
  put_nuclear_orientation(data, patient_position);
}

}  // namespace

WrittenInstance write_projections(const RawData& raw, const Provenance& provenance) {
  const auto* p = std::get_if<Projections>(&raw.value);
  if (p == nullptr) refuse("this raw data holds no projections");
  if (p->angle_deg.empty() ||
      p->layers.size() != static_cast<std::size_t>(p->gates) * static_cast<std::size_t>(p->windows))
    refuse("the projections hold no views, or other layers than gates times energy windows");
  const SpectFacts facts = facts_or_none(raw.acquisition);
  const Rotation rotation = rotation_of(*p, facts);
  const Vectors vectors = frames_of(*p, rotation);
  const bool gated = p->gates > 1;
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid =
      put_image(data, UID_NuclearMedicineImageStorage, gated ? "GATED TOMO\\EMISSION" : "TOMO\\EMISSION", 0,
                raw.acquisition, {}, provenance);
  put_text(data, DCM_DerivationDescription, provenance.method + " " + provenance.method_version, 1024);
  put_frame_of_reference(data, raw.acquisition, provenance);
  put_pixel_description(data, p->columns, p->rows, 1, 16, false);
  put_nuclear(data, static_cast<std::int64_t>(vectors.view.size()), p->spacing_mm[1], p->spacing_mm[0],
              raw.acquisition.patient_position);
  put_isotope(data, facts, p->windows);
  put_detectors(data, *p, facts, rotation);
  put_rotation(data, *p, facts, rotation);
  put(data, DCM_TypeOfDetectorMotion, "STEP AND SHOOT");
  if (gated) put_gates(data, p->gates);
  put_vectors(data, vectors, gated);
  put_pixels(data, vectors.counts);
  written.bytes = to_bytes(data);
  return written;
}

namespace parts {

namespace {

WrittenInstance write_recon(const Job& job, const AnyVolume& volume, std::int64_t index, Rounding& rounding) {
  const Image& image = job.image;
  const Grid& grid = grid_of(volume);
  const auto slices = static_cast<std::uint16_t>(grid.size()[2]);
  std::vector<double> values;
  for (std::int64_t z = 0; z < grid.size()[2]; ++z) {
    const auto slice = slice_values(volume, z);
    values.insert(values.end(), slice.begin(), slice.end());
  }
  const double low = std::min(0.0, *std::min_element(values.begin(), values.end()));
  const double high = *std::max_element(values.begin(), values.end());
  const bool whole = std::all_of(values.begin(), values.end(), [](double v) { return v == std::round(v); });
  Scaling scaling{1, 0, low < 0};
  if (!whole || low < -32768 || high > (low < 0 ? 32767 : 65535))
    scaling.slope = as_written(std::max({high, -low, 1e-30}) / 32767);
  const SpectFacts facts = facts_or_none(image.acquisition);
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid =
      put_image(data, UID_NuclearMedicineImageStorage, "RECON TOMO\\EMISSION", index, image.acquisition, job.derivation,
                job.provenance);
  rounding.add(scaling.slope, largest_error(values, scaling));
  put_derivation(data, job, image.acquisition.instances, rounding.text());
  put_frame_of_reference(data, image.acquisition, job.provenance);
  put_pixel_description(data, grid.size()[0], grid.size()[1], 1, 16, scaling.is_signed);
  put_nuclear(data, slices, grid.spacing_mm()[1], grid.spacing_mm()[0], image.acquisition.patient_position);
  put_isotope(data, facts, 1);
  put_u16(data, DCM_NumberOfDetectors, 1);
  DcmItem& row = add_item(data, DCM_DetectorInformationSequence);
  put(row, DCM_CollimatorType, "PARA");
  put_position(row, grid.origin_mm());
  put_orientation(row, grid);
  put_decimal(data, DCM_SliceThickness, grid.spacing_mm()[2]);
  // Signed (PS3.3 C.8.4.15): < 0 when slices run against the cross product of row and column.
  const bool along = dot(cross(grid.axis(0), grid.axis(1)), grid.axis(2)) > 0;
  put_decimal(data, DCM_SpacingBetweenSlices, along ? grid.spacing_mm()[2] : -grid.spacing_mm()[2]);
  put_u16(data, DCM_NumberOfRotations, 1);
  put_empty_sequence(data, DCM_RotationInformationSequence);
  put_u16(data, DCM_NumberOfSlices, slices);
  std::vector<std::uint16_t> order(slices);
  for (std::size_t z = 0; z < order.size(); ++z) order[z] = static_cast<std::uint16_t>(z + 1);
  put_u16s(data, DCM_SliceVector, order);
  put_pointer(data, std::array{DCM_SliceVector});
  if (scaling.slope != 1) {
    // Not of the NM modules (PS3.3 A.5), which have no place for what a stored value means; readers in use apply it.
    put_decimal(data, DCM_RescaleSlope, scaling.slope);
    put_decimal(data, DCM_RescaleIntercept, 0);
    put(data, DCM_RescaleType, "US");
  }
  put_pixels(data, stored_words(values, scaling));
  written.bytes = to_bytes(data);
  return written;
}

}  // namespace

WrittenImage write_recon_tomo(const Job& job) {
  const auto* volumes = std::get_if<VolumeSequence>(&job.image.pixels);
  if (volumes == nullptr) refuse("only volumes and projections are written, and this is " + job.image.shape_text());
  WrittenImage out;
  Rounding rounding;
  for (std::size_t k = 0; k < volumes->size(); ++k)
    out.instances.push_back(write_recon(job, (*volumes)[k], static_cast<std::int64_t>(k), rounding));
  out.remarks = rounding.remarks();
  return out;
}

}  // namespace parts

}  // namespace penta::io::dicom
