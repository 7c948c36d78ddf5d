#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace penta::nn::nnunet {

/// One number an axis, in the network's order (slowest first): three for volumes, two for slices.
using Axes = std::vector<std::int64_t>;

/// A U-Net of dynamic_network_architectures (PlainConvUNet, ResidualEncoderUNet), as the plans describe it.
struct Architecture {
  enum class Norm { none, instance, batch };
  enum class Nonlinearity { none, relu, leaky_relu };
  bool residual = false;
  int dims = 3;
  std::vector<std::int64_t> features;       ///< one a stage, the finest first
  std::vector<Axes> kernels, strides;       ///< one a stage
  std::vector<std::int64_t> encoder, decoder;  ///< convolutions (residual: blocks) a stage; decoder: the coarsest first
  std::int64_t stem = 0;                    ///< residual: channels of the stem
  bool bias = false, affine = false;
  Norm norm = Norm::none;
  double eps = 1e-5;
  Nonlinearity nonlinearity = Nonlinearity::none;
  double slope = 0.01;
};

struct PlannedChannel {
  std::string name, scheme;  ///< "CTNormalization", "ZScoreNormalization", ...
  bool masked = false;
  double mean = 0, deviation = 1, lower = 0, upper = 0;  ///< of the foreground; lower and upper: percentiles 0.5 and 99.5
};

struct PlannedLabel {
  std::string name;
  int value = 0;  ///< in the label map (of a region: the value that it is written as)
};

/// What a configuration of plans.json and its dataset.json say about prediction. Axes in the network's order.
struct Plan {
  std::string dataset, plans, configuration, reader;
  Architecture architecture;
  std::vector<double> spacing_mm;
  Axes patch;
  std::array<int, 3> transpose{0, 1, 2};  ///< the network's axis i is the image's (z, y, x) axis transpose[i]
  std::vector<PlannedChannel> channels;
  std::vector<PlannedLabel> labels;  ///< without regions: 0, 1, 2 ...; with regions: one a region, no background
  bool regions = false;
};

/// The configurations that plans.json holds.
[[nodiscard]] std::vector<std::string> configurations_of(const Json& plans);

/// Reads nnU-Net v2 plans (2.0 to 2.8, with and without `architecture`). Throws Error{bad_input} that names the member that
/// is missing, makes no sense, or asks for what is not known here (network, block, operator, resampling, cascade).
[[nodiscard]] Plan plan_from(const Json& plans, const Json& dataset, const std::string& configuration);

}  // namespace penta::nn::nnunet
