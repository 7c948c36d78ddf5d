#pragma once

#include "engine/report.h"

namespace penta::engine {

/// Key images of one image, without anything over them.
[[nodiscard]] std::vector<ReportPicture> key_pictures(const io::Content& content);

/// Key images of a series, and one with the labels and findings of each step over it.
void add_pictures(const io::Content& content, const Runner& runner, SeriesReport& report);

}  // namespace penta::engine
