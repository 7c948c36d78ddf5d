#include "engine/label_table.h"

#include <algorithm>

#include "engine/result_json.h"

namespace penta::engine {

namespace {

CodedConcept concept_of(const Json& row, std::string_view key) {
  const Json* code = row.find(key);
  if (code == nullptr || !code->is_object()) return {};
  return {code->text_or("scheme", ""), code->text_or("value", ""), code->text_or("meaning", "")};
}

Side side_of(const Json& row) {
  const Json* side = row.find("side");
  if (side == nullptr || !side->is_string()) return Side::none;
  return side->text() == "left" ? Side::left : side->text() == "right" ? Side::right : Side::none;
}

void take(Segment& segment, const Json& row) {
  segment.name = row.text_or("name", segment.name);
  segment.type = concept_of(row, "code");
  if (const CodedConcept category = concept_of(row, "category"); !category.empty()) segment.category = category;
  segment.side = side_of(row);
  const Json* colour = row.find("colour");
  if (colour == nullptr || !colour->is_array() || colour->items().size() != 3) return;
  for (std::size_t i = 0; i < 3; ++i)
    segment.colour[i] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(colour->items()[i].integer(), 0, 255));
}

}  // namespace

Json label_table(const LabelMap& labels) {
  Json list = Json::array();
  for (const Segment& segment : labels.segments) {
    Json row = Json::object();
    row.set("value", segment.value).set("layer", segment.layer).set("name", segment.name);
    row.set("code", to_json(segment.type)).set("category", to_json(segment.category));
    row.set("side", segment.side == Side::none ? Json() : Json(name_of(segment.side)));
    Json colour = Json::array();
    for (const std::uint8_t part : segment.colour) colour.push(static_cast<int>(part));
    list.push(std::move(row.set("colour", std::move(colour))));
  }
  return Json::object().set("segments", std::move(list));
}

void apply_label_table(LabelMap& labels, const Json& table) {
  for (const Json& row : table.at("segments").items())
    for (Segment& segment : labels.segments)
      if (segment.value == row.at("value").integer() && segment.layer == static_cast<int>(row.number_or("layer", 0)))
        take(segment, row);
}

}  // namespace penta::engine
