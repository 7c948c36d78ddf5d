#include "nn/nnunet/card.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace penta::nn::nnunet {

namespace {

constexpr std::string_view image_axes = "zyx";

[[noreturn]] void refuse(const std::string& why) { throw Error(Code::bad_input, why); }

/// Lower-case letters and digits, everything else one '_'.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z', fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper) out += static_cast<char>(c - 'A' + 'a');
    else if (fits) out += c;
    else if (!out.empty() && out.back() != '_') out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

/// The image's axis (letter) that the network's axis `i` of three is; slices have the network's axes 1 and 2.
char letter_of(const Plan& plan, std::size_t i) { return image_axes[static_cast<std::size_t>(plan.transpose[i])]; }

/// Values of the network's axes along x, y, z of the image.
Json along_image(const Plan& plan, const std::array<Json, 3>& values) {
  std::array<Json, 3> turned;
  for (std::size_t i = 0; i < 3; ++i) turned[static_cast<std::size_t>(letter_of(plan, i) - 'x')] = values[i];
  Json list = Json::array();
  for (Json& value : turned) list.push(std::move(value));
  return list;
}

Json normalisation_of(const PlannedChannel& channel) {
  Json words = Json::object();
  if (channel.scheme == "CTNormalization") {
    words.set("kind", "ct").set("lower", channel.lower).set("upper", channel.upper);
    words.set("mean", channel.mean).set("deviation", channel.deviation);
  } else if (channel.scheme == "ZScoreNormalization") {
    words.set("kind", "zscore");
    if (channel.masked) words.set("where", "nonzero");
  } else if (channel.scheme == "RescaleTo01Normalization") {
    words.set("kind", "minmax");
  } else if (channel.scheme == "RGBTo01Normalization") {
    words.set("kind", "unit").set("scale", 255);
  } else {
    words.set("kind", "none");
  }
  return words;
}

std::vector<std::string> roles_of(const Plan& plan) {
  if (plan.channels.size() == 1) return {"image"};
  std::vector<std::string> roles;
  for (std::size_t c = 0; c < plan.channels.size(); ++c) {
    std::string role = plain(plan.channels[c].name);
    if (role.empty() || std::find(roles.begin(), roles.end(), role) != roles.end()) role += "channel_" + std::to_string(c);
    roles.push_back(std::move(role));
  }
  return roles;
}

Json input_of(const Plan& plan) {
  const bool slices = plan.architecture.dims == 2;
  Json input = Json::object();
  input.set("dims", 3).set("network_dims", plan.architecture.dims);
  input.set("axes", std::string{letter_of(plan, 0), letter_of(plan, 1), letter_of(plan, 2)});
  if (plan.reader == "NibabelIOWithReorient") input.set("orientation", "RAS");
  std::array<Json, 3> spacing, patch{Json(1), Json(1), Json(1)};
  for (std::size_t i = 0; i < plan.patch.size(); ++i) {
    spacing[i + (slices ? 1 : 0)] = plan.spacing_mm[i];
    patch[i + (slices ? 1 : 0)] = plan.patch[i];
  }
  input.set("spacing_mm", along_image(plan, spacing)).set("patch", along_image(plan, patch));
  input.set("resample", "cubic").set("separate_axis", true).set("normalise_first", true);
  Json crop = Json::object();
  crop.set("kind", "nonzero");
  input.set("crop", std::move(crop)).set("pad", "zero_centred").set("overlap", 0.5);
  Json channels = Json::array();
  const std::vector<std::string> roles = roles_of(plan);
  for (std::size_t c = 0; c < roles.size(); ++c) {
    Json channel = Json::object();
    channel.set("role", roles[c]).set("normalise", normalisation_of(plan.channels[c]));
    channels.push(std::move(channel));
  }
  return input.set("channels", std::move(channels));
}

Json network_of(const Plan& plan, const CardFacts& facts) {
  Json network = Json::object(), files = Json::array(), hashes = Json::array(), mirror = Json::array();
  for (const std::string& file : facts.files) files.push(file);
  for (const std::string& hash : facts.sha256) hashes.push(hash);
  network.set("files", std::move(files)).set("sha256", std::move(hashes)).set("precision", facts.precision);
  network.set("input", input_of(plan));
  Json output = Json::object(), classes = Json::array(), regions = Json::array();
  output.set("kind", "logits");
  for (const PlannedLabel& label : plan.labels) {
    classes.push(label.name);
    regions.push(label.value);
  }
  output.set("classes", std::move(classes));
  if (plan.regions) output.set("regions", std::move(regions));
  network.set("output", std::move(output));
  for (const int axis : facts.mirror_axes) {
    const auto own = static_cast<std::size_t>(axis) + (plan.architecture.dims == 2 ? 1U : 0U);
    if (own > 2) refuse("the checkpoint mirrors an axis that its network does not have");
    mirror.push(std::string(1, letter_of(plan, own)));
  }
  return network.set("mirror", std::move(mirror));
}

std::string shape_of(const Architecture& net) {
  std::string text = net.residual ? "ResidualEncoderUNet" : "PlainConvUNet";
  text += " " + std::to_string(net.dims) + "-D, features";
  for (const std::int64_t n : net.features) text += " " + std::to_string(n);
  return text;
}

Json inputs_of(const Plan& plan) {
  Json inputs = Json::array();
  const std::vector<std::string> roles = roles_of(plan);
  for (std::size_t c = 0; c < roles.size(); ++c) {
    Json input = Json::object();
    input.set("role", roles[c]).set("kind", "image").set("text", "channel " + std::to_string(c) + ": " + plan.channels[c].name);
    inputs.push(std::move(input));
  }
  return inputs;
}

Json list_of(std::string_view text) {
  Json list = Json::array();
  return list.push(text);
}

}  // namespace

std::string modality_of(const Plan& plan) {
  constexpr std::array<std::string_view, 18> magnetic{"mr", "mri", "t1", "t1w", "t1c", "t1ce", "t1gd", "t1n", "t2", "t2w", "t2f", "flair",
                                                      "adc", "dwi", "hbv", "pd", "cine", "swi"};
  std::vector<std::string> seen;
  for (const PlannedChannel& channel : plan.channels) {
    const std::string name = plain(channel.name);
    const std::string first = name.substr(0, name.find('_'));
    std::string found;
    if (channel.scheme == "CTNormalization" || first == "ct") found = "CT";
    else if (first == "pet" || first == "suv") found = "PET";
    else if (first == "spect") found = "SPECT";
    else if (first == "us" || first == "ultrasound") found = "US";
    else if (std::find(magnetic.begin(), magnetic.end(), first) != magnetic.end()) found = "MR";
    if (!found.empty()) seen.push_back(found);
  }
  return seen.size() == plan.channels.size() ? seen.front() : std::string();
}

std::string id_of(const Plan& plan, const std::string& modality) {
  std::string name = plan.dataset;
  if (name.rfind("Dataset", 0) == 0 && name.find('_') != std::string::npos) name = name.substr(name.find('_') + 1);
  name = plain(name);
  return plain(modality) + "." + (name.empty() ? "nnunet" : name);
}

Json card_of(const Plan& plan, const CardFacts& facts) {
  constexpr std::array<std::string_view, 4> readers{"", "SimpleITKIO", "NibabelIO", "NibabelIOWithReorient"};
  if (std::find(readers.begin(), readers.end(), plan.reader) == readers.end())
    refuse("the reader '" + plan.reader + "' of plans.json is not known here (volumes of SimpleITKIO, NibabelIO and "
           "NibabelIOWithReorient are)");
  Json card = Json::object(), outputs = Json::array(), output = Json::object(), gate = Json::object();
  card.set("id", facts.id).set("version", "1").set("task", "segmentation");
  const std::size_t labels = plan.labels.size() - (plan.regions ? 0 : 1);
  card.set("title", (plan.dataset.empty() ? "nnU-Net" : plan.dataset) + ": " + std::to_string(labels) + " labels, by an imported nnU-Net (" +
                        plan.configuration + ").");
  card.set("modalities", list_of(facts.modality)).set("inputs", inputs_of(plan));
  output.set("role", "labels").set("kind", "labels");
  outputs.push(std::move(output));
  card.set("outputs", std::move(outputs));
  gate.set("in_report", false).set("kinds", list_of("volume"));
  card.set("gate", std::move(gate));
  card.set("algorithm", "nnU-Net v2 (" + facts.trainer + ", " + plan.plans + ", " + plan.configuration + "), " +
                            std::to_string(facts.files.size()) + " folds: " + shape_of(plan.architecture));
  card.set("reference", "Isensee et al., Nature Methods 18, 203 (2021), doi:10.1038/s41592-020-01008-z");
  card.set("evidence_note", "Imported: trained elsewhere, and nothing was measured here.");
  card.set("weights_licence", facts.licence).set("origin", facts.origin);
  card.set("intended_use", "Research; what its makers say of it. Not a medical device.");
  card.set("known_failures", list_of("Images unlike those that it was trained on."));
  return card.set("network", network_of(plan, facts));
}

}  // namespace penta::nn::nnunet
