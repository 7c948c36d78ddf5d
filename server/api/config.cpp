#include "server/api/config.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "core/error.h"

namespace penta::server {

namespace {

[[noreturn]] void wrong(const std::string& what) { throw Error(Code::wrong_use, what); }

// What to do with each member that an object may have; another is an error that names it.
using Members = std::map<std::string, std::function<void(const Json&)>>;

void take(const Json& json, const std::string& where, const Members& members) {
  if (!json.is_object()) wrong("'" + where + "' is not an object");
  for (const auto& [key, value] : json.members()) {
    const auto it = members.find(key);
    const std::string path = where.empty() ? key : where + "." + key;
    if (it == members.end()) wrong("there is no setting '" + path + "'");
    try {
      it->second(value);
    } catch (const Error& fault) {
      wrong("'" + path + "': " + fault.what());
    }
  }
}

std::int64_t whole(const Json& json, std::int64_t least, std::int64_t most) {
  if (!json.is_integer() || json.integer() < least || json.integer() > most)
    wrong("expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return json.integer();
}

double positive(const Json& json) {
  if (!json.is_number() || !(json.number() > 0) || !(json.number() < 1e6)) wrong("expected a number > 0");
  return json.number();
}

std::uint16_t port_of(const Json& json) { return static_cast<std::uint16_t>(whole(json, 0, 65535)); }

const Json::Array& list(const Json& json) {
  if (!json.is_array()) wrong("expected a list");
  return json.items();
}

// PS3.5 6.2: 16 characters, no backslash, no control characters.
std::string ae_title(const Json& json) {
  constexpr std::size_t chars_max = 16;
  const std::string& text = json.text();
  if (text.empty() || text.size() > chars_max || text.find('\\') != std::string::npos ||
      std::any_of(text.begin(), text.end(), [](char c) { return c < 0x20 || c == 0x7F; }))
    wrong("an AE title has 1 to 16 characters, no backslash among them");
  return text;
}

DicomPeer peer_of(const Json& json) {
  DicomPeer peer;
  take(json, "", {{"name", [&](const Json& v) { peer.name = v.text(); }},
                  {"ae_title", [&](const Json& v) { peer.ae_title = ae_title(v); }},
                  {"host", [&](const Json& v) { peer.host = v.text(); }},
                  {"port", [&](const Json& v) { peer.port = port_of(v); }}});
  if (peer.name.empty() || peer.ae_title.empty() || peer.host.empty()) wrong("a peer has a name, an ae_title and a host");
  return peer;
}

void take_dicom(const Json& json, Config& config) {
  config.dicom = true;
  take(json, "dicom", {{"ae_title", [&](const Json& v) { config.dimse.ae_title = ae_title(v); }},
                       {"port", [&](const Json& v) { config.dimse.port = port_of(v); }},
                       {"peers", [&](const Json& v) { for (const Json& one : list(v)) config.dimse.peers.push_back(peer_of(one)); }}});
}

void take_ohif(const Json& json, Config& config) {
  config.ohif = true;
  take(json, "ohif", {{"port", [&](const Json& v) { config.ohif_port = port_of(v); }},
                      {"folder", [&](const Json& v) { config.ohif_folder = v.text(); }}});
}

void take_limits(const Json& json, Config& config) {
  const auto count = [](int& where) { return [&where](const Json& v) { where = static_cast<int>(whole(v, 1, 1024)); }; };
  take(json, "limits",
       {{"worker_memory_gb", [&](const Json& v) { config.worker.memory_gb = positive(v); }},
        {"worker_seconds", [&](const Json& v) { config.worker.seconds = std::chrono::seconds(whole(v, 1, 86400)); }},
        {"worker_answer_gb", [&](const Json& v) { config.worker.answer_bytes = static_cast<std::int64_t>(std::min(positive(v), 4.0) * 1073741824.0); }},
        {"job_seconds", [&](const Json& v) { config.job_seconds = std::chrono::seconds(whole(v, 1, 31536000)); }},
        {"jobs_memory_gb", [&](const Json& v) { config.jobs_memory_gb = positive(v); }},
        {"jobs_at_once", count(config.jobs_at_once)},
        {"job_attempts", count(config.job_attempts)},
        {"connections", count(config.http.connections_max)},
        {"associations", count(config.dimse.associations_max)},
        {"body_gb", [&](const Json& v) { config.http.body_bytes_max = static_cast<std::int64_t>(positive(v) * 1073741824.0); }},
        {"quiet_seconds", [&](const Json& v) { config.quiet = std::chrono::milliseconds(static_cast<std::int64_t>(positive(v) * 1000)); }}});
}

void take_all(const Json& json, Config& config) {
  const Json* rules = nullptr;
  take(json, "",
       {{"http", [&](const Json& v) {
           take(v, "http", {{"port", [&](const Json& p) { config.http.port = port_of(p); }},
                            {"address", [&](const Json& a) { config.http.address = a.text(); }}});
         }},
        {"dicom", [&](const Json& v) { take_dicom(v, config); }},
        {"ohif", [&](const Json& v) { take_ohif(v, config); }},
        {"workers", [&](const Json& v) { config.workers = static_cast<int>(whole(v, 1, 256)); }},
        {"limits", [&](const Json& v) { take_limits(v, config); }},
        {"rules", [&](const Json& v) { rules = &v; }}});
  // Rules name peers, wherever in the file these stand.
  if (rules != nullptr)
    for (const Json& rule : list(*rules)) config.rules.push_back(engine::rule_of(rule, peer_names(config)));
}

}  // namespace

Config read_config(const std::filesystem::path& file) {
  Config config;
  std::error_code fault;
  if (!std::filesystem::exists(file, fault)) return config;
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  try {
    if (!in) wrong("it cannot be read");
    take_all(Json::parse(text), config);
  } catch (const Error& error) {
    throw Error(Code::wrong_use, "the configuration '" + file.string() + "': " + error.what());
  }
  return config;
}

Json rules_json(const Config& config) {
  Json rules = Json::array(), peers = Json::array();
  for (const engine::Rule& rule : config.rules) rules.push(engine::json_of(rule));
  for (const DicomPeer& peer : config.dimse.peers)
    peers.push(Json::object().set("name", peer.name).set("ae_title", peer.ae_title).set("host", peer.host).set("port", static_cast<int>(peer.port)));
  return Json::object().set("rules", std::move(rules)).set("peers", std::move(peers)).set("quiet_seconds", static_cast<double>(config.quiet.count()) / 1000);
}

std::vector<std::string> peer_names(const Config& config) {
  std::vector<std::string> names;
  for (const DicomPeer& peer : config.dimse.peers) names.push_back(peer.name);
  return names;
}

}  // namespace penta::server
