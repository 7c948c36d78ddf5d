#include "server/api/parameters.h"

#include <algorithm>
#include <set>

#include "server/http/text.h"

namespace penta::server {

namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& what) {
  throw HttpError(400, "'" + std::string(name) + "' " + what);
}

void check_uid(std::string_view name, const std::string& uid) {
  constexpr std::size_t chars_max = 64;
  if (uid.empty() || uid.size() > chars_max || uid.find_first_not_of("0123456789.") != std::string::npos)
    refuse(name, "is no UID: digits and dots, at most 64");
}

}  // namespace

void check_query(const Request& request, std::initializer_list<std::string_view> known) {
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) refuse(name, "is no parameter of this path");
    if (!seen.insert(name).second) refuse(name, "is given twice");
  }
}

std::int64_t number_asked(const Request& request, std::string_view name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most) {
  const std::optional<std::string> text = request.asked(name);
  if (!text) return otherwise;
  const std::optional<std::int64_t> number = whole_number(*text);
  if (!number || *number < least || *number > most)
    refuse(name, "is no whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return *number;
}

std::string text_asked(const Request& request, std::string_view name) {
  constexpr std::ptrdiff_t chars_max = 200;
  std::string text = request.asked(name).value_or("");
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };  // of UTF-8
  if (std::count_if(text.begin(), text.end(), begins) > chars_max) refuse(name, "is longer than 200 characters");
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    refuse(name, "holds a control character");
  return text;
}

std::string uid_asked(const Request& request, std::string_view name) {
  const std::optional<std::string> uid = request.asked(name);
  if (uid) check_uid(name, *uid);
  return uid.value_or("");
}

std::string uid_in_path(const Request& request, const std::string& name) {
  const std::string& uid = request.vars.at(name);
  check_uid(name, uid);
  return uid;
}

std::int64_t id_in_path(const Request& request) {
  const std::optional<std::int64_t> id = whole_number(request.vars.at("id"));
  if (!id || *id < 1) refuse("id", "is no number of a job");
  return *id;
}

Json body_of(const Request& request) {
  const std::string type = lower(request.header("Content-Type").value_or(""));
  if (trimmed(std::string_view(type).substr(0, type.find(';'))) != "application/json")
    throw HttpError(415, "the body must be sent as application/json");
  try {
    Json json = Json::parse(request.text());
    if (!json.is_object()) throw HttpError(400, "the body is no JSON object");
    return json;
  } catch (const HttpError&) {
    throw;
  } catch (const Error& fault) {
    throw HttpError(400, std::string("the body: ") + fault.what());
  }
}

}  // namespace penta::server
