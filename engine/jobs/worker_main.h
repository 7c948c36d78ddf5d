#pragma once

#include <cstddef>
#include <vector>

#include "core/json.h"
#include "engine/jobs/message.h"

namespace penta::engine {

/// What one request to a worker gives. Requests are {"do": ..., "path": ...} and
///   "index"        -> header {"index": {...}} as index_of() and json_of() say
///   "rendered"     -> payload: the picture; "frame", "centre", "width_of_window", "width", "height", "type", "quality"
///   "native_frame" -> payload: raw samples; "frame"
///   "transcoded"   -> payload: the file; "transfer_syntax"
///   "bulk"         -> payload: the value; "element": tag, or tag/item/tag
/// Errors go back as {"error": {"code": ..., "text": ...}}.
[[nodiscard]] Message answer_request(const Json& request);

}  // namespace penta::engine
