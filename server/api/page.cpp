#include <filesystem>

#include "server/api/api.h"
#include "server/api/results.h"

namespace penta::server {

namespace {

namespace fs = std::filesystem;

Response page_file(const fs::path& path, bool may_change) {
  Headers headers{{"Content-Type", std::string(type_of_file(path.filename().string()))}};
  headers.emplace_back("Cache-Control", may_change ? "no-cache" : "public, max-age=31536000, immutable");
  return {200, std::move(headers), FileBody{path, 0, -1}};
}

// The file that a path names, below the folder and nowhere else.
fs::path file_at(const fs::path& folder, const std::string& name) {
  std::error_code fault;
  const fs::path path = fs::weakly_canonical(folder / fs::path(name).relative_path(), fault);
  const fs::path inside = path.lexically_relative(folder);
  if (fault || inside.empty() || *inside.begin() == "..") return {};
  return fs::is_regular_file(path, fault) ? path : fs::path{};
}

// What is asked for by programs: there a file that is missing is missing.
bool is_for_programs(const std::string& name) {
  const std::string first = name.substr(0, name.find('/'));
  return first == "assets" || first == "api" || first == "dicomweb";
}

Response page(const fs::path& folder, const std::string& name) {
  if (const fs::path file = file_at(folder, name); !file.empty()) return page_file(file, name.rfind("assets/", 0) != 0);
  if (is_for_programs(name)) throw HttpError(404, "there is no '" + name + "'");
  // A place of the page itself, dots or none ("/study/1.2.3.4"): the page knows what it is.
  const fs::path index = folder / "index.html";
  if (fs::is_regular_file(index)) return page_file(index, true);
  return {200, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string("Pentascope is running; the page is not built (web/). The API is at /api, DICOMweb at /dicomweb.\n")};
}

}  // namespace

Routes page_routes(const fs::path& folder) {
  std::error_code fault;
  const fs::path root = fs::weakly_canonical(folder, fault);
  return {{"GET", "/", [root](const Request&) { return page(root, ""); }},
          {"GET", "/{rest*}", [root](const Request& request) { return page(root, request.vars.at("rest")); }}};
}

}  // namespace penta::server
