#pragma once

#include <string>
#include <vector>

#include "engine/store/archive.h"
#include "server/dimse/channel.h"
#include "server/dimse/dimse.h"
#include "server/dimse/query.h"
#include "server/dimse/sender.h"

namespace penta::server::dimse {

/// How far a C-MOVE or C-GET is.
struct Retrieval {
  Counts counts;
  std::vector<std::string> failed;  ///< SOP instance UIDs
  bool cancelled = false;
};

/// What answers the requests of one association.
class Service {
 public:
  Service(const DimseSettings& settings, engine::Archive& archive, Channel& channel, std::string peer_ae_title)
      : settings_(settings), archive_(archive), channel_(channel), peer_(std::move(peer_ae_title)) {}

  /// Answers until the association ends: always by throwing Ended.
  [[noreturn]] void run();

 private:
  void answer(const Message& request);
  void store(const Message& request);
  void find(const Message& request);
  void move(const Message& request);
  void get(const Message& request);

  /// Reads the data set of a request to its end and forgets it.
  void skip_data(const Message& request);
  void respond(const Message& request, std::uint16_t status, const std::string& comment = {},
               const std::optional<Counts>& counts = {}, std::span<const std::byte> data = {});
  /// The identifier; nothing (and answered already) where it makes no sense.
  [[nodiscard]] std::optional<Query> identifier(const Message& request);
  [[nodiscard]] bool send_matches(const Message& request, const Query& query);
  /// Instances that a C-MOVE or C-GET is about; nothing (and answered already) where it says too little.
  [[nodiscard]] std::optional<std::vector<Item>> wanted(const Message& request);
  void add_items(const std::string& study, const std::string& series, const std::string& sop, std::vector<Item>& items);
  /// One association to the destination of a C-MOVE.
  void move_part(const Message& request, const DicomPeer& peer, std::span<const Item> items, Retrieval& state);
  void count_one(const Message& request, const Item& item, std::uint16_t status, Retrieval& state);
  void finish_retrieve(const Message& request, const Retrieval& state);
  [[nodiscard]] bool cancel_came(std::uint16_t message_id);
  void audit(const std::string& action, const std::string& object, const std::string& outcome);

  const DimseSettings& settings_;
  engine::Archive& archive_;
  Channel& channel_;
  std::string peer_;
};

}  // namespace penta::server::dimse
