#pragma once

#include <string>

#include "core/json.h"
#include "engine/jobs/queue.h"
#include "engine/store/archive.h"
#include "server/http/message.h"

namespace penta::server {

/// What the API says of this server.
struct ApiSettings {
  std::string version;
  Json rules = Json::object();  ///< {"rules": [...], "peers": [...]}, as /api/rules shows them
};

/// Studies, series, jobs, methods, results, audit under /api, as /api/openapi.json says.
[[nodiscard]] Routes api_routes(engine::Archive& archive, engine::JobQueue& queue, const ApiSettings& settings);

/// The page: files of `folder` (built by web/), index.html for every path that is no file.
[[nodiscard]] Routes page_routes(const std::filesystem::path& folder);

}  // namespace penta::server
