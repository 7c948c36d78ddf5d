#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/contours.h"
#include "core/image.h"
#include "core/label_map.h"
#include "core/raw_data.h"
#include "core/results.h"
#include "core/structured_report.h"

namespace penta::io {

/// What a file or a series holds once it has been read.
using Content = std::variant<Image, LabelMap, Contours, RawData, StructuredReport, Table>;

}  // namespace penta::io
