#pragma once

#include "nn/nnunet/plans.h"

namespace penta::nn::nnunet {

/// The network of a configuration, whose `architecture` (2.4 and later) or older words are read. Throws Error{bad_input}
/// that names the network, block, operator or member that is not known here.
[[nodiscard]] Architecture architecture_from(const Json& configuration, int dims);

}  // namespace penta::nn::nnunet
