#pragma once

#include "core/json.h"
#include "core/label_map.h"

namespace penta::engine {

/// The segment table of a label map: what a NIfTI or NRRD of labels cannot hold. {"segments": [{"value", "layer",
/// "name", "code", "category", "side", "colour"}]}
[[nodiscard]] Json label_table(const LabelMap& labels);

/// Takes names, codes, sides and colours from such a table for the values that `labels` has; others stay as they are.
/// Throws Error{bad_input} where the table is not one.
void apply_label_table(LabelMap& labels, const Json& table);

}  // namespace penta::engine
