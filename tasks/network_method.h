#pragma once

#include <vector>

#include "tasks/method.h"

namespace penta {

namespace nn { class ModelStore; }

/// One method for each bundle of segmentation, recognition or classification that can be read and that no method of
/// ours uses itself (`network.used_by`). They keep a reference to `models`.
[[nodiscard]] std::vector<MethodPtr> make_network_methods(const nn::ModelStore& models);

}  // namespace penta
