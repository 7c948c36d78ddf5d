#include "engine/sidecar.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace penta::engine {

namespace {

class Sidecar {
 public:
  void text(const char* name, const std::string& value) {
    if (!value.empty()) json_.set(name, value);
  }
  void text(const char* name, const Fact<std::string>& fact) {
    if (fact) text(name, *fact);
  }
  void number(const char* name, const Fact<double>& fact, double scale = 1) {
    if (fact) json_.set(name, *fact * scale);
  }
  void list(const char* name, const std::string& values) {
    if (values.empty()) return;
    Json out = Json::array();
    for (std::size_t at = 0; at <= values.size();) {
      const std::size_t end = std::min(values.find('\\', at), values.size());
      out.push(values.substr(at, end - at));
      at = end + 1;
    }
    json_.set(name, std::move(out));
  }
  void list(const char* name, const std::vector<double>& values) {
    Json out = Json::array();
    for (const double value : values) out.push(value);
    json_.set(name, std::move(out));
  }
  [[nodiscard]] Json take() { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

constexpr double s_per_ms = 1e-3;

void add(Sidecar& to, const MrFacts& facts) {
  to.number("MagneticFieldStrength", facts.field_strength_t);
  to.number("EchoTime", facts.echo_time_ms, s_per_ms);
  to.number("RepetitionTime", facts.repetition_time_ms, s_per_ms);
  to.number("InversionTime", facts.inversion_time_ms, s_per_ms);
  to.number("FlipAngle", facts.flip_angle_deg);
  to.number("SliceThickness", facts.slice_thickness_mm);
  to.number("DiffusionBValue", facts.b_value_s_per_mm2);
  to.text("ScanningSequence", facts.scanning_sequence);
  to.text("SequenceVariant", facts.sequence_variant);
  to.text("SequenceName", facts.sequence_name);
  to.text("ContrastBolusIngredient", facts.contrast_agent);
}

void add(Sidecar& to, const CtFacts& facts) {
  to.number("KVP", facts.tube_voltage_kv);
  to.number("XRayExposure", facts.exposure_mas);
  to.number("SliceThickness", facts.slice_thickness_mm);
  to.number("GantryTilt", facts.gantry_tilt_deg);
  to.text("ConvolutionKernel", facts.kernel);
  to.text("ContrastBolusIngredient", facts.contrast_agent);
}

void add(Sidecar& to, const PetFacts& facts) {
  to.text("TracerName", facts.tracer);
  to.number("InjectedRadioactivity", facts.injected_dose_bq);
  if (facts.injected_dose_bq) to.text("InjectedRadioactivityUnits", std::string("Bq"));
  to.number("RadionuclideHalfLife", facts.half_life_s);
  to.text("DecayCorrection", facts.decay_correction);
  if (facts.corrections) to.list("CorrectedImage", *facts.corrections);
  to.number("FrameDuration", facts.frame_duration_ms, s_per_ms);
}

void add(Sidecar& to, const SpectFacts& facts) {
  to.text("TracerName", facts.tracer);
  to.text("TracerRadionuclide", facts.isotope);
  to.text("CollimatorType", facts.collimator);
  to.number("FrameDuration", facts.frame_duration_ms, s_per_ms);
}

void add(Sidecar& to, const UsFacts& facts) {
  to.number("FrameTime", facts.frame_time_ms, s_per_ms);
  to.number("HeartRate", facts.heart_rate_per_min);
  to.text("TransducerType", facts.transducer);
}

void add(Sidecar& /*to*/, std::monostate /*none*/) {}

const char* name_of_values(SequenceAxis axis) noexcept {
  switch (axis) {
    case SequenceAxis::time: return "FrameTimesStart";
    case SequenceAxis::b_value: return "DiffusionBValues";
    default: return nullptr;
  }
}

}  // namespace

Json sidecar_of(const Image& image) {
  const Acquisition& a = image.acquisition;
  Sidecar to;
  to.text("Modality", a.dicom_modality.empty() ? a.modality : a.dicom_modality);
  to.text("Manufacturer", a.manufacturer);
  to.text("ManufacturersModelName", a.model);
  to.text("BodyPartExamined", a.body_part);
  to.text("PatientPosition", a.patient_position);
  to.text("SeriesDescription", a.series_description);
  to.text("ProtocolName", a.protocol);
  to.text("SeriesNumber", a.series_number);
  to.list("ImageType", a.image_type);
  to.text("SeriesInstanceUID", a.series_uid);
  to.text("StudyInstanceUID", a.study_uid);
  to.text("Units", image.unit);
  std::visit([&](const auto& facts) { add(to, facts); }, a.facts);
  if (const char* name = name_of_values(image.axis); name != nullptr && !image.axis_values.empty())
    to.list(name, image.axis_values);
  if (image.axis == SequenceAxis::echo && !image.axis_values.empty()) {
    std::vector<double> times_s;
    for (const double time_ms : image.axis_values) times_s.push_back(time_ms * s_per_ms);
    to.list("EchoTimes", times_s);
  }
  if (a.synthetic) to.text("SyntheticData", std::string("YES"));
  to.text("ConversionSoftware", std::string("Pentascope (research use, not a medical device)"));
  return to.take();
}

std::string b_values_of(const Image& image) {
  if (image.axis != SequenceAxis::b_value || image.axis_values.empty()) return {};
  std::string line;
  for (const double value : image.axis_values) {
    if (!line.empty()) line += ' ';
    line += Json(value).dump();
  }
  return line + "\n";
}

std::string b_vectors_of(const Image& image) {
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  const auto& directions = image.axis_directions;
  if (volumes == nullptr || directions.empty() || directions.size() != volumes->size()) return {};
  const Grid& grid = grid_of(volumes->front());
  // LPS and RAS are a half turn apart, which keeps the handedness.
  const double handedness = dot(cross(grid.axis(0), grid.axis(1)), grid.axis(2));
  std::string out;
  for (int k = 0; k < 3; ++k) {
    std::string line;
    for (const Vector3& direction : directions) {
      const double along = dot(direction, grid.axis(k)) * (k == 0 && handedness > 0 ? -1 : 1);
      if (!line.empty()) line += ' ';
      line += Json(std::round(along * 1e9) / 1e9 + 0.0).dump();
    }
    out += line + "\n";
  }
  return out;
}

void apply_sidecar(Image& image, const Json& sidecar, const std::string& name) {
  constexpr std::array<std::array<std::string_view, 2>, 5> modalities{
      {{"CT", "CT"}, {"MR", "MR"}, {"US", "US"}, {"PT", "PET"}, {"NM", "SPECT"}}};
  constexpr std::array<std::string_view, 3> units{"[hnsf'U]", "Bq/mL", "g/mL"};
  if (!sidecar.is_object() || !image.acquisition.modality.empty()) return;
  const std::string modality = sidecar.text_or("Modality", "");
  const auto row = std::find_if(modalities.begin(), modalities.end(), [&](const auto& r) { return r[0] == modality; });
  if (row == modalities.end()) return;
  image.acquisition.modality = std::string((*row)[1]);
  image.acquisition.dicom_modality = modality;
  const std::string unit = sidecar.text_or("Units", "");
  const bool takes_unit = image.unit.empty() && std::find(units.begin(), units.end(), unit) != units.end();
  if (takes_unit) image.unit = unit;
  image.remarks.push_back({Severity::note, "from_sidecar",
                           "the modality " + modality + (takes_unit ? " and the unit " + unit : "") + " are from '" + name +
                               "', which lies beside"});
}

}  // namespace penta::engine
