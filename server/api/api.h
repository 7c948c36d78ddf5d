#pragma once

#include "engine/jobs/queue.h"
#include "engine/jobs/workers.h"
#include "engine/store/archive.h"
#include "server/http/message.h"

namespace penta::server {

/// Studies, series, jobs, methods, results, audit under /api, as /api/openapi.json says.
[[nodiscard]] Routes api_routes(engine::Archive& archive, engine::JobQueue& queue, engine::Workers& workers);

/// The page: files of `folder` (built by web/), index.html for every path that is no file.
[[nodiscard]] Routes page_routes(const std::filesystem::path& folder);

}  // namespace penta::server
