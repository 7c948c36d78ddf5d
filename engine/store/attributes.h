#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/json.h"
#include "engine/store/catalogue.h"

namespace penta::engine {

/// Calls `take(tag, value)` for each member of a DICOM JSON object, in order, with the text of its value; stops when that
/// gives false. Throws Error{bad_input} where it is no JSON object (of the values only brackets and texts are looked at).
void each_member(std::string_view json, const std::function<bool(std::string_view tag, std::string_view value)>& take);

/// The text of a member's value, or nothing.
[[nodiscard]] std::string_view member_of(std::string_view json, std::string_view tag);

/// The values of an attribute {"vr": ..., "Value": [...]} joined by backslashes; the groups of a name joined by '='.
[[nodiscard]] std::string value_text(const Json& attribute);
/// Of an attribute in a text; its VR too.
[[nodiscard]] std::string value_text(std::string_view attribute, std::string* vr = nullptr);

/// The level whose entity an attribute describes, for those that the catalogue keeps apart (PS3.18 tables 10.6.3-3 to
/// -5 and a few more); nothing for all others.
[[nodiscard]] std::optional<Level> level_of(std::string_view tag) noexcept;

/// The attributes of one instance, by level, each a compact JSON object.
struct LevelAttributes {
  std::string study, series, instance;
};
[[nodiscard]] LevelAttributes by_level(std::string_view metadata);

}  // namespace penta::engine
