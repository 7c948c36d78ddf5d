#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/remark.h"

namespace penta::engine {

/// What a cohort's summary says of one study: `state` is done, failed, or done before (--resume).
struct CohortRow {
  std::string study_uid, folder, state, csv;
  std::size_t measurements = 0;
};

/// The summary page of a cohort: a row a study, linked to its own report.
[[nodiscard]] std::string cohort_html(std::span<const CohortRow> rows, std::span<const Remark> faults,
                                      const std::string& language);

/// Text that is safe between and inside HTML tags.
[[nodiscard]] std::string escape(const std::string& text);

}  // namespace penta::engine
