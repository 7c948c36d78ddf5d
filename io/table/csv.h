#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/results.h"

namespace penta::io::table {

/// Comma-separated text (RFC 4180; semicolons or tabs where the first line has more of these), UTF-8 with or without a
/// byte order mark. The first line names the columns, unless all its cells are numbers: then they are "1", "2", ...
/// Blank lines are passed over. Throws Error{bad_input} that names the file and the line: cells more or fewer than
/// columns, a quote that never ends, a zero byte, two columns of one name, nothing at all.
[[nodiscard]] Table read(std::span<const std::byte> bytes, const std::string& name);

/// One cell as RFC 4180 writes it: in quotes where it holds a comma, a quote or the end of a line, and where a reader could
/// take it for something else (a semicolon, a tab, a byte order mark at its start).
[[nodiscard]] std::string cell(const std::string& text);
/// RFC 4180 with a line of names; lines end in a line feed.
[[nodiscard]] std::string write(const Table& table);

}  // namespace penta::io::table
