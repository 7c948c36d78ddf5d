#pragma once

#include "engine/store/sqlite.h"

namespace penta::engine {

/// The newest version of the data base (PRAGMA user_version).
[[nodiscard]] int schema_version() noexcept;

/// Brings a data base to `version`, each step in a transaction of its own. Throws Error{bad_input} for one that is newer.
void migrate(Connection& connection, int version = schema_version());

}  // namespace penta::engine
