#pragma once

#include <string_view>
#include <vector>

#include "tasks/method.h"

namespace penta {

namespace nn { class ModelStore; }

/// Every method of this build, then one for each bundle in `models` that no method of ours uses itself.
/// Throws Error{internal} when two have the same key, naming both.
[[nodiscard]] std::vector<MethodPtr> all_methods(const nn::ModelStore& models);

/// The card that was built in for a method, such as "segmentation/ct.body".
[[nodiscard]] Card built_in_card(std::string_view key);

}  // namespace penta
