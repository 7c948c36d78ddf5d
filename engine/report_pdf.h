#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/report.h"

namespace penta::engine {

/// report.pdf: what report.html says, on A4. The same report gives the same bytes. Throws Error{wrong_use} for a
/// language that there is not, Error{internal} where the fonts are missing.
[[nodiscard]] std::vector<std::byte> report_pdf(std::span<const StudyReport> studies, std::span<const Remark> faults,
                                                const Job& job, const std::string& language);

/// The same of one study as a DICOM instance (Encapsulated PDF), in a new series of that study.
[[nodiscard]] std::vector<std::byte> report_dicom(const StudyReport& study, std::span<const std::byte> pdf, const Job& job);

}  // namespace penta::engine
