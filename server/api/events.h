#pragma once

#include <cstdint>
#include <optional>

#include "engine/jobs/queue.h"
#include "server/http/message.h"

namespace penta::server {

/// Server-sent events (WHATWG HTML 9.2) of everything, or of one job: then its state as it is comes first, and the stream
/// ends once the job has ended. A comment goes out every 15 s, so that both sides see when the other is gone.
[[nodiscard]] Response events(engine::JobQueue& queue, std::optional<std::int64_t> job);

}  // namespace penta::server
