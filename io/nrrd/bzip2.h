#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penta::io::nrrd {

/// The first `count` bytes behind bzip2. Throws Error{bad_input} that starts with `doing` where there are fewer, where
/// the data is damaged, or where `count` is more than 512 MiB and 200 times what is packed.
[[nodiscard]] std::vector<std::byte> bunzip2(std::span<const std::byte> bytes, std::uint64_t count,
                                             const std::string& doing);

}  // namespace penta::io::nrrd
