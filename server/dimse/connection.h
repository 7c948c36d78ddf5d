#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dcmlayer.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace penta::server::dimse {

/// A TCP connection under DCMTK's upper layer. It sends each PDU at once and in one piece, acknowledges at once what it
/// reads (docs/decisions/016), gives up at a deadline, and lets through only PDUs whose head is plausible.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Connection() = default;
  /// Until then a read may wait; after it, reads fail.
  virtual void set_deadline(Clock::time_point deadline) noexcept = 0;
  /// Bytes that may still be read before reads fail.
  virtual void set_budget(std::int64_t bytes) noexcept = 0;
  /// True when there is something to read.
  [[nodiscard]] virtual bool has_data() noexcept = 0;
  /// Wakes whoever reads or writes; called from another thread.
  virtual void stop() noexcept = 0;
};

/// Makes Connections for DCMTK, and tells of each.
[[nodiscard]] std::unique_ptr<DcmTransportLayer> make_transport(std::function<void(Connection*)> made);

}  // namespace penta::server::dimse
