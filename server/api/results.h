#pragma once

#include "engine/jobs/queue.h"
#include "server/http/message.h"

namespace penta::server {

/// GET /api/jobs/{id}/result, /files, /files/{name*}: what a job made.
[[nodiscard]] Response job_result(const engine::JobQueue& queue, const Request& request);
[[nodiscard]] Response job_files(const engine::JobQueue& queue, const Request& request);
[[nodiscard]] Response job_file(const engine::JobQueue& queue, const Request& request);

/// The media type of a file by how its name ends.
[[nodiscard]] std::string_view type_of_file(std::string_view name) noexcept;

}  // namespace penta::server
