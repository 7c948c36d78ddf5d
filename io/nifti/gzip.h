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

/// What lies behind the bytes that were asked for.
enum class Behind {
  nothing,
  padding,      ///< zeros after the last member
  other_bytes,  ///< bytes after the last member that are no gzip
  more_data     ///< the gzip data goes on
};

/// Fills `out` with the first bytes behind gzip: any number of members, of which the CRC of each one touched is checked;
/// those that gzip_members() made are unpacked side by side. Throws Error{bad_input} that names `name` where there are
/// fewer bytes, where the data is damaged, or as check_expansion().
Behind gunzip_into(std::span<const std::byte> bytes, std::span<std::byte> out, const std::string& name);

/// The same, as a vector of `count` bytes; what follows is left alone.
[[nodiscard]] std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::uint64_t count,
                                            const std::string& name);

/// Throws Error{bad_input} that names `name` where `count` bytes cannot be in `packed` bytes of deflate, or are more
/// than 512 MiB and 200 times as many: a bomb rather than an image.
void check_expansion(std::uint64_t count, std::uint64_t packed, const std::string& name);

/// One gzip member with modification time 0: the same bytes give the same bytes.
[[nodiscard]] std::vector<std::byte> gzip(std::span<const std::byte> bytes);

/// Gzip members of at most 2 MiB each, packed side by side; the same bytes for any number of threads. Each says its
/// packed size in an extra field "PS" (RFC 1952 2.3.1.1), which other readers pass over. A member is of one piece.
[[nodiscard]] std::vector<std::byte> gzip_members(std::span<const std::span<const std::byte>> pieces);

/// As gunzip() and gzip(), for one zlib stream (RFC 1950): exactly `count` bytes, or Error{bad_input}.
[[nodiscard]] std::vector<std::byte> unzip_zlib(std::span<const std::byte> bytes, std::uint64_t count,
                                                const std::string& name);
[[nodiscard]] std::vector<std::byte> zip_zlib(std::span<const std::byte> bytes);

}  // namespace penta::io::nifti
