#include "io/dicom/show.h"

#include <algorithm>
#include <cmath>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr Tag value_transformation{0x0028, 0x9145}, frame_voi{0x0028, 0x9132}, window_centre{0x0028, 0x1050},
    window_width{0x0028, 0x1051}, voi_function{0x0028, 0x1056}, voi_sequence{0x0028, 0x3010}, table_descriptor{0x0028, 0x3002},
    table_data{0x0028, 0x3006};

// Where a frame's attributes are: its own functional group, the shared one, or the data set (PS3.3 C.7.6.16).
DcmItem& holder_of(DcmItem& data, DcmItem* own, DcmItem* shared, Tag sequence) {
  for (DcmItem* groups : {own, shared})
    if (groups != nullptr)
      if (DcmItem* item = first_item(*groups, sequence)) return *item;
  return data;
}

// PS3.3 C.11.2.1.1: descriptor of count, first value, bits; here the first value is of signed or unsigned values alike.
std::optional<Voi> table_of(DcmItem& item, bool is_signed) {
  const auto descriptor = numbers(item, table_descriptor);
  const auto words = words16(item, table_data);
  if (descriptor.size() != 3) return std::nullopt;
  const auto stored = static_cast<std::uint16_t>(static_cast<std::int32_t>(std::clamp(descriptor[0], -65535.0, 65535.0)));
  const std::size_t count = stored == 0 ? 65536 : stored;
  const bool bytes = descriptor[2] == 8 && words.size() < count && words.size() * 2 >= count;
  if ((!bytes && words.size() < count) || descriptor[2] < 8 || descriptor[2] > 16) return std::nullopt;
  const auto first = static_cast<std::int32_t>(std::clamp(descriptor[1], -65536.0, 65535.0));
  Voi voi;
  voi.kind = Voi::Kind::table;
  voi.first = is_signed ? std::int64_t{static_cast<std::int16_t>(first)} : std::int64_t{static_cast<std::uint16_t>(first)};
  const auto white = static_cast<float>((1U << static_cast<unsigned>(descriptor[2])) - 1);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned word = bytes ? words[i / 2] >> (i % 2 * 8) & 0xFF : words[i];
    voi.entries.push_back(std::min(1.0F, static_cast<float>(word) / white));
  }
  return voi;
}

Voi voi_of(DcmItem& item, bool is_signed) {
  const auto centres = numbers(item, window_centre), widths = numbers(item, window_width);
  if (!centres.empty() && !widths.empty()) {
    const auto function = words(item, voi_function);
    Voi voi{Voi::Kind::linear, centres.front(), widths.front(), 0, {}};
    if (!function.empty() && function.front() == "SIGMOID") voi.kind = Voi::Kind::sigmoid;
    if (!function.empty() && function.front() == "LINEAR_EXACT") voi.kind = Voi::Kind::linear_exact;
    const bool sense = voi.kind == Voi::Kind::linear ? voi.width >= 1 : voi.width > 0;
    if (sense) return voi;
  }
  if (DcmItem* table = first_item(item, voi_sequence))
    if (auto voi = table_of(*table, is_signed)) return *std::move(voi);
  return {};
}

}  // namespace

double Voi::grey(double value) const noexcept {
  if (std::isnan(value)) return 0;
  switch (kind) {
    case Kind::linear:
      if (width <= 1) return value > centre - 0.5 ? 1 : 0;
      return std::clamp((value - (centre - 0.5)) / (width - 1) + 0.5, 0.0, 1.0);
    case Kind::linear_exact:
      return std::clamp((value - centre) / width + 0.5, 0.0, 1.0);
    case Kind::sigmoid:
      return 1 / (1 + std::exp(-4 * (value - centre) / width));
    case Kind::table: {
      const double last = static_cast<double>(entries.size()) - 1;
      return static_cast<double>(entries[static_cast<std::size_t>(std::clamp(std::floor(value) - static_cast<double>(first), 0.0, last))]);
    }
    case Kind::none:
      break;
  }
  return 0;
}

struct ShownFile::State {
  explicit State(const std::filesystem::path& path)
      : object(load({"the instance", path}, true)), layout(layout_of(object)), checked(object) {
    if (checked.has_tiles()) picture = std::make_unique<Frames>(object, layout);
    std::vector<Remark> faults;
    lut = modality_lut_of(object.data(), layout, faults);
    shared = first_item(object.data(), tag::shared_groups);
    own = items(object.data(), tag::per_frame_groups);
  }

  // A mosaic is shown as the one picture that it is.
  [[nodiscard]] const Frames& frames() const { return picture ? *picture : checked; }
  [[nodiscard]] std::vector<float> values(std::int64_t index, DcmItem* groups, ShownFrame& out) const;

  Object object;
  Layout layout;
  Frames checked;
  std::unique_ptr<Frames> picture;
  std::optional<ModalityLut> lut;
  DcmItem* shared = nullptr;
  std::vector<DcmItem*> own;
};

std::vector<float> ShownFile::State::values(std::int64_t index, DcmItem* groups, ShownFrame& out) const {
  std::vector<float> values(static_cast<std::size_t>(layout.pixels()));
  if (lut) {
    std::vector<std::int32_t> stored(values.size());
    frames().stored(index, stored);
    std::transform(stored.begin(), stored.end(), values.begin(), [&](std::int32_t value) { return lut->at(value); });
    out.rescaled = true;
    out.rescale_type = lut->type;
    return values;
  }
  frames().real(index, values);
  DcmItem& holder = holder_of(object.data(), groups, shared, value_transformation);
  const double slope = number(holder, tag::rescale_slope).value_or(1), intercept = number(holder, tag::rescale_intercept).value_or(0);
  out.rescale_type = text(holder, tag::rescale_type);
  out.rescaled = slope != 1 || intercept != 0;
  if (out.rescaled)
    for (float& value : values) value = static_cast<float>(value * slope + intercept);
  return values;
}

ShownFile::ShownFile(const std::filesystem::path& path) : state_(std::make_unique<const State>(path)) {}
ShownFile::~ShownFile() = default;

ShownFrame ShownFile::frame(std::int64_t frame) const {
  const Layout& layout = state_->layout;
  if (frame < 1 || frame > layout.frames)
    throw Error(Code::nothing_to_do, "there is no frame " + std::to_string(frame) + "; the instance has " + std::to_string(layout.frames));
  DcmItem& data = state_->object.data();
  const auto index = static_cast<std::size_t>(frame - 1);
  DcmItem* groups = index < state_->own.size() ? state_->own[index] : nullptr;
  ShownFrame out;
  out.width = layout.columns;
  out.height = layout.rows;
  out.modality = text(data, tag::modality);
  out.synthetic = text(data, tag::synthetic_data) == "YES";
  if (layout.is_colour()) {
    out.pixels = state_->frames().colour(frame - 1);
    return out;
  }
  out.pixels = state_->values(frame - 1, groups, out);
  out.inverted = layout.photometric == "MONOCHROME1";
  out.bits = layout.bits_stored;
  // The table's first value is of the modality's values: signed when the rescale can make them so (PS3.3 C.11.2.1.1).
  const bool is_signed = layout.is_signed || (out.rescaled && number(data, tag::rescale_intercept).value_or(0) < 0);
  out.voi = voi_of(holder_of(data, groups, state_->shared, frame_voi), is_signed);
  return out;
}

}  // namespace penta::io::dicom
