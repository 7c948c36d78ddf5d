#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/json.h"

namespace penta::engine {

/// DICOM JSON of a row. It is kept as text, ready to be sent, and becomes a Json when somebody looks into it; one that is
/// shared by threads must have been looked into before.
class RowAttributes {
 public:
  RowAttributes() = default;
  RowAttributes(Json json) : text_(), json_(std::move(json)) {}
  explicit RowAttributes(std::string text) : text_(std::move(text)) {}

  /// Compact, tags in order.
  [[nodiscard]] std::string text() const { return json_ ? json_->dump(-1) : text_; }
  [[nodiscard]] const Json& json() const;
  operator const Json&() const { return json(); }
  /// Whether there is such a member; quick on a text.
  [[nodiscard]] bool has(std::string_view tag) const;
  /// Adds a member, given as JSON text, that is not there yet; a text stays a text.
  void insert(std::string_view tag, std::string_view value);

  // As those of Json.
  [[nodiscard]] const Json* find(std::string_view tag) const { return json().find(tag); }
  [[nodiscard]] const Json& at(std::string_view tag) const { return json().at(tag); }
  [[nodiscard]] const Json::Object& members() const { return json().members(); }
  RowAttributes& set(std::string_view tag, Json value);

 private:
  std::string text_ = "{}";
  mutable std::optional<Json> json_;
};

}  // namespace penta::engine
