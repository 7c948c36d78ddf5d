#pragma once

#include "core/json.h"
#include "core/results.h"
#include "core/structured_report.h"
#include "engine/run.h"

namespace penta::engine {

// The entries of result.json (design.md, 'The command line is the contract').
[[nodiscard]] Json to_json(const CodedConcept& code);
[[nodiscard]] Json to_json(const Measurement& measurement);
[[nodiscard]] Json to_json(const Finding& finding);
[[nodiscard]] Json to_json(const Score& score);
[[nodiscard]] Json to_json(const Remark& remark);
[[nodiscard]] Json to_json(const RankedCase& ranked);
[[nodiscard]] Json to_json(const InputRecord& input);
/// What a DICOM SR says: title, measurements, findings, planar regions, the instances it refers to, remarks.
[[nodiscard]] Json to_json(const StructuredReport& report);
/// The segment table, with volumes where the map has millimetres.
[[nodiscard]] Json segments_json(const LabelMap& labels);

/// The top-level arrays of a result, filled step by step; every entry carries made_by and series_uid.
struct Result {
  Json artifacts = Json::array(), scores = Json::array(), findings = Json::array(), measurements = Json::array(),
       ranking = Json::array(), remarks = Json::array();
  Measurements all_measurements;

  /// Takes scores, findings, measurements, ranking and remarks of a step (its files are save's).
  void add(const Produced& step, const std::string& series_uid);
  void add(Remark remark);
  /// Sets the arrays as members of `json`.
  void put_into(Json& json) const;
};

/// A measurement outside its plausible range, as a remark.
[[nodiscard]] std::optional<Remark> implausible(const Measurement& measurement);

}  // namespace penta::engine
