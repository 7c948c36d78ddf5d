#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nn/nnunet/checkpoint.h"
#include "nn/nnunet/plans.h"

namespace penta::nn::nnunet {

/// A network as OpenVINO's intermediate representation: the layers, and their float32 weights.
struct NetworkFiles {
  std::string xml, bin;
};

/// Builds the U-Net of the plans with the weights of a fold: input [n, channels, (z,) y, x] of any size that the strides
/// divide, one output "logits" of the finest resolution [n, classes, (z,) y, x]. Throws Error{bad_input} that names a
/// weight that is missing, of another shape, or belongs to no layer of the plans.
[[nodiscard]] NetworkFiles build_network(const Plan& plan, const Checkpoint& fold);

}  // namespace penta::nn::nnunet
