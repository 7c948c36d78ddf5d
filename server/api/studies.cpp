#include "server/api/studies.h"

#include <algorithm>
#include <array>
#include <map>

#include "engine/store/attributes.h"
#include "server/api/parameters.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

using engine::Level;
using engine::Row;
using engine::Search;

std::string value(const Row& row, const char* tag) {
  const Json* attribute = row.attributes.find(tag);
  return attribute == nullptr ? "" : engine::value_text(*attribute);
}

std::int64_t number(const Row& row, const char* tag) { return whole_number(value(row, tag)).value_or(0); }

Json words(const std::string& joined) {
  Json list = Json::array();
  for (std::size_t at = 0; at < joined.size();) {
    const std::size_t end = std::min(joined.find('\\', at), joined.size());
    if (end > at) list.push(joined.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

Json jobs_of(const engine::Catalogue& catalogue, const std::string& study_uid) {
  std::map<std::string, int> counts{{"queued", 0}, {"running", 0}, {"done", 0}, {"failed", 0}, {"pending_review", 0}};
  for (const engine::JobRecord& job : catalogue.jobs(study_uid, std::nullopt, 1000)) {
    const bool partly = job.state == engine::JobState::partly_done;
    if (const auto it = counts.find(partly ? "done" : std::string(name_of(job.state))); it != counts.end()) ++it->second;
    if (job.review == "pending") ++counts["pending_review"];
  }
  Json json = Json::object();
  for (const char* key : {"queued", "running", "done", "failed", "pending_review"}) json.set(key, counts[key]);
  return json;
}

Json study_json(const engine::Catalogue& catalogue, const Row& row) {
  return Json::object()
      .set("study_uid", row.study_uid)
      .set("patient_name", value(row, "00100010"))
      .set("patient_id", value(row, "00100020"))
      .set("birth_date", value(row, "00100030"))
      .set("study_date", value(row, "00080020"))
      .set("study_time", value(row, "00080030"))
      .set("description", value(row, "00081030"))
      .set("accession", value(row, "00080050"))
      .set("modalities", words(value(row, "00080061")))
      .set("series_count", number(row, "00201206"))
      .set("instance_count", number(row, "00201208"))
      .set("received_ms", row.received_ms)
      .set("jobs", jobs_of(catalogue, row.study_uid));
}

Json instances_json(const engine::Catalogue& catalogue, const std::vector<engine::StoredInstance>& files, const Row& series) {
  std::map<std::string, std::int64_t> numbers;
  for (const Row& row : catalogue.search({Level::instance, {}, series.study_uid, series.series_uid, false, 100000, 0}))
    numbers[row.sop_uid] = number(row, "00200013");
  Json list = Json::array();
  for (const engine::StoredInstance& file : files)
    if (file.index.series_uid == series.series_uid)
      list.push(Json::object().set("sop_uid", file.index.sop_uid).set("number", numbers[file.index.sop_uid]).set("frames", file.index.frame_count));
  return list;
}

Json series_json(const engine::Catalogue& catalogue, const std::vector<engine::StoredInstance>& files, const Row& row) {
  std::int64_t frames = 0;
  const engine::InstanceIndex* first = nullptr;
  for (const engine::StoredInstance& file : files) {
    if (file.index.series_uid != row.series_uid) continue;
    if (first == nullptr) first = &file.index;
    frames += file.index.frame_count;
  }
  return Json::object()
      .set("series_uid", row.series_uid)
      .set("modality", value(row, "00080060"))
      .set("number", number(row, "00200011"))
      .set("description", value(row, "0008103E"))
      .set("instance_count", number(row, "00201209"))
      .set("frame_count", frames)
      .set("rows", first == nullptr ? std::int64_t{0} : first->rows)
      .set("columns", first == nullptr ? std::int64_t{0} : first->columns)
      .set("sop_class", first == nullptr ? "" : first->sop_class)
      .set("transfer_syntax", first == nullptr ? "" : first->transfer_syntax)
      .set("instances", instances_json(catalogue, files, row));
}

}  // namespace

Response list_studies(engine::Archive& archive, const Request& request) {
  check_query(request, {"search", "modality", "limit", "offset"});
  const engine::Catalogue& catalogue = archive.catalogue();
  Search search;
  search.limit = number_asked(request, "limit", 100, 1, 1000);
  search.offset = number_asked(request, "offset", 0, 0, 1000000000);
  if (const std::string modality = text_asked(request, "modality"); !modality.empty()) search.match.emplace_back("00080061", modality);
  search.text = text_asked(request, "search");
  const std::int64_t total = catalogue.count(search);
  Json studies = Json::array();
  for (const Row& row : catalogue.search(search)) studies.push(study_json(catalogue, row));
  return json_response(Json::object().set("total", total).set("studies", std::move(studies)));
}

Response one_study(engine::Archive& archive, const Request& request) {
  check_query(request, {});
  const std::string uid = uid_in_path(request, "study");
  const engine::Catalogue& catalogue = archive.catalogue();
  const std::vector<Row> found = catalogue.search({Level::study, {}, uid, "", false, 1, 0});
  if (found.empty()) throw HttpError(404, "there is no study " + uid);
  const std::vector<engine::StoredInstance> files = catalogue.files(uid, "", "");
  Json series = Json::array();
  for (const Row& row : catalogue.search({Level::series, {}, uid, "", false, 10000, 0})) series.push(series_json(catalogue, files, row));
  return json_response(study_json(catalogue, found.front()).set("series", std::move(series)));
}

Response remove_study(engine::Archive& archive, const Request& request) {
  check_query(request, {});
  const std::string uid = uid_in_path(request, "study");
  if (archive.catalogue().count({Level::study, {}, uid, "", false, 1, 0}) == 0) throw HttpError(404, "there is no study " + uid);
  archive.remove(uid, "", request.client);
  return {204, {}, std::string()};
}

}  // namespace penta::server
