#include "nn/nnunet/graph.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset8.hpp>
#include <openvino/pass/serialize.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"

namespace penta::nn::nnunet {

namespace {

namespace op = ov::opset8;
using Value = ov::Output<ov::Node>;

/// Makes the layers one after the other, each named as PyTorch names its weights.
class Builder {
 public:
  Builder(const Plan& plan, const Checkpoint& fold) : net_(plan.architecture), fold_(fold) {
    const auto channels = static_cast<std::int64_t>(plan.channels.size());
    std::vector<ov::Dimension> shape(static_cast<std::size_t>(net_.dims) + 2, ov::Dimension::dynamic());
    shape[1] = channels;
    const auto input = std::make_shared<op::Parameter>(ov::element::f32, ov::PartialShape(shape));
    (void)named(input, "image");
    const std::vector<Value> skips = encoder(input, channels);
    const Value logits = decoder(skips, static_cast<std::int64_t>(plan.labels.size()));
    check_all_used();
    const auto result = std::make_shared<op::Result>(logits);
    (void)named(result, "result");
    model_ = std::make_shared<ov::Model>(ov::ResultVector{result}, ov::ParameterVector{input}, "nnunet");
    model_->output(0).set_names({"logits"});
    model_->input(0).set_names({"image"});
  }
  [[nodiscard]] const std::shared_ptr<ov::Model>& model() const { return model_; }

 private:
  static Value named(const std::shared_ptr<ov::Node>& node, const std::string& name) {
    node->set_friendly_name(name);
    return node->output(0);
  }
  Value weights(const std::string& key, const std::vector<std::int64_t>& shape, const ov::Shape& as) {
    used_.insert(key);
    const std::vector<float> values = fold_.values(key, shape);
    return named(std::make_shared<op::Constant>(ov::element::f32, as, values), key);
  }
  Value numbers(const std::string& name, const std::vector<std::int64_t>& values) {
    return named(op::Constant::create(ov::element::i64, {values.size()}, values), name);
  }
  /// [1, channels, 1, 1(, 1)]: one value a channel.
  [[nodiscard]] ov::Shape channel_shape(std::int64_t channels) const {
    ov::Shape shape(static_cast<std::size_t>(net_.dims) + 2, 1);
    shape[1] = static_cast<std::size_t>(channels);
    return shape;
  }
  static ov::Shape shape_of(const std::vector<std::int64_t>& shape) { return {shape.begin(), shape.end()}; }

  Value with_bias(Value x, const std::string& key, std::int64_t channels, bool bias) {
    if (!bias) return x;
    const Value b = weights(key + ".bias", {channels}, channel_shape(channels));
    return named(std::make_shared<op::Add>(x, b), key + ".plus_bias");
  }

  /// torch.nn.ConvNd with padding (kernel - 1) / 2.
  Value convolution(Value x, const std::string& key, std::int64_t in, std::int64_t out, const Axes& kernel,
                    const Axes& stride, bool bias) {
    std::vector<std::int64_t> shape{out, in};
    shape.insert(shape.end(), kernel.begin(), kernel.end());
    ov::CoordinateDiff padding;
    for (const std::int64_t k : kernel) padding.push_back((k - 1) / 2);
    const Value w = weights(key + ".weight", shape, shape_of(shape));
    x = named(std::make_shared<op::Convolution>(x, w, ov::Strides(stride.begin(), stride.end()), padding, padding,
                                                ov::Strides(kernel.size(), 1)), key);
    return with_bias(x, key, out, bias);
  }

  /// torch.nn.ConvTransposeNd whose kernel is its stride.
  Value transposed(Value x, const std::string& key, std::int64_t in, std::int64_t out, const Axes& stride) {
    std::vector<std::int64_t> shape{in, out};
    shape.insert(shape.end(), stride.begin(), stride.end());
    const ov::CoordinateDiff padding(stride.size(), 0);
    const Value w = weights(key + ".weight", shape, shape_of(shape));
    x = named(std::make_shared<op::ConvolutionBackpropData>(x, w, ov::Strides(stride.begin(), stride.end()), padding,
                                                            padding, ov::Strides(stride.size(), 1)), key);
    return with_bias(x, key, out, net_.bias);
  }

  /// Instance norm: (x - mean) / sqrt(variance + eps) over the voxels of a channel; batch norm: with the kept statistics.
  Value norm(Value x, const std::string& key, std::int64_t channels) {
    if (net_.norm == Architecture::Norm::none) return x;
    if (net_.norm == Architecture::Norm::instance) {
      std::vector<std::int64_t> axes;
      for (int k = 0; k < net_.dims; ++k) axes.push_back(k + 2);
      x = named(std::make_shared<op::MVN>(x, numbers(key + ".axes", axes), true, static_cast<float>(net_.eps),
                                          ov::op::MVNEpsMode::INSIDE_SQRT), key);
      if (!net_.affine) return x;
      return scaled(x, key, weights(key + ".weight", {channels}, channel_shape(channels)),
                    weights(key + ".bias", {channels}, channel_shape(channels)));
    }
    std::vector<float> scale(static_cast<std::size_t>(channels), 1), shift(scale.size(), 0);
    if (net_.affine) {
      scale = taken(key + ".weight", channels);
      shift = taken(key + ".bias", channels);
    }
    const std::vector<float> mean = taken(key + ".running_mean", channels), variance = taken(key + ".running_var", channels);
    for (std::size_t c = 0; c < scale.size(); ++c) {
      scale[c] = static_cast<float>(static_cast<double>(scale[c]) / std::sqrt(static_cast<double>(variance[c]) + net_.eps));
      shift[c] -= mean[c] * scale[c];
    }
    const ov::Shape shape = channel_shape(channels);
    return scaled(x, key, named(std::make_shared<op::Constant>(ov::element::f32, shape, scale), key + ".scale"),
                  named(std::make_shared<op::Constant>(ov::element::f32, shape, shift), key + ".shift"));
  }
  std::vector<float> taken(const std::string& key, std::int64_t channels) {
    used_.insert(key);
    return fold_.values(key, {channels});
  }
  static Value scaled(const Value& x, const std::string& key, const Value& scale, const Value& shift) {
    const Value product = named(std::make_shared<op::Multiply>(x, scale), key + ".scaled");
    return named(std::make_shared<op::Add>(product, shift), key + ".shifted");
  }

  Value nonlinearity(const Value& x, const std::string& key) {
    using Kind = Architecture::Nonlinearity;
    if (net_.nonlinearity == Kind::none) return x;
    if (net_.nonlinearity == Kind::relu) return named(std::make_shared<op::Relu>(x), key + ".nonlin");
    const Value slope = named(op::Constant::create(ov::element::f32, {1}, {static_cast<float>(net_.slope)}), key + ".slope");
    return named(std::make_shared<op::PRelu>(x, slope), key + ".nonlin");
  }

  /// ConvDropoutNormReLU; dropout does nothing when predicting.
  Value block(Value x, const std::string& key, std::int64_t in, std::int64_t out, const Axes& kernel, const Axes& stride,
              bool bias, bool bent) {
    x = convolution(x, key + ".conv", in, out, kernel, stride, bias);
    x = norm(x, key + ".norm", out);
    return bent ? nonlinearity(x, key) : x;
  }

  /// StackedConvBlocks: the first has the stride.
  Value stack(Value x, const std::string& key, std::int64_t count, std::int64_t in, std::int64_t out, const Axes& kernel,
              const Axes& stride) {
    const Axes one(stride.size(), 1);
    for (std::int64_t i = 0; i < count; ++i)
      x = block(x, key + ".convs." + std::to_string(i), i == 0 ? in : out, out, kernel, i == 0 ? stride : one, net_.bias, true);
    return x;
  }

  /// BasicBlockD (He et al. 2019, ResNet-D): the skip is averaged over the stride, and a 1 x 1 convolution where the
  /// number of channels changes.
  Value residual(Value x, const std::string& key, std::int64_t in, std::int64_t out, const Axes& kernel, const Axes& stride) {
    const Axes one(stride.size(), 1);
    Value skip = x;
    int place = 0;
    if (stride != one) {
      const ov::Shape none(stride.size(), 0);
      skip = named(std::make_shared<op::AvgPool>(skip, ov::Strides(stride.begin(), stride.end()), none, none,
                                                 shape_of(stride), true), key + ".skip.0");
      ++place;
    }
    if (in != out) skip = block(skip, key + ".skip." + std::to_string(place), in, out, one, one, false, false);
    x = block(x, key + ".conv1", in, out, kernel, stride, net_.bias, true);
    x = block(x, key + ".conv2", out, out, kernel, one, net_.bias, false);
    return nonlinearity(named(std::make_shared<op::Add>(x, skip), key + ".sum"), key);
  }

  std::vector<Value> encoder(Value x, std::int64_t channels) {
    const Axes one(static_cast<std::size_t>(net_.dims), 1);
    if (net_.residual) {
      x = stack(x, "encoder.stem", 1, channels, net_.stem, net_.kernels[0], one);
      channels = net_.stem;
    }
    std::vector<Value> skips;
    for (std::size_t s = 0; s < net_.features.size(); ++s) {
      const std::string key = "encoder.stages." + std::to_string(s);
      if (!net_.residual)
        x = stack(x, key + ".0", net_.encoder[s], channels, net_.features[s], net_.kernels[s], net_.strides[s]);
      for (std::int64_t b = 0; net_.residual && b < net_.encoder[s]; ++b)
        x = residual(x, key + ".blocks." + std::to_string(b), b == 0 ? channels : net_.features[s], net_.features[s],
                     net_.kernels[s], b == 0 ? net_.strides[s] : one);
      channels = net_.features[s];
      skips.push_back(x);
    }
    return skips;
  }

  Value decoder(const std::vector<Value>& skips, std::int64_t classes) {
    const Axes one(static_cast<std::size_t>(net_.dims), 1);
    Value x = skips.back();
    for (std::size_t s = 0; s + 1 < skips.size(); ++s) {
      const std::size_t below = skips.size() - 1 - s, level = below - 1;
      const std::int64_t features = net_.features[level];
      const std::string number = std::to_string(s);
      x = transposed(x, "decoder.transpconvs." + number, net_.features[below], features, net_.strides[below]);
      x = named(std::make_shared<op::Concat>(ov::OutputVector{x, skips[level]}, 1), "decoder.joined." + number);
      x = stack(x, "decoder.stages." + number, net_.decoder[s], 2 * features, features, net_.kernels[level], one);
    }
    const std::string last = "decoder.seg_layers." + std::to_string(skips.size() - 2);
    return convolution(x, last, net_.features[0], classes, one, one, true);
  }

  /// Weights that no layer took mean another network than the plans say. Copies under other names, the heads of coarser
  /// resolutions and the counters of batch norm are known.
  void check_all_used() const {
    for (const auto& [key, weight] : fold_.weights()) {
      const bool known = used_.count(key) > 0 || key.rfind("decoder.encoder.", 0) == 0 ||
                         key.find(".all_modules.") != std::string::npos || key.rfind("decoder.seg_layers.", 0) == 0 ||
                         (key.size() > 20 && key.compare(key.size() - 20, 20, ".num_batches_tracked") == 0);
      if (!known)
        throw Error(Code::bad_input, "the weight '" + key + "' of the checkpoint belongs to no layer of the plans: the trainer '" +
                                         fold_.trainer() + "' made another network");
    }
  }

  const Architecture& net_;
  const Checkpoint& fold_;
  std::set<std::string> used_;
  std::shared_ptr<ov::Model> model_;
};

}  // namespace

NetworkFiles build_network(const Plan& plan, const Checkpoint& fold) {
  try {
    const Builder builder(plan, fold);
    std::ostringstream xml, bin;
    ov::pass::Serialize(xml, bin).run_on_model(builder.model());
    return {xml.str(), bin.str()};
  } catch (const Error&) {
    throw;
  } catch (const std::exception& fault) {
    throw Error(Code::bad_input, std::string("building the network of the plans: ") + fault.what());
  }
}

}  // namespace penta::nn::nnunet
