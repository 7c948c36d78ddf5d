#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace penta {

/// A JSON value. Objects keep the order in which keys were set.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::size_t value) : value_(static_cast<std::int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}

  [[nodiscard]] static Json object() { Json j; j.value_ = Object{}; return j; }
  [[nodiscard]] static Json array() { Json j; j.value_ = Array{}; return j; }
  /// Throws Error{bad_input} that names the position; depth is limited to 64.
  [[nodiscard]] static Json parse(std::string_view text);

  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_object() const noexcept { return std::holds_alternative<Object>(value_); }
  [[nodiscard]] bool is_array() const noexcept { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_string() const noexcept { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_bool() const noexcept { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_integer() const noexcept { return std::holds_alternative<std::int64_t>(value_); }
  [[nodiscard]] bool is_number() const noexcept {
    return std::holds_alternative<double>(value_) || std::holds_alternative<std::int64_t>(value_);
  }

  // Each throws Error{bad_input} when the value is of another kind.
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] const Array& items() const;
  [[nodiscard]] const Object& members() const;

  /// The member, or null where this is no object or has no such key.
  [[nodiscard]] const Json* find(std::string_view key) const noexcept;
  /// The member. Throws Error{bad_input} that names the key.
  [[nodiscard]] const Json& at(std::string_view key) const;
  [[nodiscard]] std::string text_or(std::string_view key, std::string_view otherwise) const;
  [[nodiscard]] double number_or(std::string_view key, double otherwise) const;

  /// Sets a member of an object (made of null), replacing one of the same key.
  Json& set(std::string_view key, Json value);
  /// Appends to an array (made of null).
  Json& push(Json value);

  /// Two-space indented; NaN and infinities become null.
  [[nodiscard]] std::string dump(int indent = 2) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace penta
