#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/json.h"

namespace penta::engine {

/// What goes between the server and a worker: a JSON header and bytes. On the wire: the length of the header (32 bits)
/// and of the payload (64 bits), both little-endian, then the two.
struct Message {
  Json header;
  std::vector<std::byte> payload;
};

/// A header may have this many bytes, a payload this many.
constexpr std::size_t header_bytes_max = std::size_t{64} << 20, payload_bytes_max = std::size_t{4} << 30;

/// Throws Error{internal} once the other side is gone.
void send_message(int socket, const Json& header, std::span<const std::byte> payload);
/// Nothing at a clean end. Throws Error{internal} for an end in the middle, a length over the limits or a header that
/// is no JSON; Error{cancelled} past `until`; Error{out_of_memory} for a payload of more than `payload_max`.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;
[[nodiscard]] std::optional<Message> receive_message(int socket, Deadline until = {}, std::uint64_t payload_max = payload_bytes_max);

}  // namespace penta::engine
