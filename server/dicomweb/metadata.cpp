#include <algorithm>

#include "server/dicomweb/backend.h"
#include "server/dicomweb/common.h"
#include "server/http/multipart.h"

namespace penta::server {

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10;

/// Makes the bulk data's addresses, relative to the instance, absolute. The text that is sought cannot stand within a
/// string of JSON, where quotes are escaped.
void append_metadata(std::string& out, const std::string& metadata, const std::string& instance_url) {
  constexpr std::string_view key = "\"BulkDataURI\":\"";
  std::size_t from = 0;
  while (true) {
    const std::size_t at = metadata.find(key, from);
    if (at == std::string::npos) break;
    const std::size_t value = at + key.size();
    out.append(metadata, from, value - from);
    if (metadata.compare(value, 5, "bulk/") == 0) out.append(instance_url).append("/");
    from = value;
  }
  out.append(metadata, from);
}

/// Writes one array of the instances' data sets; the first piece leaves with the first instance.
class MetadataWriter {
 public:
  MetadataWriter(const Writer& writer, std::string root) : writer_(writer), root_(std::move(root)) {}

  bool add(const std::vector<engine::StoredInstance>& instances) {
    for (const auto& one : instances) {
      text_ += first_ ? "[" : ",";
      append_metadata(text_, one.index.metadata,
                      url_of(root_, one.index.study_uid, one.index.series_uid, one.index.sop_uid));
      if ((first_ || text_.size() >= piece_bytes) && !flush()) return false;
      first_ = false;
    }
    return true;
  }
  void end() {
    text_ += "]";
    (void)flush();
  }

 private:
  bool flush() {
    const bool well = writer_(std::as_bytes(std::span(text_)));
    text_.clear();
    return well;
  }
  const Writer& writer_;
  std::string root_, text_;
  bool first_ = true;
};

/// Series of a study, or the one that is asked for: what is held in memory at once.
std::vector<std::string> series_of(const engine::Catalogue& catalogue, const PathUids& uids) {
  if (!uids.series.empty()) return {uids.series};
  engine::Search search;
  search.level = engine::Level::series;
  search.study_uid = uids.study;
  search.limit = 100'000;
  std::vector<std::string> out;
  for (const auto& row : catalogue.search(search)) out.push_back(row.series_uid);
  return out;
}

Response metadata(const Backend& backend, const Request& request) {
  require_json_accepted(request);
  const PathUids uids = uids_of(request);
  auto series = series_of(*backend.catalogue, uids);
  auto first = series.empty() ? std::vector<engine::StoredInstance>()
                              : backend.catalogue->instances(uids.study, series[0], uids.instance);
  if (first.empty()) throw HttpError(404, "there is no such study, series or instance");
  const auto* catalogue = backend.catalogue;
  return {200,
          {{"Content-Type", std::string(dicom_json)}},
          StreamBody([catalogue, uids, series = std::move(series), first = std::move(first),
                      root = root_of(request)](const Writer& writer) {
            MetadataWriter out(writer, root);
            if (!out.add(first)) return;
            for (std::size_t i = 1; i < series.size(); ++i)
              if (!out.add(catalogue->instances(uids.study, series[i], uids.instance))) return;
            out.end();
          })};
}

Response bulk(const Backend& backend, const Request& request) {
  constexpr std::string_view octets = "application/octet-stream";
  const auto ranges = accepted(request);
  const auto whole = std::find_if(ranges.begin(), ranges.end(), [&](const MediaType& range) {
    return range.takes(octets) ||
           (range.takes("multipart/related") && range.parameter("type").value_or(std::string(octets)) == octets);
  });
  if (whole == ranges.end()) throw HttpError(406, "bulk data are offered as application/octet-stream");
  const auto& element = request.vars.at("element");
  if (element.find_first_not_of("0123456789ABCDEFabcdef/") != std::string::npos || element.size() > 256)
    throw HttpError(400, "the element in the path is no list of tags and items");
  const auto instance = instance_of(*backend.catalogue, request);
  const auto value = backend.bulk(backend.path_of(instance), element);
  std::string bytes(reinterpret_cast<const char*>(value.data()), value.size());
  const std::string etag = "\"" + instance.sha256 + "-" + element + "\"";
  if (whole->type == "application")
    return {200, {{"Content-Type", std::string(octets)}, {"ETag", etag}}, std::move(bytes)};
  const std::string boundary = new_boundary();
  return {200,
          {{"Content-Type", related_type(octets, boundary)}},
          part_head(boundary, octets) + std::move(bytes) + multipart_end(boundary)};
}

}  // namespace

Routes metadata_routes(const Backend& backend) {
  const std::string study = "/dicomweb/studies/{study}", series = study + "/series/{series}",
                    instance = series + "/instances/{instance}";
  const auto answer = [backend](const Request& request) { return metadata(backend, request); };
  return {{"GET", study + "/metadata", answer},
          {"GET", series + "/metadata", answer},
          {"GET", instance + "/metadata", answer},
          {"GET", instance + "/bulk/{element*}", [backend](const Request& request) { return bulk(backend, request); }}};
}

}  // namespace penta::server
