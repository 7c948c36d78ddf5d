#include "nn/nnunet/architecture.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace penta::nn::nnunet {

namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(Code::bad_input, "the architecture of plans.json: " + why); }

const Json* given(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

std::int64_t count_of(const Json& value, std::string_view key, std::int64_t most) {
  const std::int64_t n = value.integer();
  if (n < 1 || n > most) refuse("'" + std::string(key) + "' is out of range");
  return n;
}

/// One number a stage; a number alone holds for all.
std::vector<std::int64_t> per_stage(const Json& words, std::string_view key, std::size_t stages, std::int64_t most) {
  const Json& value = words.at(key);
  if (!value.is_array()) return std::vector<std::int64_t>(stages, count_of(value, key, most));
  if (value.items().size() != stages)
    refuse("'" + std::string(key) + "' has not " + std::to_string(stages) + " entries");
  std::vector<std::int64_t> out;
  for (const Json& item : value.items()) out.push_back(count_of(item, key, most));
  return out;
}

/// One number an axis and stage; a number for a stage, or for all, holds for its axes.
std::vector<Axes> axes_per_stage(const Json& words, std::string_view key, std::size_t stages, int dims) {
  const auto axes = static_cast<std::size_t>(dims);
  constexpr std::int64_t most = 31;
  const Json& value = words.at(key);
  if (!value.is_array()) return std::vector<Axes>(stages, Axes(axes, count_of(value, key, most)));
  if (value.items().size() != stages)
    refuse("'" + std::string(key) + "' has not " + std::to_string(stages) + " entries");
  std::vector<Axes> out;
  for (const Json& item : value.items()) {
    if (!item.is_array()) {
      out.emplace_back(axes, count_of(item, key, most));
      continue;
    }
    if (item.items().size() != axes) refuse("'" + std::string(key) + "' has not " + std::to_string(dims) + " axes");
    Axes& stage = out.emplace_back();
    for (const Json& n : item.items()) stage.push_back(count_of(n, key, most));
  }
  return out;
}

/// "torch.nn.modules.conv.Conv3d" -> "Conv3d"
std::string last_name(const std::string& path) { return path.substr(path.rfind('.') + 1); }

void read_operators(const Json& words, Architecture& net) {
  const std::string dims = std::to_string(net.dims) + "d";
  const std::string conv = last_name(words.text_or("conv_op", "Conv" + dims));
  if (conv != "Conv" + dims) refuse("the operator '" + conv + "' is not known here (Conv" + dims + " is)");
  const Json* norm = given(words, "norm_op");
  const Json empty = Json::object();
  const Json* norm_words = given(words, "norm_op_kwargs") != nullptr ? given(words, "norm_op_kwargs") : &empty;
  if (norm != nullptr) {
    const std::string name = last_name(norm->text());
    if (name != "InstanceNorm" + dims && name != "BatchNorm" + dims) refuse("the operator '" + name + "' is not known here");
    net.norm = name.front() == 'I' ? Architecture::Norm::instance : Architecture::Norm::batch;
    net.affine = net.norm == Architecture::Norm::batch;
    for (const auto& [key, value] : norm_words->members()) {
      if (key == "eps") net.eps = value.number();
      else if (key == "affine") net.affine = value.boolean();
      else if (key == "track_running_stats" && value.boolean() == (net.norm == Architecture::Norm::batch)) continue;
      else if (key != "momentum") refuse("'" + key + "' of '" + name + "' is not known here");
    }
    if (!(net.eps >= 0 && net.eps < 1)) refuse("'eps' is out of range");
  }
  const Json* nonlinearity = given(words, "nonlin");
  if (nonlinearity == nullptr) return;
  const std::string name = last_name(nonlinearity->text());
  if (name != "LeakyReLU" && name != "ReLU") refuse("the operator '" + name + "' is not known here");
  net.nonlinearity = name == "ReLU" ? Architecture::Nonlinearity::relu : Architecture::Nonlinearity::leaky_relu;
  if (const Json* how = given(words, "nonlin_kwargs")) net.slope = how->number_or("negative_slope", 0.01);
}

void refuse_other(const Json& words) {
  if (const Json* block = given(words, "block"); block != nullptr && last_name(block->text()) != "BasicBlockD")
    refuse("the block '" + last_name(block->text()) + "' is not known here (BasicBlockD is)");
  if (given(words, "bottleneck_channels") != nullptr) refuse("'bottleneck_channels' is not known here");
  if (const Json* first = given(words, "nonlin_first"); first != nullptr && first->boolean())
    refuse("'nonlin_first' is not known here");
  constexpr std::array<std::string_view, 20> known{
      "n_stages", "features_per_stage", "conv_op", "kernel_sizes", "strides", "n_conv_per_stage", "n_blocks_per_stage",
      "n_conv_per_stage_decoder", "conv_bias", "norm_op", "norm_op_kwargs", "dropout_op", "dropout_op_kwargs", "nonlin",
      "nonlin_kwargs", "deep_supervision", "nonlin_first", "block", "bottleneck_channels", "stem_channels"};
  for (const auto& [key, value] : words.members())
    if (std::find(known.begin(), known.end(), key) == known.end()) refuse("'" + key + "' is not known here");
}

Architecture read(const std::string& network, const Json& words, int dims) {
  Architecture net;
  net.dims = dims;
  const std::string name = last_name(network);
  if (name != "PlainConvUNet" && name != "ResidualEncoderUNet")
    refuse("the network '" + name + "' is not known here (PlainConvUNet and ResidualEncoderUNet are)");
  net.residual = name == "ResidualEncoderUNet";
  refuse_other(words);
  const auto stages = static_cast<std::size_t>(count_of(words.at("n_stages"), "n_stages", 16));
  if (stages < 2) refuse("it has one stage");
  net.features = per_stage(words, "features_per_stage", stages, 1 << 14);
  net.kernels = axes_per_stage(words, "kernel_sizes", stages, dims);
  net.strides = axes_per_stage(words, "strides", stages, dims);
  net.encoder = per_stage(words, net.residual ? "n_blocks_per_stage" : "n_conv_per_stage", stages, 256);
  net.decoder = per_stage(words, "n_conv_per_stage_decoder", stages - 1, 256);
  for (const Axes& kernel : net.kernels)
    for (const std::int64_t k : kernel)
      if (k % 2 == 0) refuse("a kernel of even size is not known here");
  if (const Json* bias = given(words, "conv_bias")) net.bias = bias->boolean();
  net.stem = given(words, "stem_channels") != nullptr ? count_of(words.at("stem_channels"), "stem_channels", 1 << 14) : net.features[0];
  read_operators(words, net);
  return net;
}

/// Plans before 2.4: what ConfigurationManager makes of them.
Architecture read_old(const Json& old, int dims) {
  const std::string& network = old.at("UNet_class_name").text();
  const std::size_t stages = old.at("n_conv_per_stage_encoder").items().size();
  Json words = Json::object();
  Json features = Json::array();
  std::int64_t width = count_of(old.at("UNet_base_num_features"), "UNet_base_num_features", 1 << 14);
  const std::int64_t most = count_of(old.at("unet_max_num_features"), "unet_max_num_features", 1 << 14);
  for (std::size_t s = 0; s < stages && s < 16; ++s, width *= 2) features.push(std::min(width, most));
  words.set("n_stages", stages).set("features_per_stage", std::move(features));
  words.set("kernel_sizes", old.at("conv_kernel_sizes")).set("strides", old.at("pool_op_kernel_sizes"));
  words.set(network == "ResidualEncoderUNet" ? "n_blocks_per_stage" : "n_conv_per_stage", old.at("n_conv_per_stage_encoder"));
  words.set("n_conv_per_stage_decoder", old.at("n_conv_per_stage_decoder")).set("conv_bias", true);
  Json norm = Json::object();
  norm.set("eps", 1e-5).set("affine", true);
  words.set("norm_op", "InstanceNorm" + std::to_string(dims) + "d").set("norm_op_kwargs", std::move(norm)).set("nonlin", "LeakyReLU");
  return read(network, words, dims);
}

}  // namespace

Architecture architecture_from(const Json& configuration, int dims) {
  const Json* given_words = given(configuration, "architecture");
  if (given_words == nullptr) return read_old(configuration, dims);
  return read(given_words->at("network_class_name").text(), given_words->at("arch_kwargs"), dims);
}

}  // namespace penta::nn::nnunet
