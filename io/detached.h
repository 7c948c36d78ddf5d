#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/beside.h"
#include "io/nifti/header.h"

/// What the text headers of NRRD and MetaImage share where the voxels lie in other files, or as text.
namespace penta::io {

/// "slice%03d.raw" for first, first + step, ... last. Throws Error{bad_input} that starts with `doing` on a pattern
/// without exactly one %d or %i, a step of 0 or the wrong way, and more than 65536 names.
[[nodiscard]] std::vector<std::string> numbered_names(const std::string& pattern, std::int64_t first, std::int64_t last,
                                                      std::int64_t step, const std::string& doing);

/// The words that stand one a line from `at` on, to the end of the bytes; blank lines are passed over.
[[nodiscard]] std::vector<std::string> listed_names(std::span<const std::byte> bytes, std::size_t at,
                                                    const std::string& doing);

/// `count` numbers between blanks or commas, stored as `datatype` in the machine's byte order. Throws Error{bad_input}
/// that starts with `doing` where there are fewer, or one does not fit the type.
[[nodiscard]] std::vector<std::byte> bytes_from_text(std::string_view text, nifti::Datatype datatype,
                                                     std::uint64_t count, const std::string& doing);

/// `count` bytes of two hexadecimal digits each, blanks between them passed over.
[[nodiscard]] std::vector<std::byte> bytes_from_hex(std::string_view text, std::uint64_t count,
                                                    const std::string& doing);

/// For a file that is read alone: each name that it asks for is an Error{bad_input} that says so.
[[nodiscard]] ReadBeside nothing_beside(const std::string& name);

}  // namespace penta::io
