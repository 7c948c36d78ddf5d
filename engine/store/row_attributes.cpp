#include "engine/store/row_attributes.h"

#include "engine/store/attributes.h"

namespace penta::engine {

const Json& RowAttributes::json() const {
  if (!json_) json_ = Json::parse(text_);
  return *json_;
}

bool RowAttributes::has(std::string_view tag) const { return json_ ? json_->find(tag) != nullptr : !member_of(text_, tag).empty(); }

void RowAttributes::insert(std::string_view tag, std::string_view value) {
  if (json_) {
    json_->set(tag, Json::parse(value));
    return;
  }
  // In front of the first tag that comes later, with that one's quote; or at the end.
  std::size_t at = text_.size() - 1;
  each_member(text_, [&](std::string_view key, std::string_view) {
    if (key <= tag) return true;
    at = static_cast<std::size_t>(key.data() - text_.data()) - 1;
    return false;
  });
  const bool last = at == text_.size() - 1, alone = text_.size() == 2;
  std::string member = (last && !alone ? ",\"" : "\"") + std::string(tag) + "\":" + std::string(value) + (last ? "" : ",");
  text_.insert(at, member);
}

RowAttributes& RowAttributes::set(std::string_view tag, Json value) {
  static_cast<void>(json());
  json_->set(tag, std::move(value));
  return *this;
}

}  // namespace penta::engine
