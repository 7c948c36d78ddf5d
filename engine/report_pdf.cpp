#include "engine/report_pdf.h"

#include <algorithm>

#include "engine/pdf.h"
#include "engine/report_text.h"
#include "engine/texts.h"
#include "io/dicom/write_pdf.h"

namespace penta::engine {

namespace {

constexpr Pdf::Colour note_blue{0.4, 0.5, 0.65}, warning_amber{0.7, 0.42, 0}, error_red{0.75, 0.15, 0.15},
    synthetic_violet{0.36, 0.25, 0.63};

std::string joined(std::initializer_list<std::string> parts) {
  std::string line;
  for (const std::string& part : parts)
    if (!part.empty()) line += (line.empty() ? "" : " \xC2\xB7 ") + part;
  return line;
}

class Document {
 public:
  Document(const Texts& texts, const Job& job, const std::string& foot)
      : texts_(texts), job_(job), pdf_(texts("title"), texts("notice"), foot) {}

  std::vector<std::byte> make(std::span<const StudyReport> studies, std::span<const Remark> faults) {
    pdf_.heading(texts_("title"), 1);
    pdf_.paragraph(texts_("software") + ": penta " + job_.software_version, true);
    overview(studies);
    if (!faults.empty()) {
      pdf_.heading(texts_("files_unread"), 3);
      remarks(faults);
    }
    for (const StudyReport& one : studies) study(one);
    return pdf_.finish();
  }

 private:
  Pdf::Column column(std::string_view key, double share, bool right = false) const { return {texts_(key), share, right}; }

  void overview(std::span<const StudyReport> studies) {
    std::vector<Pdf::Cells> rows;
    for (const StudyReport& study : studies)
      for (const SeriesReport& s : study.series)
        rows.push_back({s.folder, modality_text(s, texts_), s.recognised, s.acquisition.series_description, s.shape,
                        std::to_string(s.faults.size())});
    pdf_.heading(texts_("overview"), 3);
    pdf_.table({column("series", 1.2), column("modality", 1), column("recognised", 2.2), column("description", 2),
                column("shape", 2.2), column("faults", 1.2, true)}, rows);
  }

  void study(const StudyReport& study) {
    const Acquisition& a = study.series.front().acquisition;
    pdf_.heading(texts_("study") + " " + joined({a.study_date, a.study_description}), 1);
    if (!job_.deidentified && !(a.patient.id + a.patient.name).empty())
      pdf_.paragraph(joined({texts_("patient") + ": " + a.patient.name, texts_("patient_id") + ": " + a.patient.id,
                             texts_("birth_date") + ": " + a.patient.birth_date, texts_("sex") + ": " + a.patient.sex}));
    pdf_.paragraph(study.study_uid, true);
    for (const SeriesReport& one : study.series) series(one);
  }

  void series(const SeriesReport& s) {
    pdf_.heading(joined({s.folder, modality_text(s, texts_), s.recognised}), 2);
    pdf_.paragraph(joined({s.acquisition.series_description, s.shape, s.format}));
    if (s.acquisition.synthetic) pdf_.label(texts_("synthetic"), synthetic_violet);
    for (const ReportPicture& p : s.pictures) pdf_.picture(p.picture, p.caption);
    pdf_.end_pictures();
    measurements(s.measurements);
    findings(s.findings);
    scores(s.scores);
    pdf_.heading(texts_("faults"), 3);
    if (s.faults.empty() && s.remarks.empty()) pdf_.paragraph(texts_("no_faults"), true);
    remarks(s.faults);
    remarks(s.remarks);
    facts(s.acquisition);
    cards(s.cards);
  }

  void measurements(const Measurements& list) {
    pdf_.heading(texts_("measurements"), 3);
    if (list.empty()) return pdf_.paragraph(texts_("no_measurements"), true);
    const bool any_range = std::any_of(list.begin(), list.end(), [](const Measurement& m) { return m.reference_range.has_value(); });
    std::vector<Pdf::Column> columns{column("name", 2), column("value", 1, true), column("unit", 0.9), column("region", 1.7),
                                     column("side", 0.6)};
    if (any_range) columns.push_back(column("reference", 1.8));
    columns.push_back(column("formula", any_range ? 2.2 : 3));
    std::vector<Pdf::Cells> rows;
    for (const Measurement& m : list) {
      Pdf::Cells cells{m.name, number_text(m.value), unit_text(m.unit), m.region,
                       m.side == Side::none ? std::string() : texts_(name_of(m.side))};
      if (any_range) cells.push_back(m.reference_range ? range_text(*m.reference_range) : std::string());
      cells.push_back(m.formula);
      rows.push_back(std::move(cells));
    }
    pdf_.table(columns, rows);
    if (!any_range) pdf_.paragraph(texts_("no_reference"), true);
  }

  void findings(const Findings& list) {
    if (list.empty()) return;
    std::vector<Pdf::Cells> rows;
    for (const Finding& f : list) {
      const std::string unit = f.in_pixels ? " px" : " mm";
      rows.push_back({f.label, number_text(f.score),
                      number_text(f.centre.x) + ", " + number_text(f.centre.y) + ", " + number_text(f.centre.z) + unit,
                      number_text(f.size) + unit});
    }
    pdf_.heading(texts_("findings"), 3);
    pdf_.table({column("label", 3), column("score", 1, true), column("place", 3), column("size", 1.2, true)}, rows);
  }

  void scores(const Scores& list) {
    std::vector<Pdf::Cells> rows;
    for (const Score& s : list)
      if (s.probability) rows.push_back({s.label, number_text(*s.probability)});
    if (rows.empty()) return;
    pdf_.heading(texts_("scores"), 3);
    pdf_.table({column("label", 3), column("probability", 1, true)}, rows);
  }

  void remarks(std::span<const Remark> list) {
    for (const Remark& r : list)
      pdf_.remark(texts_(name_of(r.severity)) + ": " + r.text, r.severity == Severity::error     ? error_red
                                                               : r.severity == Severity::warning ? warning_amber
                                                                                                 : note_blue);
  }

  void facts(const Acquisition& acquisition) {
    std::vector<Pdf::Cells> rows;
    for (const FactRow& row : fact_rows(acquisition)) rows.push_back({row.name, row.value, row.source});
    if (rows.empty()) return;
    pdf_.heading(texts_("facts"), 3);
    pdf_.table({column("name", 2), column("value", 4), {"", 1.5}}, rows);
  }

  void cards(const std::vector<const Card*>& list) {
    if (list.empty()) return;
    pdf_.heading(texts_("cards"), 3);
    for (const Card* card : list) {
      pdf_.paragraph(card->id + " \xC2\xB7 " + card->title);
      if (!card->evidence_note.empty()) pdf_.paragraph(texts_("trained_on") + ": " + card->evidence_note, true);
      for (const std::string& failure : card->known_failures) pdf_.paragraph(texts_("known_failures") + ": " + failure, true);
      for (const std::string& not_for : card->not_for) pdf_.paragraph(texts_("not_for") + ": " + not_for, true);
      results(*card);
      if (!card->reference.empty()) pdf_.paragraph(card->reference, true);
    }
  }

  void results(const Card& card) {
    if (!card.results.is_array()) return;
    for (const Json& r : card.results.items())
      pdf_.paragraph(texts_("results") + ": " + r.text_or("metric", "") + " " + number_text(r.number_or("value", 0)) + " (n = " +
                         number_text(r.number_or("n", 0)) + ", " + r.text_or("data", "") + ")",
                     true);
  }

  const Texts& texts_;
  const Job& job_;
  Pdf pdf_;
};

}  // namespace

std::vector<std::byte> report_pdf(std::span<const StudyReport> studies, std::span<const Remark> faults, const Job& job,
                                  const std::string& language) {
  const Texts texts(language);
  const std::string foot = studies.size() == 1 ? studies.front().study_uid : std::string();
  return Document(texts, job, foot).make(studies, faults);
}

std::vector<std::byte> report_dicom(const StudyReport& study, std::span<const std::byte> pdf, const Job& job) {
  io::dicom::Provenance provenance{"report", job.software_version, job.software_version, {}, job.creation_time, job.deidentified};
  for (const SeriesReport& series : study.series) provenance.uid_seed += series.acquisition.series_uid + " ";
  std::vector<SourceInstance> sources;
  for (const SeriesReport& series : study.series)
    sources.insert(sources.end(), series.acquisition.instances.begin(), series.acquisition.instances.end());
  Acquisition source = study.series.front().acquisition;
  source.instances = std::move(sources);
  return io::dicom::write_encapsulated_pdf(pdf, "Imaging report (research use, not a medical device)", source, provenance);
}

}  // namespace penta::engine
