#pragma once

#include "engine/jobs/workers.h"
#include "engine/store/archive.h"
#include "server/http/message.h"

namespace penta::server {

/// STOW-RS, QIDO-RS and WADO-RS (PS3.18 chapter 10) under /dicomweb.
[[nodiscard]] Routes dicomweb_routes(engine::Archive& archive, engine::Workers& workers);

}  // namespace penta::server
