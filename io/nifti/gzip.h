#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penta::io::nifti {

/// True when the bytes start as a gzip member (RFC 1952 2.3.1).
[[nodiscard]] bool is_gzip(std::span<const std::byte> bytes) noexcept;

/// The first `count` bytes behind gzip, or fewer where the data ends or is damaged before.
[[nodiscard]] std::vector<std::byte> gunzip_head(std::span<const std::byte> bytes, std::size_t count);

/// Exactly the first `count` bytes behind gzip (any number of members, their CRC checked; what follows is left alone).
/// Throws Error{bad_input} that names `name` where there are
/// fewer, where the data is damaged, or where `count` is more than deflate can have packed into `bytes`.
[[nodiscard]] std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::uint64_t count,
                                            const std::string& name);

/// One gzip member with modification time 0: the same bytes give the same bytes.
[[nodiscard]] std::vector<std::byte> gzip(std::span<const std::byte> bytes);

/// The same for one zlib stream (RFC 1950): exactly `count` bytes, or Error{bad_input} that names `name`.
[[nodiscard]] std::vector<std::byte> unzip_zlib(std::span<const std::byte> bytes, std::uint64_t count,
                                                const std::string& name);
[[nodiscard]] std::vector<std::byte> zip_zlib(std::span<const std::byte> bytes);

}  // namespace penta::io::nifti
