#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dul.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "server/dimse/contexts.h"
#include "server/dimse/sender.h"

namespace penta::server::dimse {

namespace {

constexpr int negotiation_seconds = 30, connect_seconds = 10;
constexpr std::size_t contexts_max = 127;  ///< ids are odd bytes

// What is asked for: a class with one syntax, or with both plain ones.
using Asked = std::pair<std::string, std::string>;

bool is_plain(std::string_view syntax) { return syntax == uid::explicit_little || syntax == uid::implicit_little; }

void add_asked(std::set<Asked>& asked, const Item& item) {
  if (!is_plain(item.transfer_syntax)) asked.emplace(item.sop_class, item.transfer_syntax);
  if (item.transfer_syntax == uid::implicit_little) asked.emplace(item.sop_class, item.transfer_syntax);
  asked.emplace(item.sop_class, std::string());
}

void add_context(T_ASC_Parameters* parameters, std::uint8_t id, const Asked& asked) {
  std::array<const char*, 2> plain{uid::explicit_little.data(), uid::implicit_little.data()};
  std::array<const char*, 1> one{asked.second.c_str()};
  const bool both = asked.second.empty();
  ASC_addPresentationContext(parameters, id, asked.first.c_str(), both ? plain.data() : one.data(), both ? 2 : 1);
}

}  // namespace

void set_up_dcmtk() {
  static const bool done = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    dcmDisableGethostbyaddr.set(OFTrue);  // else each association looks the peer's name up
    dcmConnectionTimeout.set(connect_seconds);
    return true;
  }();
  static_cast<void>(done);
}

std::string reason_of(const OFCondition& condition) {
  std::string text = condition.text();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::size_t items_of_one_association(std::span<const Item> items) {
  std::set<Asked> asked;
  for (std::size_t i = 0; i < items.size(); ++i) {
    add_asked(asked, items[i]);
    if (asked.size() > contexts_max) return i;
  }
  return items.size();
}

Outgoing::Outgoing(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const Item> items) {
  set_up_dcmtk();
  try {
    request(peer, calling_ae_title, items);
  } catch (...) {
    close();
    throw;
  }
}

void Outgoing::request(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const Item> items) {
  const std::string place = peer.ae_title + " at " + peer.host + ":" + std::to_string(peer.port);
  const auto check = [&](const OFCondition& done) {
    if (done.bad()) throw Error(Code::output_failed, "asking " + place + " for an association: " + reason_of(done));
  };
  transport_ = make_transport([this](Connection* made) {
    connection_ = made;
    made->set_deadline(Connection::Clock::now() + std::chrono::seconds(negotiation_seconds));
  });
  check(ASC_initializeNetwork(NET_REQUESTOR, 0, negotiation_seconds, &network_));
  check(ASC_setTransportLayer(network_, transport_.get(), 0));
  T_ASC_Parameters* parameters = nullptr;
  check(ASC_createAssociationParameters(&parameters, ASC_MAXIMUMPDUSIZE));
  ASC_setAPTitles(parameters, calling_ae_title.c_str(), peer.ae_title.c_str(), nullptr);
  ASC_setPresentationAddresses(parameters, "localhost", (peer.host + ":" + std::to_string(peer.port)).c_str());
  std::set<Asked> asked;
  for (const Item& item : items) add_asked(asked, item);
  if (asked.empty()) asked.emplace(std::string(uid::verification), std::string());
  std::uint8_t id = 1;
  for (const Asked& one : asked) {
    add_context(parameters, id, one);
    id = static_cast<std::uint8_t>(id + 2);
  }
  const OFCondition done = ASC_requestAssociation(network_, parameters, &association_);
  if (association_ == nullptr) ASC_destroyAssociationParameters(&parameters);
  check(done);
  if (ASC_countAcceptedPresentationContexts(association_->params) == 0)
    throw Error(Code::output_failed, "asking " + place + " for an association: it takes none of the SOP classes");
  channel_ = std::make_unique<Channel>(*association_, *connection_, true);
}

void Outgoing::release() noexcept {
  if (association_ == nullptr || over_) return;
  connection_->set_deadline(Connection::Clock::now() + std::chrono::seconds(negotiation_seconds));
  connection_->set_budget(1 << 20);
  ASC_releaseAssociation(association_);
  over_ = true;
}

Outgoing::~Outgoing() { close(); }

void Outgoing::close() noexcept {
  channel_.reset();
  if (association_ != nullptr) {
    if (!over_ && association_->DULassociation != nullptr) ASC_abortAssociation(association_);
    ASC_destroyAssociation(&association_);
  }
  if (network_ != nullptr) ASC_dropNetwork(&network_);
}

namespace {

std::string hex(std::uint16_t status) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (int shift = 12; shift >= 0; shift -= 4) text += digits[status >> shift & 15U];
  return text;
}

void send_items(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const Item> items,
                const Transcode& transcode) {
  Outgoing association(peer, calling_ae_title, items);
  Sender sender(association.channel(), transcode);
  for (const Item& item : items) {
    const auto fail = [&](const std::string& why) {
      throw Error(Code::output_failed, "sending to " + peer.ae_title + ": instance " + item.sop_instance + ": " + why);
    };
    try {
      const Sender::Outcome outcome = sender.send(item);
      if (!was_taken(outcome.status)) fail(outcome.why.empty() ? "refused with status " + hex(outcome.status) : outcome.why);
    } catch (const Ended& end) {
      fail(end.what());
    }
  }
  association.release();
}

void send_files(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const std::filesystem::path> files,
             const Transcode& transcode) {
  std::vector<Item> items;
  for (const std::filesystem::path& file : files) items.push_back(item_of(file));
  for (std::span<const Item> left(items); !left.empty();) {
    const std::size_t count = items_of_one_association(left);
    send_items(peer, calling_ae_title, left.first(count), transcode);
    left = left.subspan(count);
  }
}

void echo_peer(const DicomPeer& peer, const std::string& calling_ae_title) {
  Outgoing association(peer, calling_ae_title, {});
  Command request;
  request.kind = Kind::echo_rq;
  request.sop_class = uid::verification;
  request.message_id = 1;
  constexpr std::chrono::seconds patience{30};
  try {
    Channel& channel = association.channel();
    channel.send(channel.contexts().front().id, request);
    const Message answer = channel.receive(patience);
    if (answer.command.kind != Kind::echo_rsp || answer.command.status != status::success)
      throw Error(Code::output_failed, "C-ECHO to " + peer.ae_title + ": status " + hex(answer.command.status));
  } catch (const Ended& end) {
    throw Error(Code::output_failed, "C-ECHO to " + peer.ae_title + ": " + end.what());
  }
  association.release();
}

}  // namespace

}  // namespace penta::server::dimse

namespace penta::server {

void send_to(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const std::filesystem::path> files,
             const Transcode& transcode) {
  dimse::send_files(peer, calling_ae_title, files, transcode);
}

void echo(const DicomPeer& peer, const std::string& calling_ae_title) { dimse::echo_peer(peer, calling_ae_title); }

}  // namespace penta::server
