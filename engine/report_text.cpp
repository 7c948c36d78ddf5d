#include "engine/report_text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace penta::engine {

namespace {

class Facts {
 public:
  std::vector<FactRow> rows;

  void fact(const std::string& name, const std::string& value, const std::string& source) {
    if (!value.empty()) rows.push_back({name, value, source});
  }
  void fact(const std::string& name, const Fact<double>& f) {
    if (f) fact(name, number_text(*f), f.source);
  }
  void fact(const std::string& name, const Fact<std::string>& f) {
    if (f) fact(name, *f, f.source);
  }
  void fact(const std::string& name, const Fact<int>& f) {
    if (f) fact(name, std::to_string(*f), f.source);
  }

  void facts(const Acquisition& a) {
    fact("manufacturer", a.manufacturer, "(0008,0070)");
    fact("model", a.model, "(0008,1090)");
    fact("body part", a.body_part, "(0018,0015)");
    fact("image type", a.image_type, "(0008,0008)");
    fact("patient position", a.patient_position, "(0018,5100)");
    fact("protocol", a.protocol, "(0018,1030)");
    if (const auto* f = facts_of<CtFacts>(a)) {
      fact("tube voltage (kV)", f->tube_voltage_kv);
      fact("exposure (mAs)", f->exposure_mas);
      fact("slice thickness (mm)", f->slice_thickness_mm);
      fact("gantry tilt (deg)", f->gantry_tilt_deg);
      fact("kernel", f->kernel);
      fact("contrast agent", f->contrast_agent);
    }
    if (const auto* f = facts_of<MrFacts>(a)) mr_facts(*f);
    if (const auto* f = facts_of<UsFacts>(a)) {
      fact("frame time (ms)", f->frame_time_ms);
      fact("transducer", f->transducer);
    }
    if (const auto* f = facts_of<PetFacts>(a)) pet_facts(*f, a.patient);
    if (const auto* f = facts_of<SpectFacts>(a)) spect_facts(*f);
  }

  void mr_facts(const MrFacts& f) {
    fact("field strength (T)", f.field_strength_t);
    fact("echo time (ms)", f.echo_time_ms);
    fact("repetition time (ms)", f.repetition_time_ms);
    fact("inversion time (ms)", f.inversion_time_ms);
    fact("flip angle (deg)", f.flip_angle_deg);
    fact("scanning sequence", f.scanning_sequence);
    fact("sequence variant", f.sequence_variant);
    fact("b-value (s/mm2)", f.b_value_s_per_mm2);
    fact("contrast agent", f.contrast_agent);
  }

  void pet_facts(const PetFacts& f, const PatientFacts& patient) {
    fact("units", f.units);
    fact("decay correction", f.decay_correction);
    fact("corrections", f.corrections);
    fact("tracer", f.tracer);
    fact("injected dose (Bq)", f.injected_dose_bq);
    fact("half-life (s)", f.half_life_s);
    fact("patient weight (kg)", patient.weight_kg);
    fact("patient height (m)", patient.height_m);
  }

  void spect_facts(const SpectFacts& f) {
    fact("kind", f.kind);
    fact("tracer", f.tracer);
    fact("isotope", f.isotope);
    fact("collimator", f.collimator);
    fact("gates", f.gates);
    fact("detectors", f.detectors);
    for (const EnergyWindow& w : f.energy_windows)
      fact("energy window " + w.name + " (keV)", number_text(w.lower_kev) + " - " + number_text(w.upper_kev), "(0054,0013)");
  }
};

}  // namespace

std::vector<FactRow> fact_rows(const Acquisition& acquisition) {
  Facts facts;
  facts.facts(acquisition);
  return std::move(facts.rows);
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  const double size = std::abs(value);
  if (size != 0 && (size >= 1e6 || size < 1e-3)) std::snprintf(text.data(), text.size(), "%.4g", value);
  else std::snprintf(text.data(), text.size(), size >= 100 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
  return text.data();
}

std::string unit_text(const std::string& ucum) {
  if (ucum == "[hnsf'U]") return "HU";
  if (ucum == "1" || ucum.empty()) return "";
  if (ucum.front() == '{') return ucum.substr(1, ucum.size() - 2);
  return ucum;
}

std::string range_text(const ReferenceRange& r) {
  return number_text(r.low) + " - " + number_text(r.high) + " (" + r.population + "; " + r.source + ")";
}

std::string modality_text(const SeriesReport& series, const Texts& texts) {
  if (!series.modality.empty()) return series.modality;
  const std::string& dicom = series.acquisition.dicom_modality;
  return dicom.empty() ? texts("unknown") : dicom;
}

}  // namespace penta::engine
