#include "server/dimse/channel.h"

#include <algorithm>
#include <fstream>

#include "core/error.h"

namespace penta::server::dimse {

namespace {

constexpr std::int64_t command_bytes_max = 64 << 10;
constexpr std::int64_t pdu_bytes_max = 256 << 10;          ///< what one more PDU may take beyond what is needed
constexpr std::int64_t slowest_bytes_per_s = 64 << 10;     ///< a data set that comes slower than that is given up
constexpr std::chrono::seconds data_patience{60};
constexpr std::size_t piece_bytes_max = 128 << 10;

}  // namespace

Channel::Channel(T_ASC_Association& association, Connection& connection, bool ours)
    : association_(association), connection_(connection) {
  const int count = ASC_countPresentationContexts(association.params);
  for (int i = 0; i < count; ++i) {
    T_ASC_PresentationContext one{};
    if (ASC_getPresentationContext(association.params, i, &one).bad() || one.resultReason != ASC_P_ACCEPTANCE) continue;
    contexts_.push_back({one.presentationContextID, one.abstractSyntax, one.acceptedTransferSyntax,
                         ours || one.acceptedRole == ASC_SC_ROLE_SCP || one.acceptedRole == ASC_SC_ROLE_SCUSCP});
  }
}

const Context* Channel::context(std::uint8_t id) const noexcept {
  const auto it = std::find_if(contexts_.begin(), contexts_.end(), [id](const Context& c) { return c.id == id; });
  return it == contexts_.end() ? nullptr : &*it;
}

DUL_PDV Channel::next_pdv() {
  if (ahead_) {
    const DUL_PDV pdv = *ahead_;
    ahead_.reset();
    return pdv;
  }
  DUL_PDV pdv{};
  if (DUL_NextPDV(&association_.DULassociation, &pdv).good()) return pdv;
  const OFCondition read = DUL_ReadPDVs(&association_.DULassociation, nullptr, DUL_BLOCK, 0);
  if (read == DUL_PEERREQUESTEDRELEASE) throw Ended(Ended::How::released, "released");
  if (read == DUL_PEERABORTEDASSOCIATION) throw Ended(Ended::How::aborted, "the peer aborted");
  if (read != DUL_PDATAPDUARRIVED) throw Ended(Ended::How::lost, read.text());
  if (DUL_NextPDV(&association_.DULassociation, &pdv).bad()) throw Ended(Ended::How::fault, "a PDU without a PDV");
  return pdv;
}

Message Channel::receive(std::chrono::seconds patience) {
  connection_.set_deadline(Connection::Clock::now() + patience);
  connection_.set_budget(command_bytes_max + pdu_bytes_max);
  std::vector<std::byte> bytes;
  Message message;
  for (bool last = false; !last;) {
    const DUL_PDV pdv = next_pdv();
    if (pdv.pdvType != DUL_COMMANDPDV) throw Ended(Ended::How::fault, "data without a command");
    if (message.context != 0 && message.context != pdv.presentationContextID)
      throw Ended(Ended::How::fault, "a command in two presentation contexts");
    message.context = pdv.presentationContextID;
    const auto* begin = static_cast<const std::byte*>(pdv.data);
    bytes.insert(bytes.end(), begin, begin + pdv.fragmentLength);
    if (static_cast<std::int64_t>(bytes.size()) > command_bytes_max)
      throw Ended(Ended::How::fault, "a command set of more than 64 KiB");
    last = pdv.lastPDV != OFFalse;
  }
  if (context(message.context) == nullptr) throw Ended(Ended::How::fault, "a command in a context that was not accepted");
  const auto command = read_command(bytes);
  if (!command) throw Ended(Ended::How::fault, "a command set that cannot be read");
  message.command = *command;
  return message;
}

void Channel::receive_data(std::uint8_t context, std::int64_t limit_bytes, const Sink& sink) {
  const Connection::Clock::time_point start = Connection::Clock::now();
  connection_.set_budget(limit_bytes + limit_bytes / 8 + pdu_bytes_max);
  std::int64_t total = 0;
  for (bool last = false; !last;) {
    connection_.set_deadline(start + data_patience + std::chrono::seconds(total / slowest_bytes_per_s));
    const DUL_PDV pdv = next_pdv();
    if (pdv.pdvType != DUL_DATASETPDV || pdv.presentationContextID != context)
      throw Ended(Ended::How::fault, "a data set that another message interrupts");
    total += static_cast<std::int64_t>(pdv.fragmentLength);
    if (total > limit_bytes) throw Ended(Ended::How::fault, "a data set over the limit");
    sink({static_cast<const std::byte*>(pdv.data), pdv.fragmentLength});
    last = pdv.lastPDV != OFFalse;
  }
}

bool Channel::waiting() {
  if (ahead_) return true;
  DUL_PDV pdv{};
  if (DUL_NextPDV(&association_.DULassociation, &pdv).good()) {
    ahead_ = pdv;
    return true;
  }
  return connection_.has_data();
}

void Channel::write_pieces(std::uint8_t context, DUL_DATAPDV kind, std::span<const std::byte> bytes, bool last) {
  const std::size_t longest = std::min<std::size_t>(association_.sendPDVLength, piece_bytes_max) & ~std::size_t{1};
  if (longest == 0) throw Ended(Ended::How::fault, "the peer takes no PDU of any length");
  do {
    const std::span<const std::byte> piece = bytes.first(std::min(longest, bytes.size()));
    bytes = bytes.subspan(piece.size());
    DUL_PDV pdv{};
    pdv.fragmentLength = piece.size();
    pdv.presentationContextID = context;
    pdv.pdvType = kind;
    pdv.lastPDV = last && bytes.empty() ? OFTrue : OFFalse;
    pdv.data = const_cast<std::byte*>(piece.data());
    DUL_PDVLIST list{};
    list.count = 1;
    list.pdv = &pdv;
    const OFCondition written = DUL_WritePDVs(&association_.DULassociation, &list);
    if (written.bad()) throw Ended(Ended::How::lost, written.text());
  } while (!bytes.empty());
}

void Channel::send(std::uint8_t context, const Command& command, std::span<const std::byte> data) {
  Command sent = command;
  sent.has_data = !data.empty();
  write_pieces(context, DUL_COMMANDPDV, to_bytes(sent), true);
  if (sent.has_data) write_pieces(context, DUL_DATASETPDV, data, true);
}

void Channel::send_file(std::uint8_t context, const Command& command, const std::filesystem::path& file,
                        std::int64_t offset) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(0, std::ios::end);
  std::int64_t left = static_cast<std::int64_t>(in.tellg()) - offset;
  in.seekg(offset);
  if (!in || left <= 0) throw Error(Code::bad_input, "sending " + file.string() + ": it cannot be read");
  Command sent = command;
  sent.has_data = true;
  write_pieces(context, DUL_COMMANDPDV, to_bytes(sent), true);
  const std::int64_t piece = std::max<std::int64_t>(std::min<std::size_t>(association_.sendPDVLength, piece_bytes_max) & ~std::size_t{1}, 2);
  const std::int64_t block = piece * std::max<std::int64_t>(1, (std::int64_t{1} << 20) / piece);
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(left + 1, block)));
  while (left > 0) {
    std::int64_t count = std::min(left, block);
    if (!in.read(reinterpret_cast<char*>(bytes.data()), count)) throw Ended(Ended::How::fault, "a stored file became shorter");
    left -= count;
    if (left == 0 && count % 2 != 0) bytes[static_cast<std::size_t>(count++)] = std::byte{0};  // PS3.8 annex E: even
    write_pieces(context, DUL_DATASETPDV, {bytes.data(), static_cast<std::size_t>(count)}, left == 0);
  }
}

}  // namespace penta::server::dimse
