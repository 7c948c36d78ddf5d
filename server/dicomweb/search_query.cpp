#include "server/dicomweb/search_query.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "io/dicom/keyword.h"
#include "server/dicomweb/common.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

std::int64_t count_of(const std::string& key, const std::string& value) {
  const auto number = whole_number(value);
  if (!number) throw HttpError(400, key + "=" + value + " is no whole number");
  return *number;
}

void add_includes(const std::string& value, SearchQuery& query) {
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    const std::string name = value.substr(at, end - at);
    if (name == "all")
      query.include_all = true;
    else if (!name.empty())
      query.include.push_back(tag_named(name));
    at = end + 1;
  }
}

void add_match(const std::string& key, const std::string& value, SearchQuery& query) {
  const std::string tag = tag_named(key);
  if (!engine::searchable(query.search.level, tag)) {
    query.ignored.push_back(key);
    return;
  }
  std::string wanted = value;
  // UIDs may be a list with commas (PS3.18 8.3.4.1); the catalogue takes those of DIMSE.
  constexpr std::array<std::string_view, 4> uid_tags{"0020000D", "0020000E", "00080018", "00080016"};
  if (std::find(uid_tags.begin(), uid_tags.end(), tag) != uid_tags.end())
    std::replace(wanted.begin(), wanted.end(), ',', '\\');
  query.search.match.emplace_back(tag, std::move(wanted));
}

}  // namespace

std::string tag_named(const std::string& name) {
  const bool hex = name.size() == 8 && std::all_of(name.begin(), name.end(), [](char c) {
                     return std::isxdigit(static_cast<unsigned char>(c)) != 0;
                   });
  if (hex) {
    std::string out = name;
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
    return out;
  }
  const auto tag = io::dicom::tag_of_keyword(name);
  if (!tag)
    throw HttpError(400,
                    "'" + name + "' is neither a tag of 8 hex digits nor a keyword of DICOM, or within a sequence");
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08X", *tag);
  return text.data();
}

SearchQuery parse_search(const Request& request, engine::Level level) {
  const PathUids uids = uids_of(request);
  SearchQuery query;
  query.search.level = level;
  query.search.study_uid = uids.study;
  query.search.series_uid = uids.series;
  query.search.limit = results_max;
  query.limited_by_server = true;
  for (const auto& [key, value] : request.query) {
    if (key == "limit") {
      const std::int64_t limit = count_of(key, value);
      query.limited_by_server = limit > results_max;
      query.search.limit = std::min(limit, results_max);
    } else if (key == "offset") {
      query.search.offset = count_of(key, value);
    } else if (key == "fuzzymatching") {
      if (value != "true" && value != "false") throw HttpError(400, "fuzzymatching is true or false");
      query.search.fuzzy = value == "true";
    } else if (key == "includefield") {
      add_includes(value, query);
    } else if (key != "accept" && key != "charset" && key != "emptyvaluematching" && key != "multiplevaluematching") {
      add_match(key, value, query);
    }
  }
  return query;
}

}  // namespace penta::server
