#include "core/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace penta {

namespace {

using Library = nlohmann::ordered_json;

constexpr int depth_max = 64;

Json from_library(const Library& value) {
  switch (value.type()) {
    case Library::value_t::boolean: return Json(value.get<bool>());
    case Library::value_t::number_integer: return Json(value.get<std::int64_t>());
    case Library::value_t::number_unsigned: return Json(static_cast<std::int64_t>(value.get<std::uint64_t>()));
    case Library::value_t::number_float: return Json(value.get<double>());
    case Library::value_t::string: return Json(value.get<std::string>());
    case Library::value_t::array: {
      Json out = Json::array();
      for (const Library& item : value) out.push(from_library(item));
      return out;
    }
    case Library::value_t::object: {
      Json out = Json::object();
      for (const auto& [key, item] : value.items()) out.set(key, from_library(item));
      return out;
    }
    default: return {};
  }
}

Library to_library(const Json& value) {
  if (value.is_bool()) return value.boolean();
  if (value.is_string()) return value.text();
  if (value.is_integer()) return value.integer();
  if (value.is_number()) return value.number();
  if (value.is_array()) {
    Library out = Library::array();
    for (const Json& item : value.items()) out.push_back(to_library(item));
    return out;
  }
  if (value.is_object()) {
    Library out = Library::object();
    for (const auto& [key, item] : value.members()) out[key] = to_library(item);
    return out;
  }
  return nullptr;
}

// nlohmann parses recursively only through callbacks, but freeing and converting recurse: refuse deep text first.
void check_depth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max) throw Error(Code::bad_input, "JSON nested deeper than 64 levels");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

[[noreturn]] void wrong_kind(std::string_view wanted) {
  throw Error(Code::bad_input, "JSON: expected " + std::string(wanted));
}

}  // namespace

Json Json::parse(std::string_view text) {
  check_depth(text);
  try {
    return from_library(Library::parse(text));
  } catch (const nlohmann::json::exception& fault) {
    throw Error(Code::bad_input, std::string("JSON: ") + fault.what());
  }
}

const std::string& Json::text() const {
  if (const auto* v = std::get_if<std::string>(&value_)) return *v;
  wrong_kind("a string");
}

double Json::number() const {
  if (const auto* v = std::get_if<double>(&value_)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*v);
  wrong_kind("a number");
}

std::int64_t Json::integer() const {
  if (const auto* v = std::get_if<std::int64_t>(&value_)) return *v;
  wrong_kind("a whole number");
}

bool Json::boolean() const {
  if (const auto* v = std::get_if<bool>(&value_)) return *v;
  wrong_kind("true or false");
}

const Json::Array& Json::items() const {
  if (const auto* v = std::get_if<Array>(&value_)) return *v;
  wrong_kind("an array");
}

const Json::Object& Json::members() const {
  if (const auto* v = std::get_if<Object>(&value_)) return *v;
  wrong_kind("an object");
}

const Json* Json::find(std::string_view key) const noexcept {
  const auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  const auto it = std::find_if(members->begin(), members->end(), [&](const auto& m) { return m.first == key; });
  return it == members->end() ? nullptr : &it->second;
}

const Json& Json::at(std::string_view key) const {
  if (const Json* member = find(key)) return *member;
  throw Error(Code::bad_input, "JSON: '" + std::string(key) + "' is missing");
}

std::string Json::text_or(std::string_view key, std::string_view otherwise) const {
  const Json* member = find(key);
  return member != nullptr && member->is_string() ? member->text() : std::string(otherwise);
}

double Json::number_or(std::string_view key, double otherwise) const {
  const Json* member = find(key);
  return member != nullptr && member->is_number() ? member->number() : otherwise;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) wrong_kind("an object");
  const auto it = std::find_if(members->begin(), members->end(), [&](const auto& m) { return m.first == key; });
  if (it == members->end()) members->emplace_back(std::string(key), std::move(value));
  else it->second = std::move(value);
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array{};
  auto* items = std::get_if<Array>(&value_);
  if (items == nullptr) wrong_kind("an array");
  items->push_back(std::move(value));
  return *this;
}

std::string Json::dump(int indent) const {
  // Bad UTF-8 (a header's raw bytes) is replaced rather than thrown: a report must not die of a name.
  return to_library(*this).dump(indent, ' ', false, Library::error_handler_t::replace);
}

}  // namespace penta
