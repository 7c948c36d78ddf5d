#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace penta::io {

/// Reads a file that lies in the same folder as the one being read: `.img` of a `.hdr`, the data of an `.mhd`.
/// Takes a plain file name. Throws Error{bad_input} for a name with a folder part, or where there is no such file.
using ReadBeside = std::function<std::vector<std::byte>(const std::string& file_name)>;

}  // namespace penta::io
