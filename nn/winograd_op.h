#pragma once

#include <memory>

namespace ov {
class Model;
}

namespace penta::nn {

/// Replaces the convolutions of a float32 model with static shapes that nn/winograd.h does faster: 3 x 3 x 3, stride 1,
/// padding 1, planes of 16 x 16 voxels or more, 16 to 128 channels. A constant that is added to each channel goes with them.
/// Such a model can be compiled, but not be written to a file.
void use_winograd(const std::shared_ptr<ov::Model>& model);

}  // namespace penta::nn
