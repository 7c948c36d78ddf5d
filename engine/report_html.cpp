#include <algorithm>

#include "engine/cohort.h"
#include "engine/report.h"
#include "engine/report_text.h"
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

  void overview(std::span<const StudyReport> studies) {
    html_ += "<h3>" + text("overview") + "</h3>\n<table>" + heads({"series", "modality", "recognised", "description", "shape", "faults"});
    for (const StudyReport& study : studies)
      for (const SeriesReport& series : study.series) {
        html_ += "<tr><td><a href=\"#" + escape(series.folder) + "\">" + escape(series.folder) + "</a></td>";
        html_ += cell(modality_text(series, texts_)) + cell(series.recognised) +
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
    html_ += "<h2 id=\"" + escape(s.folder) + "\">" + escape(s.folder) + " &middot; " + escape(modality_text(s, texts_)) +
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
      html_ += "<tr>" + cell(m.name) + number_cell(number_text(m.value)) + cell(unit_text(m.unit)) + cell(m.region);
      html_ += "<td>" + (m.side == Side::none ? std::string() : text(name_of(m.side))) + "</td>";
      if (any_range) html_ += m.reference_range ? cell(range_text(*m.reference_range)) : "<td></td>";
      html_ += "<td class=\"muted\">" + escape(m.formula) + "</td></tr>\n";
    }
    html_ += "</table>\n";
    if (!any_range) html_ += "<p class=\"muted\">" + text("no_reference") + "</p>\n";
  }

  void findings(const Findings& list) {
    if (list.empty()) return;
    html_ += "<h3>" + text("findings") + "</h3>\n<table>" + heads({"label", "score", "place", "size"});
    for (const Finding& f : list) {
      const std::string unit = f.in_pixels ? " px" : " mm";
      html_ += "<tr>" + cell(f.label) + number_cell(number_text(f.score)) +
               cell(number_text(f.centre.x) + ", " + number_text(f.centre.y) + ", " + number_text(f.centre.z) + unit) +
               number_cell(number_text(f.size) + unit) + "</tr>\n";
    }
    html_ += "</table>\n";
  }

  // Labels without a probability stand in the heading already.
  void scores(const Scores& list) {
    if (std::none_of(list.begin(), list.end(), [](const Score& s) { return s.probability.has_value(); })) return;
    html_ += "<h3>" + text("scores") + "</h3>\n<table>" + heads({"label", "probability"});
    for (const Score& s : list)
      if (s.probability) html_ += "<tr>" + cell(s.label) + number_cell(number_text(*s.probability)) + "</tr>\n";
    html_ += "</table>\n";
  }

  void remarks(std::span<const Remark> list) {
    for (const Remark& r : list)
      html_ += "<div class=\"remark " + std::string(name_of(r.severity)) + "\"><b>" + text(name_of(r.severity)) + "</b> " +
               escape(r.text) + "</div>\n";
  }

  void facts(const Acquisition& a) {
    html_ += "<details><summary>" + text("facts") + "</summary>\n<table>";
    for (const FactRow& row : fact_rows(a))
      html_ += "<tr>" + cell(row.name) + cell(row.value) + "<td class=\"muted\">" + escape(row.source) + "</td></tr>\n";
    html_ += "</table></details>\n";
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
               number_text(r.number_or("value", 0)) + " (n = " + number_text(r.number_or("n", 0)) + ", " +
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
