#pragma once

#include <cstddef>
#include <span>

namespace penta::io::dicom {

inline constexpr int nesting_limit = 32;

struct Nesting {
  int depth = 0;         ///< of sequences, at most nesting_limit + 1
  bool overrun = false;  ///< a value before the pixel data ends behind the last byte
};

/// How deep the sequences of a data set are nested before its pixel data. A parser that calls itself for each
/// sequence would use up its stack on a hostile file, so this one does not. Where the bytes cannot be followed, each
/// further item tag counts as one level once there are more than 1000 of them.
[[nodiscard]] Nesting nesting_of(std::span<const std::byte> bytes, bool big_endian, bool implicit_vr) noexcept;

}  // namespace penta::io::dicom
