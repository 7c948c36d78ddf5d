#include "nn/winograd_op.h"

#include <algorithm>
#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/op.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/openvino.hpp>
#include <optional>
#include <utility>

#include "nn/winograd.h"

namespace penta::nn {

namespace {

class WinogradOp final : public ov::op::Op {
 public:
  OPENVINO_OP("Winograd", "penta")

  WinogradOp(const ov::Output<ov::Node>& image, std::shared_ptr<const Winograd> kernel, std::size_t channels, bool channels_last)
      : Op({image}), kernel_(std::move(kernel)), channels_(channels), channels_last_(channels_last) {
    constructor_validate_and_infer_types();
  }

  void validate_and_infer_types() override {
    const ov::PartialShape& shape = get_input_partial_shape(0);
    const std::size_t first = channels_last_ ? 1 : 2;
    const ov::Dimension channels(static_cast<std::int64_t>(channels_));
    set_output_type(0, ov::element::f32, ov::PartialShape{shape[0], channels, shape[first], shape[first + 1], shape[first + 2]});
  }
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override {
    return std::make_shared<WinogradOp>(inputs.at(0), kernel_, channels_, channels_last_);
  }
  bool visit_attributes(ov::AttributeVisitor& /*visitor*/) override { return true; }
  bool has_evaluate() const override { return true; }
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override {
    const ov::Shape& shape = inputs[0].get_shape();
    const std::size_t first = channels_last_ ? 1 : 2;
    outputs[0].set_shape({shape[0], channels_, shape[first], shape[first + 1], shape[first + 2]});
    const auto side = [&](std::size_t axis) { return static_cast<std::int64_t>(shape[first + axis]); };
    kernel_->run(inputs[0].data<float>(), outputs[0].data<float>(), {side(2), side(1), side(0)}, channels_last_);
    return true;
  }

 private:
  std::shared_ptr<const Winograd> kernel_;
  std::size_t channels_;
  bool channels_last_;
};

/// Whether its values lie channel after channel: OpenVINO's own convolutions give channel-last voxels, which it turns slowly.
bool by_channels(const ov::Output<ov::Node>& output) {
  const auto node = output.get_node_shared_ptr();
  if (ov::as_type_ptr<WinogradOp>(node) || ov::as_type_ptr<ov::op::v0::Parameter>(node)) return true;
  const bool convolves = ov::as_type_ptr<ov::op::v1::Convolution>(node) || ov::as_type_ptr<ov::op::v1::ConvolutionBackpropData>(node) ||
                         ov::as_type_ptr<ov::op::v0::Concat>(node) || node->get_input_size() == 0;
  return !convolves && by_channels(node->input_value(0));
}

/// [1, channels, z, y, x] to [1, z, y, x, channels], which leaves channel-last voxels where they are.
ov::Output<ov::Node> channels_to_end(const ov::Output<ov::Node>& image) {
  const auto order = ov::op::v0::Constant::create(ov::element::i64, {5}, {0, 2, 3, 4, 1});
  return std::make_shared<ov::op::v1::Transpose>(image, order);
}

constexpr std::int64_t side_min = 16, channels_min = 16, channels_max = 128;

bool all_are(const auto& values, std::int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [wanted](auto v) { return static_cast<std::int64_t>(v) == wanted; });
}

/// Its weights, where it is one of those.
std::shared_ptr<ov::op::v0::Constant> weights_of(const ov::op::v1::Convolution& convolution) {
  auto weights = ov::as_type_ptr<ov::op::v0::Constant>(convolution.get_input_node_shared_ptr(1));
  const ov::PartialShape& image = convolution.get_input_partial_shape(0);
  if (!weights || weights->get_element_type() != ov::element::f32 || image.is_dynamic() || image.size() != 5) return nullptr;
  const ov::Shape shape = image.to_shape(), kernel = weights->get_shape();
  const auto in = static_cast<std::int64_t>(kernel[1]), out = static_cast<std::int64_t>(kernel[0]);
  const Size3 size{static_cast<std::int64_t>(shape[4]), static_cast<std::int64_t>(shape[3]), static_cast<std::int64_t>(shape[2])};
  const bool right = shape[0] == 1 && shape[1] == kernel[1] && all_are(std::vector(kernel.begin() + 2, kernel.end()), 3) &&
                     all_are(convolution.get_strides(), 1) && all_are(convolution.get_dilations(), 1) &&
                     all_are(convolution.get_pads_begin(), 1) && all_are(convolution.get_pads_end(), 1);
  const bool pays = size[0] >= side_min && size[1] >= side_min && in >= channels_min && in <= channels_max && out >= channels_min &&
                    out <= channels_max;
  return right && pays && Winograd::possible(in, out, size) ? weights : nullptr;
}

/// What alone follows a convolution, where that adds one value a channel.
std::shared_ptr<ov::op::v1::Add> bias_after(const ov::op::v1::Convolution& convolution, std::size_t channels) {
  const auto targets = convolution.output(0).get_target_inputs();
  if (targets.size() != 1) return nullptr;
  auto add = ov::as_type_ptr<ov::op::v1::Add>(targets.begin()->get_node()->shared_from_this());
  if (!add) return nullptr;
  const auto values = ov::as_type_ptr<ov::op::v0::Constant>(add->get_input_node_shared_ptr(1));
  const ov::Shape wanted{1, channels, 1, 1, 1};
  return values && values->get_element_type() == ov::element::f32 && values->get_shape() == wanted ? add : nullptr;
}

}  // namespace

void use_winograd(const std::shared_ptr<ov::Model>& model) {
  for (const std::shared_ptr<ov::Node>& node : model->get_ordered_ops()) {
    const auto convolution = ov::as_type_ptr<ov::op::v1::Convolution>(node);
    const auto weights = convolution ? weights_of(*convolution) : nullptr;
    if (!weights) continue;
    const std::size_t out = weights->get_shape()[0], in = weights->get_shape()[1];
    const auto add = bias_after(*convolution, out);
    std::vector<float> bias;
    if (add) bias = ov::as_type_ptr<ov::op::v0::Constant>(add->get_input_node_shared_ptr(1))->cast_vector<float>();
    const std::span values(weights->get_data_ptr<float>(), ov::shape_size(weights->get_shape()));
    const auto kernel = std::make_shared<const Winograd>(values, bias, static_cast<std::int64_t>(in), static_cast<std::int64_t>(out));
    const std::shared_ptr<ov::Node> replaced = add ? std::static_pointer_cast<ov::Node>(add) : node;
    const ov::Output<ov::Node> image = convolution->input_value(0);
    const bool last = in % 16 == 0 && !by_channels(image);
    const auto made = std::make_shared<WinogradOp>(last ? channels_to_end(image) : image, kernel, out, last);
    made->set_friendly_name(replaced->get_friendly_name());
    ov::replace_node(replaced, made);
  }
}

}  // namespace penta::nn
