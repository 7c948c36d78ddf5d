#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penta::server::dimse {

/// Command Field (0000,0100), PS3.7 E.1.
enum class Kind : std::uint16_t {
  store_rq = 0x0001, store_rsp = 0x8001, get_rq = 0x0010, get_rsp = 0x8010, find_rq = 0x0020, find_rsp = 0x8020,
  move_rq = 0x0021, move_rsp = 0x8021, echo_rq = 0x0030, echo_rsp = 0x8030, cancel_rq = 0x0FFF,
};

/// Status (0000,0900), PS3.7 annex C and PS3.4 annexes B and C.
namespace status {
inline constexpr std::uint16_t success = 0x0000, class_not_supported = 0x0122, unknown_operation = 0x0211,
                               invalid_instance = 0x0117, out_of_resources = 0xA700, cannot_count = 0xA701,
                               cannot_move = 0xA702, destination_unknown = 0xA801, does_not_match = 0xA900,
                               some_failed = 0xB000, stored_but_differs = 0xB007, cannot_understand = 0xC000,
                               cancelled = 0xFE00, pending = 0xFF00, pending_without_some_keys = 0xFF01;
}

/// Numbers of sub-operations of a C-MOVE or C-GET.
struct Counts {
  std::uint16_t remaining = 0, completed = 0, failed = 0, warning = 0;
};

/// A command set (PS3.7 6.3.1).
struct Command {
  Kind kind = Kind::echo_rq;
  std::string sop_class, sop_instance, move_destination, originator_ae, comment;
  std::uint16_t message_id = 0;    ///< of a request; of a response: of the request that it answers
  std::uint16_t originator_id = 0, priority = 0, status = 0;
  bool has_data = false;
  std::optional<Counts> counts;

  [[nodiscard]] bool is_response() const noexcept { return (static_cast<std::uint16_t>(kind) & 0x8000U) != 0; }
};

/// Reads a command set. Nothing where it is none: cut off, without a command field or message id, an unknown field.
[[nodiscard]] std::optional<Command> read_command(std::span<const std::byte> bytes);
[[nodiscard]] std::vector<std::byte> to_bytes(const Command& command);
/// The response to `request`, without data.
[[nodiscard]] Command answer_to(const Command& request, std::uint16_t status, const std::string& comment = {});

}  // namespace penta::server::dimse
