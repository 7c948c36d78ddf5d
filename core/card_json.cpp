#include "core/card_json.h"

#include <algorithm>

namespace penta {

namespace {

void set_text(Json& json, std::string_view key, const std::string& text) {
  if (!text.empty()) json.set(key, text);
}

Json list_of(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push(text);
  return list;
}

Json json_of(const InputRole& role) {
  Json json = Json::object().set("role", role.role).set("kind", role.kind);
  if (!role.modalities.empty()) json.set("modalities", list_of(role.modalities));
  if (!role.required) json.set("required", false);
  if (!role.from.empty()) json.set("from", list_of(role.from));
  set_text(json, "unit", role.unit);
  set_text(json, "text", role.text);
  return json;
}

Json json_of(const OutputRole& role) {
  Json json = Json::object().set("role", role.role).set("kind", role.kind);
  set_text(json, "unit", role.unit);
  set_text(json, "text", role.text);
  if (const CodedConcept& code = role.concept_code; !code.empty())
    json.set("code", Json::object().set("scheme", code.scheme).set("value", code.value).set("meaning", code.meaning));
  return json;
}

Json json_of(const Parameter& p) {
  Json json = Json::object().set("name", p.name).set("type", p.type).set("default", p.default_value);
  if (p.minimum) json.set("minimum", *p.minimum);
  if (p.maximum) json.set("maximum", *p.maximum);
  if (!p.choices.empty()) json.set("choices", list_of(p.choices));
  set_text(json, "unit", p.unit);
  set_text(json, "text", p.text);
  return json;
}

// The list as written, and after it what it does not name.
template <class Item>
Json completed(const Json* written, std::string_view name, const std::vector<Item>& items, std::string Item::*name_of_item) {
  Json list = written != nullptr ? *written : Json::array();
  for (const Item& item : items) {
    const auto& there = list.items();
    if (std::none_of(there.begin(), there.end(), [&](const Json& one) { return one.at(name).text() == item.*name_of_item; })) list.push(json_of(item));
  }
  return list;
}

}  // namespace

void complete_json(Card& card) {
  card.whole.set("inputs", completed(card.whole.find("inputs"), "role", card.inputs, &InputRole::role));
  card.whole.set("outputs", completed(card.whole.find("outputs"), "role", card.outputs, &OutputRole::role));
  card.whole.set("parameters", completed(card.whole.find("parameters"), "name", card.parameters, &Parameter::name));
}

}  // namespace penta
