#include "core/card.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace penta {

namespace {

constexpr std::array<std::string_view, 10> task_names{"processing", "segmentation", "recognition", "detection",
                                                      "generation", "classification", "annotation", "synthesis",
                                                      "analysis", "retrieval"};

std::vector<std::string> texts(const Json& json, std::string_view key) {
  std::vector<std::string> out;
  if (const Json* list = json.find(key))
    for (const Json& item : list->items()) out.push_back(item.text());
  return out;
}

std::optional<double> number_if(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && !value->is_null() ? std::optional(value->number()) : std::nullopt;
}

CodedConcept code_from(const Json* json) {
  if (json == nullptr || json->is_null()) return {};
  return {json->at("scheme").text(), json->at("value").text(), json->at("meaning").text()};
}

InputRole input_from(const Json& json) {
  InputRole role;
  role.role = json.at("role").text();
  role.kind = json.text_or("kind", "image");
  role.unit = json.text_or("unit", "");
  role.text = json.text_or("text", "");
  role.modalities = texts(json, "modalities");
  if (const Json* required = json.find("required")) role.required = required->boolean();
  role.from = texts(json, "from");
  return role;
}

OutputRole output_from(const Json& json) {
  return {json.at("role").text(), json.at("kind").text(), json.text_or("unit", ""), json.text_or("text", ""),
          code_from(json.find("code"))};
}

Parameter parameter_from(const Json& json) {
  Parameter p;
  p.name = json.at("name").text();
  p.type = json.at("type").text();
  p.unit = json.text_or("unit", "");
  p.text = json.text_or("text", "");
  if (const Json* value = json.find("default")) p.default_value = *value;
  p.minimum = number_if(json, "minimum");
  p.maximum = number_if(json, "maximum");
  p.choices = texts(json, "choices");
  return p;
}

Gate gate_from(const Json& json) {
  Gate gate;
  if (const Json* in_report = json.find("in_report")) gate.in_report = in_report->boolean();
  gate.kinds = texts(json, "kinds");
  gate.sequences = texts(json, "sequences");
  gate.spacing_max_mm = number_if(json, "spacing_max_mm");
  gate.extent_min_mm = number_if(json, "extent_min_mm");
  gate.extent_max_mm = number_if(json, "extent_max_mm");
  gate.roles_present = texts(json, "roles_present");
  if (const Json* list = json.find("recognised"))
    for (const Json& item : list->items())
      gate.recognised.push_back(
          {item.at("method").text(), item.at("label").text(), item.number_or("probability_min", 0.5)});
  return gate;
}

Json value_from_text(const Parameter& p, const std::string& text) {
  const auto refuse = [&](const std::string& why) -> Json {
    throw Error(Code::wrong_use, "--set " + p.name + "=" + text + ": " + why);
  };
  if (p.type == "flag") {
    if (text == "true" || text == "1" || text == "yes") return true;
    if (text == "false" || text == "0" || text == "no") return false;
    return refuse("expected true or false");
  }
  if (p.type == "text") return text;
  if (p.type == "choice") {
    if (std::find(p.choices.begin(), p.choices.end(), text) != p.choices.end()) return text;
    std::string list;
    for (const std::string& choice : p.choices) list += (list.empty() ? "" : ", ") + choice;
    return refuse("expected one of " + list);
  }
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return refuse("expected a number");
  if ((p.minimum && number < *p.minimum) || (p.maximum && number > *p.maximum)) return refuse("out of range");
  if (p.type != "integer") return number;
  if (number != std::floor(number)) return refuse("expected a whole number");
  return static_cast<std::int64_t>(number);
}

}  // namespace

std::string_view name_of(Task task) noexcept { return task_names[static_cast<std::size_t>(task)]; }

std::optional<Task> task_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < task_names.size(); ++i)
    if (task_names[i] == name) return static_cast<Task>(i);
  return std::nullopt;
}

std::string Card::key() const { return std::string(name_of(task)) + "/" + id; }

const InputRole* Card::input(std::string_view role) const noexcept {
  const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const InputRole& r) { return r.role == role; });
  return it == inputs.end() ? nullptr : &*it;
}

const Parameter* Card::parameter(std::string_view name) const noexcept {
  const auto it = std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == name; });
  return it == parameters.end() ? nullptr : &*it;
}

Card card_from_json(const Json& json) {
  Card card;
  try {
    card.id = json.at("id").text();
    const auto task = task_named(json.at("task").text());
    if (!task) throw Error(Code::bad_input, "task '" + json.at("task").text() + "' is none of the ten");
    card.task = *task;
    card.title = json.at("title").text();
    card.version = json.text_or("version", "1");
    card.modalities = texts(json, "modalities");
    if (const Json* list = json.find("inputs"))
      for (const Json& item : list->items()) card.inputs.push_back(input_from(item));
    if (const Json* list = json.find("outputs"))
      for (const Json& item : list->items()) card.outputs.push_back(output_from(item));
    if (const Json* list = json.find("parameters"))
      for (const Json& item : list->items()) card.parameters.push_back(parameter_from(item));
    if (const Json* gate = json.find("gate")) card.gate = gate_from(*gate);
    card.priority = static_cast<int>(json.number_or("priority", 0));
    card.algorithm = json.text_or("algorithm", "");
    card.reference = json.text_or("reference", "");
    card.determinism = json.text_or("determinism", "");
    card.evidence_note = json.text_or("evidence_note", "");
    card.intended_use = json.text_or("intended_use", "");
    card.not_for = texts(json, "not_for");
    card.known_failures = texts(json, "known_failures");
    if (const Json* results = json.find("results")) card.results = *results;
    card.whole = json;
  } catch (const Error& fault) {
    rethrow_with(fault, "reading the card of '" + (card.id.empty() ? std::string("?") : card.id) + "'");
  }
  return card;
}

Params::Params(const Card& card, const std::map<std::string, std::string>& settings) {
  for (const Parameter& p : card.parameters) values_.set(p.name, p.default_value);
  for (const auto& [name, text] : settings) {
    const Parameter* p = card.parameter(name);
    if (p == nullptr) throw Error(Code::wrong_use, "'" + card.id + "' has no parameter '" + name + "'");
    values_.set(name, value_from_text(*p, text));
  }
}

const Json& Params::value(std::string_view name) const {
  const Json* found = values_.find(name);
  if (found == nullptr) throw Error(Code::internal, "the card has no parameter '" + std::string(name) + "'");
  return *found;
}

double Params::number(std::string_view name) const { return value(name).number(); }
std::int64_t Params::integer(std::string_view name) const { return value(name).integer(); }
const std::string& Params::text(std::string_view name) const { return value(name).text(); }
bool Params::flag(std::string_view name) const { return value(name).boolean(); }
bool Params::is_set(std::string_view name) const noexcept {
  const Json* found = values_.find(name);
  return found != nullptr && !found->is_null();
}

}  // namespace penta
