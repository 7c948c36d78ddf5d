#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/engine.h"

namespace penta::nn {

/// The last layer of a label network where that is a convolution with a 1 x 1 kernel: logits = weights features + bias.
struct Head {
  std::int64_t classes = 0, features = 0;
  std::vector<float> weights;  ///< [class][feature]
  std::vector<float> bias;     ///< [class]
};

/// A network without its last layer, and that layer.
struct Cut {
  Network body;
  Head head;
};

/// Cuts off what gives `output` ("": the first one) where it is such a convolution (and perhaps an addition of a
/// constant); none where it is anything else.
[[nodiscard]] std::optional<Cut> without_head(const Network& network, const std::string& output);

/// Networks of an ensemble as one layer over their features side by side: the mean of their logits.
[[nodiscard]] Head side_by_side(const std::vector<Head>& heads);

}  // namespace penta::nn
