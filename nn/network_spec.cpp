#include "nn/network_spec.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace penta::nn {

namespace {

const Json* given(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

[[noreturn]] void refuse(const std::string& sentence) { throw Error(Code::bad_input, sentence); }

double number_in(const Json& json, std::string_view key, double otherwise, double low, double high) {
  const Json* value = given(json, key);
  if (value == nullptr) return otherwise;
  const double number = value->number();
  if (!(number >= low && number <= high)) refuse("'" + std::string(key) + "' is out of range");
  return number;
}

template <std::size_t N>
std::optional<std::array<double, N>> numbers(const Json& json, std::string_view key, double low, double high) {
  const Json* list = given(json, key);
  if (list == nullptr) return std::nullopt;
  if (list->items().size() != N) refuse("'" + std::string(key) + "' needs " + std::to_string(N) + " numbers");
  std::array<double, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    out[i] = list->items()[i].number();
    if (!(out[i] >= low && out[i] <= high)) refuse("'" + std::string(key) + "' is out of range");
  }
  return out;
}

template <std::size_t N>
std::optional<std::array<std::int64_t, N>> counts(const Json& json, std::string_view key) {
  const auto values = numbers<N>(json, key, 1, 4096);
  if (!values) return std::nullopt;
  std::array<std::int64_t, N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::int64_t>((*values)[i]);
  return out;
}

template <class Choice, std::size_t N>
Choice choice(const Json& json, std::string_view key, const std::array<std::pair<std::string_view, Choice>, N>& names,
              Choice otherwise) {
  const Json* value = given(json, key);
  if (value == nullptr) return otherwise;
  for (const auto& [name, meaning] : names)
    if (value->text() == name) return meaning;
  refuse("'" + std::string(key) + "' is '" + value->text() + "', which is not known here");
}

Normalise normalise_from(const Json* json) {
  Normalise n;
  if (json == nullptr) return n;
  using Kind = Normalise::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 7> kinds{{{"none", Kind::none},
                                                                    {"percentile_zscore", Kind::percentile_zscore},
                                                                    {"percentile_unit", Kind::percentile_unit},
                                                                    {"zscore", Kind::zscore},
                                                                    {"minmax", Kind::minmax},
                                                                    {"unit", Kind::unit},
                                                                    {"window", Kind::window}}};
  n.kind = choice(*json, "kind", kinds, Kind::none);
  const bool percentiles = n.kind == Kind::percentile_zscore || n.kind == Kind::percentile_unit;
  const double low = percentiles ? 0 : -1e9, high = percentiles ? 100 : 1e9;
  n.lower = number_in(*json, "lower", 0, low, high);
  n.upper = number_in(*json, "upper", 100, low, high);
  if (!(n.lower < n.upper)) refuse("'lower' must be below 'upper'");
  n.scale = number_in(*json, "scale", 1, 1e-9, 1e9);
  return n;
}

InputSpec input_from(const Json& json) {
  InputSpec input;
  input.dims = static_cast<int>(number_in(json, "dims", 3, 2, 3));
  const std::string axes = json.text_or("axes", input.dims == 3 ? "zyx" : "yx");
  if (axes != (input.dims == 3 ? "zyx" : "yx")) refuse("'axes' is '" + axes + "': only zyx and yx are known here");
  if (const Json* orientation = given(json, "orientation")) input.orientation = orientation->text();
  input.spacing_mm = numbers<3>(json, "spacing_mm", 1e-3, 1e3);
  constexpr std::array<std::pair<std::string_view, Resampling>, 2> resamplings{
      {{"linear", Resampling::linear}, {"area", Resampling::area}}};
  input.resampling = choice(json, input.dims == 3 ? "resample" : "resize", resamplings,
                            input.dims == 3 ? Resampling::linear : Resampling::area);
  if (input.dims == 2) input.size = counts<2>(json, "size");
  if (const Json* crop = given(json, "crop")) {
    if (input.dims != 2 || crop->at("kind").text() != "content_box") refuse("'crop' is known for pictures as content_box");
    input.content_box = ContentBox{crop->at("level").number(), crop->at("share").number()};
  }
  input.pad_multiple = static_cast<std::int64_t>(number_in(json, "pad_multiple", 1, 1, 1024));
  constexpr std::array<std::pair<std::string_view, Padding>, 2> paddings{{{"edge", Padding::edge}, {"zero", Padding::zero}}};
  input.padding = choice(json, "pad", paddings, Padding::edge);
  if (input.dims == 3) input.patch = counts<3>(json, "patch");
  input.normalise = normalise_from(given(json, "normalise"));
  return input;
}

std::vector<int> mirror_from(const Json* json) {
  std::vector<int> axes;
  if (json == nullptr) return axes;
  for (const Json& item : json->items()) {
    const std::size_t at = std::string_view("xyz").find(item.text());
    if (item.text().size() != 1 || at == std::string_view::npos) refuse("'mirror' lists axes: x, y or z");
    axes.push_back(static_cast<int>(at));
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

std::vector<Segment> segments_from(const Json& card, const std::vector<std::string>& classes) {
  std::vector<Segment> segments;
  const std::size_t first = classes.size() == 1 ? 0 : 1;
  for (std::size_t c = first; c < classes.size(); ++c) {
    Segment segment;
    segment.value = static_cast<int>(c - first) + 1;
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
}

}  // namespace

NetworkSpec network_spec_from(const Json& card) {
  NetworkSpec spec;
  try {
    const Json& network = card.at("network");
    spec.file = network.text_or("file", "model.onnx");
    // A card must not reach out of its own folder.
    if (spec.file.empty() || spec.file.find('/') != std::string::npos || spec.file.find("..") != std::string::npos)
      refuse("'file' must be a plain name");
    spec.sha256 = network.at("sha256").text();
    spec.input = input_from(network.at("input"));
    read_output(network.at("output"), spec);
    spec.mirror = mirror_from(given(network, "mirror"));
    spec.threshold = number_in(network, "threshold", 0.5, 1e-6, 1 - 1e-6);
    if (given(network, "temperature") != nullptr) spec.temperature = number_in(network, "temperature", 1, 1e-3, 1e3);
    const std::string keep = given(network, "keep") != nullptr ? network.at("keep").text() : "";
    if (!keep.empty() && keep != "largest_component" && keep != "largest_component_filled")
      refuse("'keep' is '" + keep + "', which is not known here");
    spec.largest_component = !keep.empty();
    spec.fill_holes = keep == "largest_component_filled";
    if (const Json* list = given(network, "used_by"))
      for (const Json& key : list->items()) spec.used_by.push_back(key.text());
    spec.segments = segments_from(card, spec.classes);
  } catch (const Error& fault) {
    rethrow_with(fault, "reading 'network' of the card of '" + card.text_or("id", "?") + "'");
  }
  return spec;
}

}  // namespace penta::nn
