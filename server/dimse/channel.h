#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/assoc.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/dimse/command.h"
#include "server/dimse/connection.h"

namespace penta::server::dimse {

/// Thrown when an association is over.
class Ended : public std::runtime_error {
 public:
  enum class How { released, aborted, lost, fault };
  Ended(How how, const std::string& why) : std::runtime_error(why), how_(how) {}
  [[nodiscard]] How how() const noexcept { return how_; }

 private:
  How how_;
};

/// An accepted presentation context.
struct Context {
  std::uint8_t id = 0;
  std::string sop_class, transfer_syntax;
  bool we_send = false;  ///< the other side takes C-STORE requests on it
};

struct Message {
  Command command;
  std::uint8_t context = 0;
};

/// DIMSE messages over one association of DCMTK's upper layer (PS3.7 6.3, PS3.8 annex E). DCMTK's own message layer is
/// not used: it knows only the transfer syntaxes of its own version, and parses what comes without limits.
class Channel {
 public:
  using Sink = std::function<void(std::span<const std::byte>)>;

  /// `ours`: this side asked for the association.
  Channel(T_ASC_Association& association, Connection& connection, bool ours);

  [[nodiscard]] const std::vector<Context>& contexts() const noexcept { return contexts_; }
  [[nodiscard]] const Context* context(std::uint8_t id) const noexcept;

  /// The next command. Throws Ended when the association is over, or nothing came within `patience`.
  [[nodiscard]] Message receive(std::chrono::seconds patience);
  /// The data set that follows a command. Throws Ended also where it has more than `limit_bytes` or is too slow.
  void receive_data(std::uint8_t context, std::int64_t limit_bytes, const Sink& sink);
  /// True when something has come that was not yet read.
  [[nodiscard]] bool waiting();

  void send(std::uint8_t context, const Command& command, std::span<const std::byte> data = {});
  /// A command with the bytes of a file from `offset` on as its data set.
  void send_file(std::uint8_t context, const Command& command, const std::filesystem::path& file, std::int64_t offset);

 private:
  [[nodiscard]] DUL_PDV next_pdv();
  void write_pieces(std::uint8_t context, DUL_DATAPDV kind, std::span<const std::byte> bytes, bool last);

  T_ASC_Association& association_;
  Connection& connection_;
  std::vector<Context> contexts_;
  std::optional<DUL_PDV> ahead_;
};

}  // namespace penta::server::dimse
