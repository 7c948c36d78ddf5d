#include "nn/nnunet/plans.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "core/error.h"
#include "nn/nnunet/architecture.h"

namespace penta::nn::nnunet {

namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(Code::bad_input, why); }

const Json* given(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

/// A configuration with everything that it inherits.
Json resolved(const Json& configurations, const std::string& name, int depth = 0) {
  const Json* own = configurations.find(name);
  if (own == nullptr) refuse("plans.json has no configuration '" + name + "'");
  const Json* parent = given(*own, "inherits_from");
  if (parent == nullptr) return *own;
  if (depth > 16) refuse("the configuration '" + name + "' of plans.json inherits in a circle");
  Json whole = resolved(configurations, parent->text(), depth + 1);
  for (const auto& [key, value] : own->members()) whole.set(key, value);
  return whole;
}

std::vector<double> numbers_of(const Json& configuration, std::string_view key) {
  std::vector<double> out;
  for (const Json& item : configuration.at(key).items()) {
    out.push_back(item.number());
    if (!(out.back() > 0 && out.back() < 1e6)) refuse("'" + std::string(key) + "' of plans.json is out of range");
  }
  if (out.size() != 2 && out.size() != 3) refuse("'" + std::string(key) + "' of plans.json has not two or three numbers");
  return out;
}

std::array<int, 3> transpose_of(const Json& plans) {
  std::array<int, 3> axes{0, 1, 2};
  const Json* list = given(plans, "transpose_forward");
  if (list == nullptr) return axes;
  if (list->items().size() != 3) refuse("'transpose_forward' of plans.json has not three axes");
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t axis = list->items()[i].integer();
    if (axis < 0 || axis > 2 || !seen.insert(axis).second) refuse("'transpose_forward' of plans.json does not name each axis once");
    axes[i] = static_cast<int>(axis);
  }
  if (const Json* back = given(plans, "transpose_backward"))
    for (std::size_t i = 0; i < 3; ++i)
      if (back->items().size() != 3 || back->items()[static_cast<std::size_t>(axes[i])].integer() != static_cast<std::int64_t>(i))
        refuse("'transpose_backward' of plans.json is not the inverse of 'transpose_forward'");
  return axes;
}

/// Only the function of nnU-Net's default planner, with its default numbers, is known here.
void check_resampling(const Json& configuration, const std::string& of, double order) {
  const Json* name = given(configuration, "resampling_fn_" + of);
  if (name == nullptr) return;
  if (name->text() != "resample_data_or_seg_to_shape") refuse("the resampling of " + of + " '" + name->text() + "' is not known here");
  const Json* words = given(configuration, "resampling_fn_" + of + "_kwargs");
  if (words == nullptr) return;
  for (const auto& [key, value] : words->members()) {
    const bool right = key == "is_seg"              ? value.is_bool() && !value.boolean()
                       : key == "order"             ? value.is_number() && value.number() == order
                       : key == "order_z"           ? value.is_number() && value.number() == 0
                       : key == "force_separate_z"  ? value.is_null()
                       : key == "separate_z_anisotropy_threshold" ? value.is_number() && value.number() == 3
                                                                  : false;
    if (!right) refuse("the resampling of " + of + " with " + key + " = " + value.dump(-1) + " is not known here");
  }
}

const Json& channel_names_of(const Json& dataset) {
  const Json* names = given(dataset, "channel_names");
  if (names == nullptr) names = given(dataset, "modality");
  if (names == nullptr) refuse("dataset.json has no 'channel_names'");
  return *names;
}

void read_foreground(const Json& plans, const std::string& key, PlannedChannel& channel) {
  const Json* all = given(plans, "foreground_intensity_properties_per_channel");
  if (all == nullptr) all = given(plans, "foreground_intensity_properties_by_modality");
  if (all == nullptr) refuse("plans.json has no 'foreground_intensity_properties_per_channel', which CTNormalization needs");
  const Json& own = all->at(key);
  channel.mean = own.at("mean").number();
  channel.deviation = std::max(own.at("std").number(), 1e-8);
  channel.lower = own.at("percentile_00_5").number();
  channel.upper = own.at("percentile_99_5").number();
  if (!(channel.lower < channel.upper)) refuse("the foreground percentiles of channel " + key + " of plans.json are not in order");
}

std::vector<PlannedChannel> channels_of(const Json& plans, const Json& dataset, const Json& configuration) {
  constexpr std::array<std::string_view, 5> known{"CTNormalization", "ZScoreNormalization", "NoNormalization",
                                                  "RescaleTo01Normalization", "RGBTo01Normalization"};
  const Json::Array& schemes = configuration.at("normalization_schemes").items();
  const Json::Array& masks = configuration.at("use_mask_for_norm").items();
  const Json& names = channel_names_of(dataset);
  const std::size_t count = names.is_array() ? names.items().size() : names.members().size();
  if (count == 0 || count > 64 || schemes.size() != count || masks.size() != count)
    refuse("dataset.json names " + std::to_string(count) + " channels, and plans.json normalises " + std::to_string(schemes.size()));
  std::vector<PlannedChannel> channels(count);
  for (std::size_t c = 0; c < count; ++c) {
    const std::string key = std::to_string(c);
    channels[c].name = names.is_array() ? names.items()[c].text() : names.at(key).text();
    channels[c].scheme = schemes[c].text();
    channels[c].masked = masks[c].boolean();
    if (std::find(known.begin(), known.end(), channels[c].scheme) == known.end())
      refuse("the normalisation '" + channels[c].scheme + "' of channel " + key + " is not known here");
    if (channels[c].scheme == "CTNormalization") read_foreground(plans, key, channels[c]);
  }
  return channels;
}

int label_value(const Json& value, const std::string& name) {
  std::int64_t label = -1;
  if (value.is_string()) {
    const std::string& text = value.text();
    (void)std::from_chars(text.data(), text.data() + text.size(), label);
  } else {
    label = value.integer();
  }
  if (label < 0 || label > 65535) refuse("the label '" + name + "' of dataset.json is out of range");
  return static_cast<int>(label);
}

bool is_background(const Json& value, const std::string& name) {
  if (!value.is_array()) return label_value(value, name) == 0;
  return std::all_of(value.items().begin(), value.items().end(), [&](const Json& v) { return label_value(v, name) == 0; });
}

/// As LabelManager has it: a region is a list of more than one label; the label to ignore is no class.
void read_labels(const Json& dataset, Plan& plan) {
  const Json::Object& labels = dataset.at("labels").members();
  for (const auto& [name, value] : labels) plan.regions = plan.regions || (value.is_array() && value.items().size() > 1);
  std::vector<PlannedLabel> found;
  std::set<int> values;
  for (const auto& [name, value] : labels) {
    if (name == "ignore" || (plan.regions && is_background(value, name))) continue;
    const int label = plan.regions ? 0 : label_value(value.is_array() ? value.items().at(0) : value, name);
    if (!plan.regions && !values.insert(label).second) refuse("two labels of dataset.json have the value " + std::to_string(label));
    found.push_back({name, label});
  }
  if (plan.regions) {
    const Json* order = given(dataset, "regions_class_order");
    if (order == nullptr || order->items().size() != found.size())
      refuse("'regions_class_order' of dataset.json has not one value for each of its " + std::to_string(found.size()) + " regions");
    for (std::size_t i = 0; i < found.size(); ++i) found[i].value = label_value(order->items()[i], found[i].name);
  } else {
    std::sort(found.begin(), found.end(), [](const PlannedLabel& a, const PlannedLabel& b) { return a.value < b.value; });
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i].value != static_cast<int>(i)) refuse("the labels of dataset.json leave out " + std::to_string(i));
  }
  if (found.size() < (plan.regions ? 1U : 2U) || found.size() > 1000) refuse("dataset.json names no label, or more than 1000");
  plan.labels = std::move(found);
}

}  // namespace

std::vector<std::string> configurations_of(const Json& plans) {
  std::vector<std::string> names;
  for (const auto& [name, value] : plans.at("configurations").members()) names.push_back(name);
  return names;
}

Plan plan_from(const Json& plans, const Json& dataset, const std::string& configuration) {
  const Json own = resolved(plans.at("configurations"), configuration);
  if (given(own, "previous_stage") != nullptr)
    refuse("the configuration '" + configuration + "' is a cascade: it wants the labels of '" + own.at("previous_stage").text() +
           "' too, which is not known here");
  Plan plan;
  plan.dataset = plans.text_or("dataset_name", "");
  plan.plans = plans.text_or("plans_name", "");
  plan.configuration = configuration;
  plan.reader = plans.text_or("image_reader_writer", "");
  const std::string preprocessor = own.text_or("preprocessor_name", "DefaultPreprocessor");
  if (preprocessor != "DefaultPreprocessor") refuse("the preprocessor '" + preprocessor + "' of plans.json is not known here");
  if (const std::string manager = plans.text_or("label_manager", "LabelManager"); manager != "LabelManager")
    refuse("the label manager '" + manager + "' of plans.json is not known here");
  plan.spacing_mm = numbers_of(own, "spacing");
  for (const double n : numbers_of(own, "patch_size")) plan.patch.push_back(static_cast<std::int64_t>(n));
  if (plan.patch.size() != plan.spacing_mm.size()) refuse("'spacing' and 'patch_size' of plans.json have not as many axes");
  for (const std::int64_t n : plan.patch)
    if (n < 1 || n > 4096) refuse("'patch_size' of plans.json is out of range");
  plan.transpose = transpose_of(plans);
  check_resampling(own, "data", 3);
  check_resampling(own, "probabilities", 1);
  plan.channels = channels_of(plans, dataset, own);
  read_labels(dataset, plan);
  plan.architecture = architecture_from(own, static_cast<int>(plan.patch.size()));
  return plan;
}

}  // namespace penta::nn::nnunet
