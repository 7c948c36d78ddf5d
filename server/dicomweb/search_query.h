#pragma once

#include <string>
#include <vector>

#include "engine/store/catalogue.h"
#include "server/http/message.h"

namespace penta::server {

/// What a QIDO-RS request asks for.
struct SearchQuery {
  engine::Search search;
  std::vector<std::string> include;  ///< tags beyond those that every answer has
  bool include_all = false;
  std::vector<std::string> ignored;  ///< keys that the level's search does not match on
  bool limited_by_server = false;    ///< the request's limit is over ours, or absent
};

/// Answers of one page at most; more are asked for with offset.
inline constexpr std::int64_t results_max = 5000;

/// "00100010" of a tag or keyword. Throws HttpError 400 for another text, and for elements of sequences ("a.b").
[[nodiscard]] std::string tag_named(const std::string& name);
/// Reads the query (PS3.18 8.3.4, 10.6.1). Throws HttpError 400 that names the key.
[[nodiscard]] SearchQuery parse_search(const Request& request, engine::Level level);

}  // namespace penta::server
