#pragma once

#include <string>
#include <vector>

#include "engine/report.h"
#include "engine/texts.h"

namespace penta::engine {

// What report.html and report.pdf say in the same words.

[[nodiscard]] std::string number_text(double value);
/// A unit as people write it; result.json keeps UCUM.
[[nodiscard]] std::string unit_text(const std::string& ucum);
[[nodiscard]] std::string range_text(const ReferenceRange& range);
[[nodiscard]] std::string modality_text(const SeriesReport& series, const Texts& texts);

/// A fact of the header, and the tag that it came from.
struct FactRow {
  std::string name, value, source;
};
[[nodiscard]] std::vector<FactRow> fact_rows(const Acquisition& acquisition);

}  // namespace penta::engine
