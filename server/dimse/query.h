#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/catalogue.h"
#include "server/dimse/elements.h"

namespace penta::server::dimse {

enum class QueryLevel { patient, study, series, image };

/// The identifier of a C-FIND, C-MOVE or C-GET (PS3.4 C.2.1).
struct Query {
  struct Key {
    std::uint32_t tag = 0;
    std::string vr;     ///< empty: implicit
    std::string value;  ///< UTF-8, without padding
    bool sequence = false;
  };
  QueryLevel level = QueryLevel::study;
  std::vector<Key> keys;

  [[nodiscard]] std::string value_of(std::uint32_t tag) const;
};

/// Reads an identifier; nothing where the bytes make no sense or there is no known level.
[[nodiscard]] std::optional<Query> read_query(std::span<const std::byte> bytes, Encoding encoding);
/// What the catalogue is asked for it (the patient level by its studies).
[[nodiscard]] engine::Search search_of(const Query& query);
/// The identifier of one match: the keys that were asked for, in ascending order, in UTF-8.
[[nodiscard]] std::vector<std::byte> match_bytes(const Query& query, const engine::Row& row, const std::string& ae_title,
                                                 Encoding encoding);

}  // namespace penta::server::dimse
