#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/cohort.h"
#include "engine/report.h"
#include "engine/texts.h"
#include "io/png/png.h"

namespace penta::engine {

std::string escape(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  return safe;
}

namespace {

std::string number(double value) {
  std::array<char, 32> text{};
  const double size = std::abs(value);
  if (size != 0 && (size >= 1e6 || size < 1e-3)) std::snprintf(text.data(), text.size(), "%.4g", value);
  else std::snprintf(text.data(), text.size(), size >= 100 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
  return text.data();
}

std::string base64(const std::vector<std::byte>& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned block = 0;
    for (std::size_t k = 0; k < 3; ++k)
      block = (block << 8U) | (i + k < bytes.size() ? std::to_integer<unsigned>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : digits[(block >> (18 - 6 * k)) & 63U];
  }
  return text;
}

// A unit as people write it; result.json keeps UCUM.
std::string unit_text(const std::string& ucum) {
  if (ucum == "[hnsf'U]") return "HU";
  if (ucum == "1" || ucum.empty()) return "";
  if (ucum.front() == '{') return ucum.substr(1, ucum.size() - 2);
  return ucum;
}

std::string cell(const std::string& text) { return "<td>" + escape(text) + "</td>"; }
std::string number_cell(const std::string& text) { return "<td class=\"number\">" + escape(text) + "</td>"; }

class Page {
 public:
  Page(const Texts& texts, const Job& job) : texts_(texts), job_(job) {}

  std::string make(std::span<const StudyReport> studies, std::span<const Remark> faults, const std::string& language) {
    html_ = "<!doctype html>\n<html lang=\"" + language + "\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width\"><title>" + text("title") + "</title>\n<style>\n" +
            report_style() + "</style></head><body>\n<div class=\"notice\">" + text("notice") + "</div>\n<h1>" +
            text("title") + "</h1>\n<p class=\"muted\">" + text("software") + ": penta " + job_.software_version + "</p>\n";
    overview(studies);
    if (!faults.empty()) {
      html_ += "<h3>" + text("files_unread") + "</h3>\n";
      remarks(faults);
    }
    for (const StudyReport& study : studies) this->study(study);
    return html_ + "<p class=\"muted\">" + text("notice") + "</p></body></html>\n";
  }

 private:
  std::string text(std::string_view key) const { return escape(texts_(key)); }

  std::string heads(std::initializer_list<std::string_view> keys) const {
    std::string row = "<tr>";
    for (const std::string_view key : keys) row += "<th>" + text(key) + "</th>";
    return row + "</tr>\n";
  }

  std::string modality_of(const SeriesReport& series) const {
    if (!series.modality.empty()) return series.modality;
    const std::string& dicom = series.acquisition.dicom_modality;
    return dicom.empty() ? texts_("unknown") : dicom;
  }

  void overview(std::span<const StudyReport> studies) {
    html_ += "<h3>" + text("overview") + "</h3>\n<table>" + heads({"series", "modality", "recognised", "description", "shape", "faults"});
    for (const StudyReport& study : studies)
      for (const SeriesReport& series : study.series) {
        html_ += "<tr><td><a href=\"#" + escape(series.folder) + "\">" + escape(series.folder) + "</a></td>";
        html_ += cell(modality_of(series)) + cell(series.recognised) +
                 cell(series.acquisition.series_description) + cell(series.shape) +
                 number_cell(std::to_string(series.faults.size())) + "</tr>\n";
      }
    html_ += "</table>\n";
  }

  void study(const StudyReport& study) {
    const Acquisition& a = study.series.front().acquisition;
    html_ += "<h2>" + text("study") + " " + escape(a.study_date) + " " + escape(a.study_description) + "</h2>\n";
    if (!job_.deidentified && !(a.patient.id + a.patient.name).empty())
      html_ += "<p>" + text("patient") + ": " + escape(a.patient.name) + " &middot; " + text("patient_id") + ": " +
               escape(a.patient.id) + " &middot; " + text("birth_date") + ": " + escape(a.patient.birth_date) +
               " &middot; " + text("sex") + ": " + escape(a.patient.sex) + "</p>\n";
    html_ += "<p class=\"muted\">" + escape(study.study_uid) + "</p>\n";
    for (const SeriesReport& one : study.series) series(one);
  }

  void series(const SeriesReport& s) {
    html_ += "<h2 id=\"" + escape(s.folder) + "\">" + escape(s.folder) + " &middot; " + escape(modality_of(s)) +
             (s.recognised.empty() ? "" : " &middot; " + escape(s.recognised)) + "</h2>\n";
    const std::string& description = s.acquisition.series_description;
    html_ += "<p>" + (description.empty() ? "" : escape(description) + " &middot; ") + escape(s.shape) + " &middot; " +
             escape(s.format) + "</p>\n";
    if (s.acquisition.synthetic) html_ += "<p><span class=\"synthetic\">" + text("synthetic") + "</span></p>\n";
    pictures(s);
    measurements(s.measurements);
    findings(s.findings);
    scores(s.scores);
    html_ += "<h3>" + text("faults") + "</h3>\n";
    if (s.faults.empty() && s.remarks.empty()) html_ += "<p class=\"muted\">" + text("no_faults") + "</p>\n";
    remarks(s.faults);
    remarks(s.remarks);
    facts(s.acquisition);
    cards(s.cards);
  }

  void pictures(const SeriesReport& s) {
    if (s.pictures.empty()) return;
    html_ += "<div class=\"pictures\">\n";
    for (const ReportPicture& p : s.pictures)
      html_ += "<figure><img alt=\"" + escape(p.caption) + "\" width=\"" + std::to_string(p.picture.width) +
               "\" src=\"data:image/png;base64," + base64(io::png::write(p.picture)) + "\"><figcaption>" +
               escape(p.caption) + "</figcaption></figure>\n";
    html_ += "</div>\n";
  }

  void measurements(const Measurements& list) {
    html_ += "<h3>" + text("measurements") + "</h3>\n";
    if (list.empty()) {
      html_ += "<p class=\"muted\">" + text("no_measurements") + "</p>\n";
      return;
    }
    const bool any_range = std::any_of(list.begin(), list.end(), [](const Measurement& m) { return m.reference_range.has_value(); });
    html_ += "<table>" + (any_range ? heads({"name", "value", "unit", "region", "side", "reference", "formula"})
                                    : heads({"name", "value", "unit", "region", "side", "formula"}));
    for (const Measurement& m : list) {
      html_ += "<tr>" + cell(m.name) + number_cell(number(m.value)) + cell(unit_text(m.unit)) + cell(m.region);
      html_ += "<td>" + (m.side == Side::none ? std::string() : text(name_of(m.side))) + "</td>";
      if (any_range) html_ += m.reference_range ? cell(range_text(*m.reference_range)) : "<td></td>";
      html_ += "<td class=\"muted\">" + escape(m.formula) + "</td></tr>\n";
    }
    html_ += "</table>\n";
    if (!any_range) html_ += "<p class=\"muted\">" + text("no_reference") + "</p>\n";
  }

  static std::string range_text(const ReferenceRange& r) {
    return number(r.low) + " - " + number(r.high) + " (" + r.population + "; " + r.source + ")";
  }

  void findings(const Findings& list) {
    if (list.empty()) return;
    html_ += "<h3>" + text("findings") + "</h3>\n<table>" + heads({"label", "score", "place", "size"});
    for (const Finding& f : list) {
      const std::string unit = f.in_pixels ? " px" : " mm";
      html_ += "<tr>" + cell(f.label) + number_cell(number(f.score)) +
               cell(number(f.centre.x) + ", " + number(f.centre.y) + ", " + number(f.centre.z) + unit) +
               number_cell(number(f.size) + unit) + "</tr>\n";
    }
    html_ += "</table>\n";
  }

  // Labels without a probability stand in the heading already.
  void scores(const Scores& list) {
    if (std::none_of(list.begin(), list.end(), [](const Score& s) { return s.probability.has_value(); })) return;
    html_ += "<h3>" + text("scores") + "</h3>\n<table>" + heads({"label", "probability"});
    for (const Score& s : list)
      if (s.probability) html_ += "<tr>" + cell(s.label) + number_cell(number(*s.probability)) + "</tr>\n";
    html_ += "</table>\n";
  }

  void remarks(std::span<const Remark> list) {
    for (const Remark& r : list)
      html_ += "<div class=\"remark " + std::string(name_of(r.severity)) + "\"><b>" + text(name_of(r.severity)) + "</b> " +
               escape(r.text) + "</div>\n";
  }

  void fact(const std::string& name, const std::string& value, const std::string& source) {
    if (!value.empty()) html_ += "<tr>" + cell(name) + cell(value) + "<td class=\"muted\">" + escape(source) + "</td></tr>\n";
  }
  void fact(const std::string& name, const Fact<double>& f) {
    if (f) fact(name, number(*f), f.source);
  }
  void fact(const std::string& name, const Fact<std::string>& f) {
    if (f) fact(name, *f, f.source);
  }
  void fact(const std::string& name, const Fact<int>& f) {
    if (f) fact(name, std::to_string(*f), f.source);
  }

  void facts(const Acquisition& a) {
    html_ += "<details><summary>" + text("facts") + "</summary>\n<table>";
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
    html_ += "</table></details>\n";
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
      fact("energy window " + w.name + " (keV)", number(w.lower_kev) + " - " + number(w.upper_kev), "(0054,0013)");
  }

  void cards(const std::vector<const Card*>& list) {
    if (list.empty()) return;
    html_ += "<details><summary>" + text("cards") + "</summary>\n";
    for (const Card* card : list) {
      html_ += "<p><b>" + escape(card->id) + "</b> " + escape(card->title);
      if (!card->evidence_note.empty()) html_ += "<br>" + text("trained_on") + ": " + escape(card->evidence_note);
      for (const std::string& failure : card->known_failures) html_ += "<br>" + text("known_failures") + ": " + escape(failure);
      for (const std::string& not_for : card->not_for) html_ += "<br>" + text("not_for") + ": " + escape(not_for);
      html_ += results(*card) + "<br><span class=\"muted\">" + escape(card->reference) + "</span></p>\n";
    }
    html_ += "</details>\n";
  }

  std::string results(const Card& card) const {
    if (!card.results.is_array()) return {};
    std::string lines;
    for (const Json& r : card.results.items())
      lines += "<br>" + text("results") + ": " + escape(r.text_or("metric", "")) + " " +
               number(r.number_or("value", 0)) + " (n = " + number(r.number_or("n", 0)) + ", " +
               escape(r.text_or("data", "")) + ")";
    return lines;
  }

  const Texts& texts_;
  const Job& job_;
  std::string html_;
};

}  // namespace

std::string report_html(std::span<const StudyReport> studies, std::span<const Remark> faults, const Job& job,
                        const std::string& language) {
  const Texts texts(language);
  return Page(texts, job).make(studies, faults, language);
}

}  // namespace penta::engine
