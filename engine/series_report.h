#pragma once

#include "engine/report.h"

namespace penta::engine {

/// One series: reads it, runs every method whose gate is open, writes its folder, and takes pictures.
/// What fails is said in its faults; only cancelling and an output that cannot be written are thrown.
/// `others` are the study's contours and segmentations, supplied where they belong to this series.
[[nodiscard]] SeriesReport report_series(const Entry& entry, std::span<const ContentPtr> others, const std::string& folder,
                                         const std::filesystem::path& out, const Methods& methods,
                                         const ReportSettings& settings, const Job& job, Control& control, Result& result);

}  // namespace penta::engine
