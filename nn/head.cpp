#include "nn/head.h"

#include <algorithm>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>

#include "nn/model_access.h"

namespace penta::nn {

namespace {

/// The values behind an output that is a constant: perhaps stored in another precision or shape.
struct Values {
  std::vector<float> values;
  ov::Shape shape;
};

std::optional<Values> values_behind(const ov::Output<ov::Node>& output) {
  const auto node = output.get_node_shared_ptr();
  if (const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(node)) return Values{constant->cast_vector<float>(), constant->get_shape()};
  const bool reshape = static_cast<bool>(ov::as_type_ptr<ov::op::v1::Reshape>(node));
  if (!reshape && !ov::as_type_ptr<ov::op::v0::Convert>(node)) return std::nullopt;
  auto found = values_behind(node->input_value(0));
  if (!found || !reshape) return found;
  if (output.get_partial_shape().is_dynamic()) return std::nullopt;
  found->shape = output.get_shape();
  return found;
}

/// One value a class, broadcast over everything else; none for other constants.
std::vector<float> bias_of(const Values& constant, std::int64_t classes, std::size_t rank) {
  const ov::Shape& shape = constant.shape;
  if (constant.values.size() == 1) return std::vector<float>(static_cast<std::size_t>(classes), constant.values[0]);
  // Broadcasting counts from the last axis: the class axis is the second of `rank`.
  const std::size_t axis = shape.size() + 1 - rank;
  if (shape.size() + 1 < rank || axis >= shape.size() || shape[axis] != constant.values.size() ||
      static_cast<std::int64_t>(constant.values.size()) != classes)
    return {};
  return constant.values;
}

bool all_are(const auto& values, std::int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [wanted](auto v) { return static_cast<std::int64_t>(v) == wanted; });
}

struct Found {
  Head head;
  ov::Output<ov::Node> features;
};

std::optional<Found> last_layer(const ov::Output<ov::Node>& result) {
  std::shared_ptr<ov::Node> node = result.get_node_shared_ptr();
  std::optional<Values> added;
  if (ov::as_type_ptr<ov::op::v1::Add>(node)) {
    added = values_behind(node->input_value(1));
    const std::size_t other = added ? 0 : 1;
    if (!added) added = values_behind(node->input_value(0));
    if (!added) return std::nullopt;
    node = node->input_value(other).get_node_shared_ptr();
  }
  const auto convolution = ov::as_type_ptr<ov::op::v1::Convolution>(node);
  if (!convolution) return std::nullopt;
  const auto kernel = values_behind(convolution->input_value(1));
  if (!kernel || kernel->shape.size() < 3) return std::nullopt;
  const ov::Shape& shape = kernel->shape;
  const std::vector<std::size_t> sides(shape.begin() + 2, shape.end());
  if (!all_are(sides, 1) || !all_are(convolution->get_strides(), 1) || !all_are(convolution->get_pads_begin(), 0) ||
      !all_are(convolution->get_pads_end(), 0))
    return std::nullopt;
  Found found{{static_cast<std::int64_t>(shape[0]), static_cast<std::int64_t>(shape[1]), kernel->values,
               std::vector<float>(shape[0])},
              convolution->input_value(0)};
  if (added) found.head.bias = bias_of(*added, found.head.classes, shape.size());
  if (found.head.bias.empty()) return std::nullopt;
  return found;
}

}  // namespace

std::optional<Cut> without_head(const Network& network, const std::string& output) {
  const std::shared_ptr<ov::Model> model = model_of(network)->clone();
  for (std::size_t i = 0; i < model->outputs().size(); ++i) {
    const bool wanted = output.empty() ? i == 0 : model->output(i).get_names().count(output) > 0;
    if (!wanted) continue;
    auto found = last_layer(model->get_results().at(i)->input_value(0));
    if (!found) return std::nullopt;
    const auto result = std::make_shared<ov::op::v0::Result>(found->features);
    auto body = std::make_shared<ov::Model>(ov::ResultVector{result}, model->get_parameters(), "features");
    return Cut{network_of(std::move(body), network.name(), network.precision()), std::move(found->head)};
  }
  return std::nullopt;
}

Head side_by_side(const std::vector<Head>& heads) {
  Head all{heads.front().classes, 0, {}, std::vector<float>(static_cast<std::size_t>(heads.front().classes))};
  const auto share = 1.F / static_cast<float>(heads.size());
  for (const Head& head : heads) all.features += head.features;
  for (std::int64_t c = 0; c < all.classes; ++c)
    for (const Head& head : heads) {
      all.bias[static_cast<std::size_t>(c)] += share * head.bias[static_cast<std::size_t>(c)];
      for (std::int64_t f = 0; f < head.features; ++f)
        all.weights.push_back(share * head.weights[static_cast<std::size_t>(c * head.features + f)]);
    }
  return all;
}

}  // namespace penta::nn
