#include <algorithm>

#include "nn/spec_words.h"

namespace penta::nn {

namespace {

/// The network's x, y, z as axes of the turned image: "zyx" (tensor order after N, C) is x, y, z themselves.
std::array<int, 3> axes_from(const std::string& word, int dims) {
  if (dims == 2) {
    if (word != "yx") refuse("'axes' is '" + word + "': of pictures only yx is known here");
    return {0, 1, 2};
  }
  std::array<int, 3> axes{};
  std::array<bool, 3> seen{};
  if (word.size() != 3) refuse("'axes' is '" + word + "': three letters such as zyx are wanted");
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t axis = std::string_view("xyz").find(word[i]);
    if (axis == std::string_view::npos || seen[axis]) refuse("'axes' is '" + word + "': each of x, y, z once is wanted");
    seen[axis] = true;
    axes[2 - i] = static_cast<int>(axis);
  }
  return axes;
}

template <class T>
std::optional<std::array<T, 3>> in_network_order(const std::optional<std::array<T, 3>>& given_order, const std::array<int, 3>& axes) {
  if (!given_order) return std::nullopt;
  std::array<T, 3> out{};
  for (std::size_t k = 0; k < 3; ++k) out[k] = (*given_order)[static_cast<std::size_t>(axes[k])];
  return out;
}

void read_crop(const Json& crop, InputSpec& input) {
  const std::string& kind = crop.at("kind").text();
  if (input.dims == 2) {
    if (kind != "content_box") refuse("'crop' is known for pictures as content_box, not as '" + kind + "'");
    input.content_box = ContentBox{crop.at("level").number(), crop.at("share").number()};
    return;
  }
  if (kind != "nonzero" && kind != "above") refuse("'crop' is known for volumes as nonzero or above, not as '" + kind + "'");
  BodyBox box;
  if (kind == "above") {
    box.kind = BodyBox::Kind::above;
    box.level = crop.at("level").number();
    box.margin_mm = number_in(crop, "margin_mm", 0, 0, 1e3);
  }
  input.body_box = box;
}

void read_channels(const Json& json, InputSpec& input) {
  const Json* list = given(json, "channels");
  if (list == nullptr) return;
  for (const Json& item : list->items()) {
    Channel channel;
    channel.role = item.text_or("role", "image");
    const Json* how = given(item, "normalise");
    channel.normalise = how != nullptr ? normalise_from(how) : input.normalise;
    const bool twice = std::any_of(input.channels.begin(), input.channels.end(),
                                   [&](const Channel& other) { return other.role == channel.role; });
    if (channel.role.empty() || twice) refuse("'channels' needs a role of its own for each");
    input.channels.push_back(std::move(channel));
  }
  if (input.channels.empty() || input.channels.size() > 64) refuse("'channels' needs 1 to 64 entries");
  if (input.dims == 2 && input.channels.size() > 1) refuse("'channels' of pictures: one is all that is known here");
}

}  // namespace

Normalise normalise_from(const Json* json) {
  Normalise n;
  if (json == nullptr) return n;
  using Kind = Normalise::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 8> kinds{{{"none", Kind::none},
                                                                    {"percentile_zscore", Kind::percentile_zscore},
                                                                    {"percentile_unit", Kind::percentile_unit},
                                                                    {"zscore", Kind::zscore},
                                                                    {"minmax", Kind::minmax},
                                                                    {"unit", Kind::unit},
                                                                    {"window", Kind::window},
                                                                    {"ct", Kind::ct}}};
  n.kind = choice(*json, "kind", kinds, Kind::none);
  const bool percentiles = n.kind == Kind::percentile_zscore || n.kind == Kind::percentile_unit;
  const double low = percentiles ? 0 : -1e9, high = percentiles ? 100 : 1e9;
  n.lower = number_in(*json, "lower", 0, low, high);
  n.upper = number_in(*json, "upper", 100, low, high);
  if (!(n.lower < n.upper)) refuse("'lower' must be below 'upper'");
  n.scale = number_in(*json, "scale", 1, 1e-9, 1e9);
  n.mean = number_in(*json, "mean", 0, -1e9, 1e9);
  n.deviation = number_in(*json, "deviation", 1, 1e-8, 1e9);
  constexpr std::array<std::pair<std::string_view, bool>, 2> places{{{"everywhere", false}, {"nonzero", true}}};
  n.nonzero = choice(*json, "where", places, false);
  if (n.nonzero && !percentiles && n.kind != Kind::zscore) refuse("'where: nonzero' is known for percentile_* and zscore");
  return n;
}

InputSpec input_spec_from(const Json& json) {
  InputSpec input;
  input.dims = static_cast<int>(number_in(json, "dims", 3, 2, 3));
  input.by_slices = number_in(json, "network_dims", input.dims, 2, input.dims) < input.dims;
  input.axes = axes_from(json.text_or("axes", input.dims == 3 ? "zyx" : "yx"), input.dims);
  if (const Json* orientation = given(json, "orientation")) input.orientation = orientation->text();
  input.spacing_mm = in_network_order(numbers<3>(json, "spacing_mm", 1e-3, 1e3, 0.0), input.axes);
  constexpr std::array<std::pair<std::string_view, Resampling>, 3> resamplings{
      {{"linear", Resampling::linear}, {"area", Resampling::area}, {"cubic", Resampling::cubic}}};
  input.resampling = choice(json, input.dims == 3 ? "resample" : "resize", resamplings,
                            input.dims == 3 ? Resampling::linear : Resampling::area);
  if (input.dims == 2 && input.resampling != Resampling::area) refuse("'resize' is known as area");
  input.separate_axis = flag_in(json, "separate_axis");
  input.normalise_first = flag_in(json, "normalise_first");
  if (input.dims == 2) input.size = counts<2>(json, "size");
  if (const Json* crop = given(json, "crop")) read_crop(*crop, input);
  input.pad_multiple = static_cast<std::int64_t>(number_in(json, "pad_multiple", 1, 1, 1024));
  constexpr std::array<std::pair<std::string_view, Padding>, 3> paddings{
      {{"edge", Padding::edge}, {"zero", Padding::zero}, {"zero_centred", Padding::zero_centred}}};
  input.padding = choice(json, "pad", paddings, Padding::edge);
  if (input.dims == 3) input.patch = in_network_order(counts<3>(json, "patch"), input.axes);
  if (input.padding == Padding::zero_centred && !input.patch) refuse("'pad: zero_centred' needs a 'patch'");
  if (input.by_slices && (!input.patch || (*input.patch)[2] != 1))
    refuse("'network_dims' of 2 needs a 'patch' of one slice");
  input.overlap = number_in(json, "overlap", 0.5, 0, 0.95);
  input.skip_empty = flag_in(json, "skip_empty");
  input.normalise = normalise_from(given(json, "normalise"));
  read_channels(json, input);
  return input;
}

}  // namespace penta::nn
