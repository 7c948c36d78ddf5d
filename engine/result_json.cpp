#include "engine/result_json.h"

#include <cstdio>

namespace penta::engine {

namespace {

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

template <std::size_t N>
Json numbers(const std::array<double, N>& values) {
  Json list = Json::array();
  for (const double value : values) list.push(value);
  return list;
}

Json point(const PatientPoint& p) { return numbers(std::array<double, 3>{p.x, p.y, p.z}); }

std::string short_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

}  // namespace

Json to_json(const CodedConcept& code) {
  if (code.empty()) return {};
  return Json::object().set("scheme", code.scheme).set("value", code.value).set("meaning", code.meaning);
}

Json to_json(const Measurement& m) {
  Json json = Json::object();
  json.set("name", m.name).set("value", m.value).set("unit", m.unit).set("code", to_json(m.code));
  json.set("region", or_null(m.region)).set("side", or_null(std::string(name_of(m.side)))).set("formula", m.formula);
  json.set("made_by", m.made_by).set("series_uid", m.series_uid);
  if (m.plausible_range) json.set("plausible_range", numbers(*m.plausible_range));
  if (m.reference_range) {
    const ReferenceRange& r = *m.reference_range;
    json.set("reference_range",
             Json::object().set("lo", r.low).set("hi", r.high).set("population", r.population).set("source", r.source));
  }
  return json;
}

Json to_json(const Finding& f) {
  const std::string unit = f.in_pixels ? "_px" : "_mm";
  Json json = Json::object();
  json.set("label", f.label).set("score", f.score).set("centre" + unit, point(f.centre));
  json.set("box" + unit, numbers(f.box)).set("size" + unit, f.size).set("frame", f.frame).set("code", to_json(f.code));
  return json.set("made_by", f.made_by).set("series_uid", f.series_uid);
}

Json to_json(const Score& s) {
  Json json = Json::object();
  json.set("label", s.label);
  if (s.probability) json.set("probability", *s.probability);
  return json.set("code", to_json(s.code)).set("made_by", s.made_by).set("series_uid", s.series_uid);
}

Json to_json(const Remark& r) {
  Json json = Json::object();
  json.set("severity", name_of(r.severity)).set("code", r.code).set("text", r.text);
  return json.set("made_by", or_null(r.made_by)).set("series_uid", or_null(r.series_uid));
}

Json to_json(const RankedCase& r) {
  return Json::object().set("case", r.case_id).set("score", r.score).set("why", r.why);
}

Json to_json(const InputRecord& i) {
  Json json = Json::object();
  json.set("role", i.role).set("sha256", i.sha256).set("modality", or_null(i.modality));
  return json.set("study_uid", or_null(i.study_uid)).set("series_uid", or_null(i.series_uid));
}

Json segments_json(const LabelMap& labels) {
  Json list = Json::array();
  for (const Segment& s : labels.segments) {
    Json json = Json::object();
    json.set("value", s.value).set("layer", s.layer).set("name", s.name).set("code", to_json(s.type));
    json.set("region", s.name).set("side", or_null(std::string(name_of(s.side))));
    if (!labels.planar) json.set("volume_ml", volume_ml(labels, s));
    list.push(std::move(json));
  }
  return list;
}

std::optional<Remark> implausible(const Measurement& m) {
  if (!m.plausible_range || (m.value >= (*m.plausible_range)[0] && m.value <= (*m.plausible_range)[1])) return {};
  std::string text = m.name + (m.region.empty() ? "" : " of " + m.region) + " is " + short_text(m.value) + " " + m.unit +
                     ", outside the plausible range " + short_text((*m.plausible_range)[0]) + " to " +
                     short_text((*m.plausible_range)[1]);
  return Remark{Severity::warning, "implausible_value", std::move(text), m.made_by, m.series_uid};
}

namespace {

template <class Entries>
void add_entries(const Entries& entries, const Produced& step, const std::string& series_uid, Json& list) {
  for (auto entry : entries) {
    entry.made_by = step.method->card().id;
    entry.series_uid = series_uid;
    list.push(to_json(entry));
  }
}

}  // namespace

void Result::add(Remark remark) { remarks.push(to_json(remark)); }

void Result::add(const Produced& step, const std::string& series_uid) {
  for (const Artifact& artifact : step.answer.artifacts) {
    if (const auto* found = std::get_if<Findings>(&artifact.value)) add_entries(*found, step, series_uid, findings);
    if (const auto* scored = std::get_if<Scores>(&artifact.value)) add_entries(*scored, step, series_uid, scores);
    if (const auto* ranked = std::get_if<Ranking>(&artifact.value))
      for (const RankedCase& entry : *ranked) ranking.push(to_json(entry));
    if (const auto* measured = std::get_if<Measurements>(&artifact.value)) {
      add_entries(*measured, step, series_uid, measurements);
      for (Measurement m : *measured) {
        m.made_by = step.method->card().id;
        m.series_uid = series_uid;
        if (auto remark = implausible(m)) add(std::move(*remark));
        all_measurements.push_back(std::move(m));
      }
    }
  }
  for (Remark remark : step.answer.remarks) {
    remark.made_by = step.method->card().id;
    remark.series_uid = series_uid;
    add(std::move(remark));
  }
}

void Result::put_into(Json& json) const {
  json.set("artifacts", artifacts).set("scores", scores).set("findings", findings).set("measurements", measurements);
  json.set("ranking", ranking).set("remarks", remarks);
}

}  // namespace penta::engine
