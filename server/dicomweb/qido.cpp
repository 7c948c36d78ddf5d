#include <algorithm>

#include "server/dicomweb/backend.h"
#include "server/dicomweb/common.h"
#include "server/dicomweb/search_query.h"

namespace penta::server {

namespace {

using engine::Level;

Json url_attribute(const std::string& url) {
  return Json::object().set("vr", "UR").set("Value", Json::array().push(url));
}

/// The stored metadata of the first instance of what a row stands for.
Json first_metadata(const engine::Catalogue& catalogue, const engine::Row& row) {
  std::string series = row.series_uid, instance = row.sop_uid;
  if (instance.empty()) {
    engine::Search first;
    first.level = Level::instance;
    first.study_uid = row.study_uid;
    first.series_uid = row.series_uid;
    first.limit = 1;
    const auto rows = catalogue.search(first);
    if (rows.empty()) return {};
    series = rows[0].series_uid;
    instance = rows[0].sop_uid;
  }
  const auto found = catalogue.instances(row.study_uid, series, instance);
  return found.empty() ? Json() : Json::parse(found[0].index.metadata);
}

/// Attributes that the row lacks and the request names, from the first instance. Returns whether it took any.
bool include(const engine::Catalogue& catalogue, const SearchQuery& query, engine::Row& row) {
  const bool lacks = std::any_of(query.include.begin(), query.include.end(),
                                 [&](const std::string& tag) { return !row.attributes.has(tag); });
  const bool everything = query.include_all && query.search.level == Level::instance;
  if (!lacks && !everything) return false;
  const Json metadata = first_metadata(catalogue, row);
  if (!metadata.is_object()) return false;
  for (const auto& [tag, value] : metadata.members()) {
    const bool named = std::find(query.include.begin(), query.include.end(), tag) != query.include.end();
    if ((everything || named) && !row.attributes.has(tag)) row.attributes.set(tag, value);
  }
  return true;
}

/// Tags in order. A row that nothing was included in is ready text, and stays one.
std::string text_of(engine::Row& row, const std::string& root, bool included) {
  constexpr std::string_view retrieve_url = "00081190";
  const Json url = url_attribute(url_of(root, row.study_uid, row.series_uid, row.sop_uid));
  if (!included) {
    row.attributes.insert(retrieve_url, url.dump(-1));
    return row.attributes.text();
  }
  row.attributes.set(retrieve_url, url);
  Json::Object members = row.attributes.members();
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Json out = Json::object();
  for (auto& [tag, value] : members) out.set(tag, std::move(value));
  return out.dump(-1);
}

/// Says what of the query was not done (PS3.18 8.3.4.1, 8.3.4.4).
void warn(Response& response, const SearchQuery& query, bool more) {
  const auto add = [&](const std::string& text) {
    response.headers.emplace_back("Warning", "299 pentascope \"" + text + "\"");
  };
  std::string ignored;
  for (const std::string& key : query.ignored) ignored += (ignored.empty() ? "" : ", ") + key;
  if (!ignored.empty()) add("These keys are not matched on here and were ignored: " + ignored);
  if (more)
    add("The number of results exceeded the maximum supported by the server. Additional results can be requested.");
}

Response search(const Backend& backend, const Request& request, Level level) {
  require_json_accepted(request);
  SearchQuery query = parse_search(request, level);
  const std::int64_t wanted = query.search.limit;
  if (query.limited_by_server) query.search.limit = wanted + 1;  // one more says whether something is left
  auto rows = wanted == 0 ? std::vector<engine::Row>() : backend.catalogue->search(query.search);
  const bool more = static_cast<std::int64_t>(rows.size()) > wanted;
  if (more) rows.resize(static_cast<std::size_t>(wanted));
  Response out{204, {}, std::string()};
  warn(out, query, more);
  if (rows.empty()) return out;

  const std::string root = root_of(request);
  std::string text = "[";
  for (engine::Row& row : rows) {
    const bool included = include(*backend.catalogue, query, row);
    text += (text.size() > 1 ? "," : "") + text_of(row, root, included);
  }
  out.status = 200;
  out.headers.emplace_back("Content-Type", dicom_json);
  out.body = text + "]";
  return out;
}

}  // namespace

Routes qido_routes(const Backend& backend) {
  const auto at = [&](const std::string& pattern, Level level) {
    return Route{"GET", "/dicomweb" + pattern,
                 [backend, level](const Request& request) { return search(backend, request, level); }};
  };
  return {at("/studies", Level::study),
          at("/series", Level::series),
          at("/studies/{study}/series", Level::series),
          at("/instances", Level::instance),
          at("/studies/{study}/instances", Level::instance),
          at("/studies/{study}/series/{series}/instances", Level::instance)};
}

}  // namespace penta::server
