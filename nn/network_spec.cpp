#include "nn/network_spec.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "nn/spec_words.h"

namespace penta::nn {

namespace {

/// The network's own axes that are mirrored; a card names those of the (turned) image.
std::vector<int> mirror_from(const Json* json, const std::array<int, 3>& axes_of_network) {
  std::vector<int> axes;
  if (json == nullptr) return axes;
  for (const Json& item : json->items()) {
    const std::size_t at = std::string_view("xyz").find(item.text());
    if (item.text().size() != 1 || at == std::string_view::npos) refuse("'mirror' lists axes: x, y or z");
    const auto own = std::find(axes_of_network.begin(), axes_of_network.end(), static_cast<int>(at));
    axes.push_back(static_cast<int>(own - axes_of_network.begin()));
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

std::vector<Segment> segments_from(const Json& card, const NetworkSpec& spec) {
  const std::vector<std::string>& classes = spec.classes;
  std::vector<Segment> segments;
  const std::size_t first = classes.size() == 1 || !spec.regions.empty() ? 0 : 1;
  for (std::size_t c = first; c < classes.size(); ++c) {
    Segment segment;
    segment.value = spec.regions.empty() ? static_cast<int>(c - first) + 1 : spec.regions[c];
    segment.name = classes[c];
    segment.colour = label_colour(segment.value);
    segments.push_back(segment);
  }
  const Json* list = given(card, "segments");
  if (list == nullptr) return segments;
  for (const Json& item : list->items()) {
    const std::int64_t value = item.at("value").integer();
    const auto it = std::find_if(segments.begin(), segments.end(), [&](const Segment& s) { return s.value == value; });
    if (it == segments.end()) refuse("'segments' names the value " + std::to_string(value) + ", which no class has");
    it->name = item.text_or("name", it->name);
    if (const Json* code = given(item, "code"))
      it->type = {code->at("scheme").text(), code->at("value").text(), code->at("meaning").text()};
    const std::string side = item.text_or("side", "");
    it->side = side == "left" ? Side::left : side == "right" ? Side::right : Side::none;
  }
  return segments;
}

void read_output(const Json& json, NetworkSpec& spec) {
  const std::string kind = json.text_or("kind", "logits");
  if (kind != "logits" && kind != "probabilities") refuse("the output kind '" + kind + "' is not known here");
  spec.probabilities = kind == "probabilities";
  for (const Json& name : json.at("classes").items()) spec.classes.push_back(name.text());
  if (spec.classes.empty() || spec.classes.size() > 1000) refuse("'classes' needs 1 to 1000 names");
  if (const Json* names = given(json, "names"))
    spec.outputs = {names->text_or("logits", ""), names->text_or("ood", ""), names->text_or("cam", "")};
}

/// A card must not reach out of its own folder.
std::string plain_name(const std::string& file) {
  if (file.empty() || file.find('/') != std::string::npos || file.find("..") != std::string::npos)
    refuse("'file' must be a plain name");
  return file;
}

void read_files(const Json& network, NetworkSpec& spec) {
  if (const Json* list = given(network, "files")) {
    spec.files.clear();
    for (const Json& file : list->items()) spec.files.push_back(plain_name(file.text()));
    if (spec.files.empty() || spec.files.size() > 64) refuse("'files' needs 1 to 64 names");
  } else {
    spec.files = {plain_name(network.text_or("file", "model.onnx"))};
  }
  const Json& hash = network.at("sha256");
  if (hash.is_array())
    for (const Json& one : hash.items()) spec.sha256.push_back(one.text());
  else
    spec.sha256.push_back(hash.text());
  if (spec.sha256.size() != spec.files.size()) refuse("'sha256' needs one entry a file");
}

void read_keep(const Json& network, NetworkSpec& spec) {
  const std::string keep = given(network, "keep") != nullptr ? network.at("keep").text() : "";
  if (!keep.empty() && keep != "largest_component" && keep != "largest_component_filled")
    refuse("'keep' is '" + keep + "', which is not known here");
  spec.largest_component = !keep.empty();
  spec.fill_holes = keep == "largest_component_filled";
}

void read_regions(const Json& output, NetworkSpec& spec) {
  const Json* list = given(output, "regions");
  if (list == nullptr) return;
  for (const Json& label : list->items()) {
    const std::int64_t value = label.integer();
    if (value < 1 || value > 65535) refuse("'regions' lists labels of 1 to 65535");
    spec.regions.push_back(static_cast<int>(value));
  }
  if (spec.regions.size() != spec.classes.size()) refuse("'regions' needs one label a class");
}

void read_judgement(const Json& network, NetworkSpec& spec) {
  if (given(network, "temperature") != nullptr) spec.temperature = number_in(network, "temperature", 1, 1e-3, 1e3);
  if (const Json* ood = given(network, "ood")) spec.ood_threshold = ood->at("threshold").number();
  if (given(network, "abstain_below") != nullptr) spec.abstain_below = number_in(network, "abstain_below", 0, 0, 1);
  if (const Json* backbone = given(network, "backbone"))
    spec.backbone = BackboneSpec{backbone->at("id").text(), backbone->at("output").text()};
}

}  // namespace

NetworkSpec network_spec_from(const Json& card) {
  NetworkSpec spec;
  try {
    const Json& network = card.at("network");
    read_files(network, spec);
    spec.input = input_spec_from(network.at("input"));
    read_output(network.at("output"), spec);
    read_regions(network.at("output"), spec);
    spec.mirror = mirror_from(given(network, "mirror"), spec.input.axes);
    constexpr std::array<std::pair<std::string_view, Precision>, 2> precisions{{{"f32", Precision::f32}, {"bf16", Precision::bf16}}};
    spec.precision = choice(network, "precision", precisions, Precision::f32);
    spec.threshold = number_in(network, "threshold", 0.5, 1e-6, 1 - 1e-6);
    read_judgement(network, spec);
    read_keep(network, spec);
    if (const Json* list = given(network, "used_by"))
      for (const Json& key : list->items()) spec.used_by.push_back(key.text());
    spec.segments = segments_from(card, spec);
  } catch (const Error& fault) {
    rethrow_with(fault, "reading 'network' of the card of '" + card.text_or("id", "?") + "'");
  }
  return spec;
}

}  // namespace penta::nn
