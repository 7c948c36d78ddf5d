#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace penta::server::dimse {

/// A TCP connection under DCMTK's upper layer. It sends each PDU at once and in one piece, acknowledges at once what it
/// reads (docs/decisions/020), gives up at a deadline, and lets through only PDUs whose head is plausible.
class Connection : public DcmTCPConnection {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Connection(int socket);

  /// Until then a read may wait; after it, reads fail.
  void set_deadline(Clock::time_point deadline) noexcept { deadline_ = deadline; }
  /// Bytes that may still be read before reads fail.
  void set_budget(std::int64_t bytes) noexcept { budget_bytes_ = bytes; }
  /// Wakes whoever reads or writes; called from another thread.
  void stop() noexcept;

  ssize_t read(void* buffer, size_t count) override;
  ssize_t write(void* buffer, size_t count) override;
  OFBool networkDataAvailable(int timeout_s) override;
  OFBool isTransparentConnection() override { return OFFalse; }  // keeps DCMTK from polling beside our buffer

 private:
  [[nodiscard]] bool wait(short events, Clock::time_point until) noexcept;
  [[nodiscard]] bool fill() noexcept;
  [[nodiscard]] std::int64_t length_of_head() const noexcept;
  [[nodiscard]] bool head_allowed() const noexcept;
  [[nodiscard]] bool send_all(const std::byte* first, std::size_t first_count, const std::byte* second,
                              std::size_t second_count) noexcept;

  std::vector<std::byte> in_;
  std::size_t in_begin_ = 0, in_end_ = 0;
  std::vector<std::byte> head_out_;      ///< the head of a PDU that waits for its body
  std::int64_t pdu_left_ = 0;            ///< bytes of the PDU being read that have not been handed on
  std::int64_t budget_bytes_ = 1 << 20;
  Clock::time_point deadline_ = Clock::time_point::max();
};

/// Makes Connections, and tells of each.
class Transport : public DcmTransportLayer {
 public:
  explicit Transport(std::function<void(Connection*)> made) : made_(std::move(made)) {}
  DcmTransportConnection* createConnection(DcmNativeSocketType socket, OFBool secure) override;

 private:
  std::function<void(Connection*)> made_;
};

}  // namespace penta::server::dimse
