#include "server/api/results.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "server/api/parameters.h"

namespace penta::server {

namespace {

namespace fs = std::filesystem;

struct Type {
  std::string_view ending, type;
};

constexpr std::array types{
    Type{".html", "text/html; charset=utf-8"}, Type{".css", "text/css; charset=utf-8"}, Type{".js", "text/javascript; charset=utf-8"},
    Type{".mjs", "text/javascript; charset=utf-8"}, Type{".wasm", "application/wasm"}, Type{".json", "application/json"},
    Type{".csv", "text/csv; charset=utf-8"}, Type{".txt", "text/plain; charset=utf-8"}, Type{".pdf", "application/pdf"},
    Type{".png", "image/png"}, Type{".jpg", "image/jpeg"}, Type{".svg", "image/svg+xml"}, Type{".ico", "image/x-icon"},
    Type{".woff2", "font/woff2"}, Type{".dcm", "application/dicom"}, Type{".gz", "application/gzip"},
    Type{".webmanifest", "application/manifest+json"}};

// What came from images and what was made of them runs no script and asks nobody for anything.
constexpr std::string_view result_policy =
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin";

struct File {
  std::string name;
  std::int64_t bytes = 0;
};

// Names below the job's folder, in order. No links: a name leads to nothing that is elsewhere.
std::vector<File> files_of(const fs::path& folder) {
  std::vector<File> files;
  std::error_code fault;
  for (fs::recursive_directory_iterator it(folder, fault), end; !fault && it != end; it.increment(fault))
    if (it->is_regular_file() && !it->is_symlink())
      files.push_back({it->path().lexically_relative(folder).generic_string(), static_cast<std::int64_t>(it->file_size())});
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.name < b.name; });
  return files;
}

std::int64_t job_that_is_there(const engine::JobQueue& queue, const Request& request) {
  check_query(request, {});
  const std::int64_t id = id_in_path(request);
  if (!queue.job(id)) throw HttpError(404, "there is no job " + std::to_string(id));
  return id;
}

Response file_response(const fs::path& path) {
  const std::string_view type = type_of_file(path.filename().string());
  Headers headers{{"Content-Type", std::string(type)}};
  if (type != "application/pdf") headers.emplace_back("Content-Security-Policy", std::string(result_policy));
  return {200, std::move(headers), FileBody{path, 0, -1}};
}

}  // namespace

std::string_view type_of_file(std::string_view name) noexcept {
  const auto ends = [&](const Type& type) { return name.size() > type.ending.size() && name.substr(name.size() - type.ending.size()) == type.ending; };
  const auto found = std::find_if(types.begin(), types.end(), ends);
  return found == types.end() ? "application/octet-stream" : found->type;
}

Response job_result(const engine::JobQueue& queue, const Request& request) {
  const fs::path path = queue.folder_of(job_that_is_there(queue, request)) / "result.json";
  if (!fs::is_regular_file(path)) throw HttpError(404, "this job has no result");
  return file_response(path);
}

Response job_files(const engine::JobQueue& queue, const Request& request) {
  const fs::path folder = queue.folder_of(job_that_is_there(queue, request));
  Json list = Json::array();
  for (const File& file : files_of(folder))
    list.push(Json::object().set("name", file.name).set("bytes", file.bytes).set("type", type_of_file(file.name)));
  return json_response(Json::object().set("files", std::move(list)));
}

Response job_file(const engine::JobQueue& queue, const Request& request) {
  const fs::path folder = queue.folder_of(job_that_is_there(queue, request));
  // Only a name that the list has: whatever else a path says leads nowhere.
  const std::string& name = request.vars.at("name");
  const std::vector<File> files = files_of(folder);
  if (std::none_of(files.begin(), files.end(), [&](const File& file) { return file.name == name; }))
    throw HttpError(404, "this job has no such file");
  return file_response(folder / name);
}

}  // namespace penta::server
