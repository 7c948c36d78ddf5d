#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "server/dimse/channel.h"
#include "server/dimse/dimse.h"

namespace penta::server::dimse {

/// An instance to be sent.
struct Item {
  std::filesystem::path path;
  std::string sop_class, sop_instance, transfer_syntax;
};

/// Reads what an Item needs from the meta header of a file. Throws Error{bad_input}.
[[nodiscard]] Item item_of(const std::filesystem::path& path);

/// Sends instances by C-STORE over an association: as they are where the peer took their transfer syntax, else
/// transcoded.
class Sender {
 public:
  struct Outcome {
    std::uint16_t status = 0;
    std::string why;  ///< where it was not taken
  };

  Sender(Channel& channel, const Transcode& transcode) : channel_(channel), transcode_(transcode) {}
  /// Of the C-MOVE that asked for it (PS3.7 9.1.1.1.6).
  void set_originator(const std::string& ae_title, std::uint16_t message_id);
  /// What else comes while an answer is waited for: C-CANCEL.
  void on_other(std::function<void(const Message&)> other) { other_ = std::move(other); }
  /// Throws Ended when the association is over.
  [[nodiscard]] Outcome send(const Item& item);

 private:
  [[nodiscard]] const Context* context_for(const std::string& sop_class, std::string_view syntax) const;
  [[nodiscard]] std::uint16_t answer(std::uint16_t message_id);

  Channel& channel_;
  const Transcode& transcode_;
  std::function<void(const Message&)> other_;
  std::string originator_ae_;
  std::uint16_t originator_id_ = 0, next_id_ = 1;
};

/// True for success and the warnings (Bxxx).
[[nodiscard]] bool was_taken(std::uint16_t status) noexcept;

/// An association that we ask a peer for.
class Outgoing {
 public:
  /// Contexts for the items: each class with each syntax in use, and in little endian. Throws Error{output_failed}
  /// that says why there is none.
  Outgoing(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const Item> items);
  ~Outgoing();
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  [[nodiscard]] Channel& channel() noexcept { return *channel_; }
  void release() noexcept;

 private:
  void request(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const Item> items);
  void close() noexcept;

  std::unique_ptr<DcmTransportLayer> transport_;
  Connection* connection_ = nullptr;
  T_ASC_Network* network_ = nullptr;
  T_ASC_Association* association_ = nullptr;
  std::unique_ptr<Channel> channel_;
  bool over_ = false;
};

/// How many of the items, from the first on, one association has presentation contexts for.
[[nodiscard]] std::size_t items_of_one_association(std::span<const Item> items);

/// Silences DCMTK's log and its name look-ups; sets its time limits. Once a process.
void set_up_dcmtk();
/// Why DCMTK failed, in one line.
[[nodiscard]] std::string reason_of(const OFCondition& condition);

}  // namespace penta::server::dimse
