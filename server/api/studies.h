#pragma once

#include <string>

#include "engine/store/archive.h"
#include "server/http/message.h"

namespace penta::server {

/// GET /api/studies.
[[nodiscard]] Response list_studies(engine::Archive& archive, const Request& request);
/// GET /api/studies/{study}: with its series and instances. HttpError 404.
[[nodiscard]] Response one_study(engine::Archive& archive, const Request& request);
/// DELETE /api/studies/{study}.
[[nodiscard]] Response remove_study(engine::Archive& archive, const Request& request);

}  // namespace penta::server
