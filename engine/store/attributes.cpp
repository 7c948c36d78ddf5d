#include "engine/store/attributes.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace penta::engine {

namespace {

constexpr std::array<std::string_view, 27> study_tags{
    "00080020", "00080030", "00080050", "00080051", "00080061", "00080062", "00080080", "00080090", "00080201",
    "00081030", "00081032", "00081048", "00081060", "00100010", "00100020", "00100021", "00100030", "00100032",
    "00100040", "00101000", "00101001", "00101010", "00101020", "00101030", "00104000", "0020000D", "00200010"};
constexpr std::array<std::string_view, 20> series_tags{
    "00080021", "00080031", "00080060", "00080070", "00081010", "0008103E", "00081050", "00081090", "00180015", "00181030",
    "00185100", "0020000E", "00200011", "00200052", "00200060", "00400244", "00400245", "00400253", "00400275", "00080068"};
constexpr std::array<std::string_view, 17> instance_tags{
    "00080008", "00080016", "00080018", "00080022", "00080023", "00080032", "00080033", "00200012", "00200013",
    "00280008", "00280010", "00280011", "00280100", "0040A043", "0040A491", "0040A493", "00700080"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view tag) noexcept {
  return std::find(list.begin(), list.end(), tag) != list.end();
}

/// Walks JSON text without making values of it.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
    if (at_ == text_.size()) fail();
    return text_[at_];
  }

  void expect(char wanted) {
    if (next() != wanted) fail();
    ++at_;
  }

  /// The characters between quotes, escapes as they are.
  std::string_view quoted() {
    expect('"');
    const std::size_t first = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) fail();
    return text_.substr(first, at_++ - first);
  }

  std::string_view value() {
    const std::size_t first = (static_cast<void>(next()), at_);
    int depth = 0;
    do {
      const char c = next();
      if (c == '"') {
        static_cast<void>(quoted());
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth < 0) fail();
      ++at_;
    } while (depth > 0 || (text_[first] != '{' && text_[first] != '[' && text_[first] != '"' && !ends()));
    return text_.substr(first, at_ - first);
  }

  void skip() { ++at_; }

  [[noreturn]] static void fail() { throw Error(Code::bad_input, "reading DICOM JSON: it is damaged"); }

 private:
  [[nodiscard]] bool ends() const noexcept {
    return at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '}' || text_[at_] == ']' || text_[at_] == ' ' || text_[at_] == '\n';
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string text_of(const Json& value) {
  if (value.is_string()) return value.text();
  if (value.is_number()) return value.dump(-1);
  if (!value.is_object()) return {};
  std::string out;
  int missing = 0;
  for (const char* group : {"Alphabetic", "Ideographic", "Phonetic"}) {
    const std::string name = value.text_or(group, "");
    if (!name.empty()) out += std::string(static_cast<std::size_t>(missing), '=') + name, missing = 0;
    ++missing;
  }
  return out;
}

void append(std::string& json, std::string_view tag, std::string_view value) {
  json.append(json.empty() ? "{\"" : ",\"").append(tag).append("\":").append(value);
}

}  // namespace

void each_member(std::string_view json, const std::function<bool(std::string_view, std::string_view)>& take) {
  Scan scan(json);
  scan.expect('{');
  if (scan.next() == '}') return;
  for (;;) {
    const std::string_view key = scan.quoted();
    scan.expect(':');
    if (!take(key, scan.value())) return;
    if (scan.next() == '}') return;
    scan.expect(',');
  }
}

std::string_view member_of(std::string_view json, std::string_view tag) {
  std::string_view found;
  if (!json.empty()) each_member(json, [&](std::string_view key, std::string_view value) {
    if (key == tag) found = value;
    return found.empty();
  });
  return found;
}

std::string value_text(const Json& attribute) {
  std::string out;
  const Json* values = attribute.find("Value");
  if (values == nullptr || !values->is_array()) return out;
  for (std::size_t i = 0; i < values->items().size(); ++i) out += (i > 0 ? "\\" : "") + text_of(values->items()[i]);
  return out;
}

std::string value_text(std::string_view attribute, std::string* vr) {
  if (attribute.empty()) return {};
  const Json json = Json::parse(attribute);
  if (vr != nullptr) *vr = json.text_or("vr", "");
  return value_text(json);
}

std::optional<Level> level_of(std::string_view tag) noexcept {
  if (among(study_tags, tag)) return Level::study;
  if (among(series_tags, tag)) return Level::series;
  if (among(instance_tags, tag)) return Level::instance;
  return std::nullopt;
}

LevelAttributes by_level(std::string_view metadata) {
  LevelAttributes out;
  each_member(metadata, [&](std::string_view tag, std::string_view value) {
    const auto level = level_of(tag);
    if (level == Level::study) append(out.study, tag, value);
    else if (level == Level::series) append(out.series, tag, value);
    else if (level == Level::instance) append(out.instance, tag, value);
    return true;
  });
  for (std::string* text : {&out.study, &out.series, &out.instance}) *text += text->empty() ? "{}" : "}";
  return out;
}

}  // namespace penta::engine
