#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penta::io::rawdata {

/// What the header of an .npy says.
struct NpyHeader {
  char kind = 'f';       ///< of the array interface: b i u f c (bool, signed, unsigned, float, complex)
  int bytes = 4;         ///< of one element
  bool swapped = false;  ///< not in the machine's byte order
  bool fortran = false;  ///< first axis fastest
  std::vector<std::int64_t> shape;
  std::size_t data_start = 0;
};

/// Reads magic, version and the dictionary (numpy.lib.format). `doing` starts every message.
/// Throws Error{bad_input}: another version, a damaged dictionary, an element type that is no number, a shape of more
/// than 8 GiB or more elements than the file holds.
[[nodiscard]] NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& doing);

}  // namespace penta::io::rawdata
