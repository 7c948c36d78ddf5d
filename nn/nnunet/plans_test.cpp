#include "nn/nnunet/plans.h"

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "nn/bundle.h"
#include "nn/nnunet/card.h"

namespace penta::nn::nnunet {
namespace {

// As nnU-Net 2.4 and later write them.
constexpr const char* plans_text = R"({
  "dataset_name": "Dataset004_Hippocampus", "plans_name": "nnUNetPlans", "image_reader_writer": "SimpleITKIO",
  "transpose_forward": [1, 0, 2], "transpose_backward": [1, 0, 2], "label_manager": "LabelManager",
  "configurations": {
    "2d": {"preprocessor_name": "DefaultPreprocessor", "patch_size": [56, 40], "spacing": [1.5, 2.5],
      "normalization_schemes": ["ZScoreNormalization"], "use_mask_for_norm": [false],
      "architecture": {"network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet", "arch_kwargs": {
        "n_stages": 2, "features_per_stage": [4, 8], "conv_op": "torch.nn.modules.conv.Conv2d", "kernel_sizes": 3,
        "strides": [1, 2], "n_conv_per_stage": 2, "n_conv_per_stage_decoder": 2, "conv_bias": true,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d", "norm_op_kwargs": {"eps": 1e-05, "affine": true},
        "dropout_op": null, "dropout_op_kwargs": null, "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": true}}}},
    "3d_fullres": {"preprocessor_name": "DefaultPreprocessor", "patch_size": [40, 56, 32], "spacing": [1.0, 2.0, 3.0],
      "normalization_schemes": ["ZScoreNormalization"], "use_mask_for_norm": [true],
      "resampling_fn_data": "resample_data_or_seg_to_shape", "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
      "resampling_fn_data_kwargs": {"is_seg": false, "order": 3, "order_z": 0, "force_separate_z": null},
      "resampling_fn_probabilities_kwargs": {"is_seg": false, "order": 1, "order_z": 0, "force_separate_z": null},
      "architecture": {"network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet", "arch_kwargs": {
        "n_stages": 3, "features_per_stage": [32, 64, 100], "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        "n_conv_per_stage": [2, 2, 2], "n_conv_per_stage_decoder": [2, 1], "conv_bias": true,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d", "norm_op_kwargs": {"eps": 1e-05, "affine": true},
        "dropout_op": null, "dropout_op_kwargs": null, "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": true}}}},
    "3d_lowres": {"inherits_from": "3d_fullres", "spacing": [2.0, 4.0, 6.0]},
    "3d_cascade_fullres": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
    "round": {"inherits_from": "round"}
  }})";

// The same network as 2.0 to 2.3 wrote it.
constexpr const char* old_words = R"("UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 32, "unet_max_num_features": 100,
  "n_conv_per_stage_encoder": [2, 2, 2], "n_conv_per_stage_decoder": [2, 1], "num_pool_per_axis": [1, 2, 2],
  "pool_op_kernel_sizes": [[1, 1, 1], [1, 2, 2], [2, 2, 2]], "conv_kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]]})";

constexpr const char* dataset_text = R"({"channel_names": {"0": "MRI"}, "file_ending": ".nii.gz", "numTraining": 4,
  "labels": {"background": 0, "Anterior": 1, "Posterior": 2, "ignore": 3}})";

Json with(Json json, std::string_view key, Json value) {
  json.set(key, std::move(value));
  return json;
}

/// The plans with members of one configuration changed.
Json changed(const std::string& configuration, const std::string& key, Json value) {
  Json plans = Json::parse(plans_text);
  const Json all = plans.at("configurations");
  return with(plans, "configurations", with(all, configuration, with(all.at(configuration), key, std::move(value))));
}
Json changed_net(const std::string& key, Json value) {
  const Json plans = Json::parse(plans_text);
  const Json& net = plans.at("configurations").at("3d_fullres").at("architecture");
  return changed("3d_fullres", "architecture", with(net, "arch_kwargs", with(net.at("arch_kwargs"), key, std::move(value))));
}

std::string fault_of(const Json& plans, const std::string& dataset = dataset_text, const std::string& name = "3d_fullres") {
  try {
    (void)plan_from(plans, Json::parse(dataset), name);
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::bad_input);
    return fault.what();
  }
  return "";
}

bool says(const std::string& fault, const std::string& words) { return fault.find(words) != std::string::npos; }

Plan plan_of(const std::string& name, const Json& plans = Json::parse(plans_text)) {
  return plan_from(plans, Json::parse(dataset_text), name);
}

TEST(Plans, PublishedWordsAreRead) {
  const Plan plan = plan_of("3d_fullres");
  EXPECT_EQ(plan.patch, (Axes{40, 56, 32}));
  EXPECT_EQ(plan.transpose, (std::array<int, 3>{1, 0, 2}));
  ASSERT_EQ(plan.labels.size(), 3U);  // the label to ignore is no class
  EXPECT_EQ(plan.labels[2].name, "Posterior");
  EXPECT_TRUE(plan.channels.at(0).masked);
  EXPECT_EQ(plan.architecture.features, (Axes{32, 64, 100}));
  EXPECT_EQ(plan.architecture.strides[1], (Axes{1, 2, 2}));
  EXPECT_EQ(plan_of("3d_lowres").spacing_mm, (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(plan_of("2d").architecture.kernels[1], (Axes{3, 3}));
}

// Twin: what ConfigurationManager of nnU-Net makes of plans without `architecture`.
TEST(Plans, OldOnesGiveTheSameNetwork) {
  Json plans = Json::parse(plans_text);
  Json old = Json::object();
  for (const auto& [key, value] : plans.at("configurations").at("3d_fullres").members())
    if (key != "architecture") old.set(key, value);
  const Json words = Json::parse("{" + std::string(old_words));
  for (const auto& [key, value] : words.members()) old.set(key, value);
  Json all = Json::object();
  plans.set("configurations", all.set("3d_fullres", old));
  const Architecture a = plan_of("3d_fullres", plans).architecture, b = plan_of("3d_fullres").architecture;
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.kernels, b.kernels);
  EXPECT_EQ(a.strides, b.strides);
  EXPECT_EQ(a.encoder, b.encoder);
  EXPECT_EQ(a.decoder, b.decoder);
  EXPECT_EQ(a.norm, b.norm);
  EXPECT_EQ(a.nonlinearity, b.nonlinearity);
  EXPECT_EQ(a.bias, b.bias);
  EXPECT_EQ(a.affine, b.affine);
}

TEST(Plans, WhatIsNotKnownIsNamed) {
  EXPECT_TRUE(says(fault_of(Json::parse(plans_text), dataset_text, "3d_cascade_fullres"), "is a cascade"));
  EXPECT_TRUE(says(fault_of(Json::parse(plans_text), dataset_text, "round"), "circle"));
  EXPECT_TRUE(says(fault_of(Json::parse(plans_text), dataset_text, "none"), "'none'"));
  EXPECT_TRUE(says(fault_of(changed("3d_fullres", "preprocessor_name", "MyPreprocessor")), "'MyPreprocessor'"));
  EXPECT_TRUE(says(fault_of(changed("3d_fullres", "resampling_fn_data", "resample_torch_fornnunet")), "'resample_torch_fornnunet'"));
  Json order = Json::object();
  EXPECT_TRUE(says(fault_of(changed("3d_fullres", "resampling_fn_data_kwargs", order.set("order", 1))), "order = 1"));
  EXPECT_TRUE(says(fault_of(changed_net("nonlin", "torch.nn.GELU")), "'GELU'"));
  EXPECT_TRUE(says(fault_of(changed_net("norm_op", "torch.nn.GroupNorm")), "'GroupNorm'"));
  EXPECT_TRUE(says(fault_of(changed_net("conv_op", "torch.nn.modules.conv.Conv2d")), "'Conv2d'"));
  EXPECT_TRUE(says(fault_of(changed_net("squeeze_excitation", true)), "'squeeze_excitation'"));
  EXPECT_TRUE(says(fault_of(changed_net("block", "x.BottleneckD")), "'BottleneckD'"));
  EXPECT_TRUE(says(fault_of(changed_net("strides", 0)), "'strides' is out of range"));
  Json net = Json::object();
  net.set("network_class_name", "x.MedNeXt").set("arch_kwargs", Json::object());
  EXPECT_TRUE(says(fault_of(changed("3d_fullres", "architecture", net)), "'MedNeXt'"));
  EXPECT_TRUE(says(fault_of(changed("3d_fullres", "normalization_schemes", Json::Array{Json("Magic")})), "'Magic'"));
}

TEST(Plans, LabelsAndRegions) {
  const auto dataset = [](const std::string& rest) { return R"({"channel_names": {"0": "MRI"}, )" + rest + "}"; };
  EXPECT_TRUE(says(fault_of(Json::parse(plans_text), dataset(R"("labels": {"background": 0, "a": 2})")), "leave out 1"));
  EXPECT_TRUE(says(fault_of(Json::parse(plans_text), dataset(R"("labels": {"background": 0, "w": [1, 2], "c": 2})")), "regions_class_order"));
  const Plan plan = plan_from(Json::parse(plans_text), Json::parse(dataset(
      R"("labels": {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}, "regions_class_order": [1, 2])")), "3d_fullres");
  ASSERT_EQ(plan.labels.size(), 2U);
  EXPECT_TRUE(plan.regions);
  EXPECT_EQ(plan.labels[0].name, "whole");  // the order of the file
  EXPECT_EQ(plan.labels[1].value, 2);
  EXPECT_TRUE(says(fault_of(Json::parse(plans_text), R"({"channel_names": {"0": "a", "1": "b"}, "labels": {"background": 0, "a": 1}})"),
                   "names 2 channels"));
}

TEST(Card, AxesAreThoseOfTheImage) {
  CardFacts facts;
  facts.id = "mr.hippocampus";
  facts.modality = "MR";
  facts.licence = "CC0-1.0";
  facts.files = {"fold_0.xml"};
  facts.sha256 = {std::string(64, '0')};
  facts.mirror_axes = {0};
  // The network's slowest axis is the image's y: transpose_forward [1, 0, 2] of (z, y, x).
  const Bundle bundle = bundle_from(card_of(plan_of("3d_fullres"), facts).dump());
  EXPECT_EQ(bundle.network.input.axes, (std::array<int, 3>{0, 2, 1}));
  EXPECT_EQ(bundle.network.input.spacing_mm, (Vector3{3, 2, 1}));  // along the network's x, y, z
  EXPECT_EQ(bundle.network.input.patch, (Size3{32, 56, 40}));
  EXPECT_EQ(bundle.network.mirror, std::vector<int>{2});
  EXPECT_EQ(bundle.network.segments.size(), 2U);
  EXPECT_EQ(modality_of(plan_of("3d_fullres")), "MR");
  EXPECT_EQ(id_of(plan_of("3d_fullres"), "MR"), "mr.hippocampus");
  const Bundle slices = bundle_from(card_of(plan_of("2d"), facts).dump());
  EXPECT_EQ(slices.network.input.patch, (Size3{40, 56, 1}));
  EXPECT_EQ(slices.network.mirror, std::vector<int>{1});
}

}  // namespace
}  // namespace penta::nn::nnunet
