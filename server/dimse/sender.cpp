#include "server/dimse/sender.h"

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "io/dicom/web.h"
#include "server/dimse/contexts.h"
#include "server/dimse/elements.h"

namespace penta::server::dimse {

namespace {

constexpr std::size_t head_bytes_max = 64 << 10;
constexpr std::chrono::seconds answer_patience{300};

std::vector<std::byte> head_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> bytes(head_bytes_max);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

}  // namespace

Item item_of(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = head_of(path);
  const std::size_t begin = data_set_offset(bytes);
  Item item{path, {}, {}, {}};
  constexpr std::size_t preamble = 132;
  if (begin > preamble && begin <= bytes.size())
    walk(std::span(bytes).subspan(preamble, begin - preamble), Encoding::explicit_little, [&](const Element& e) {
      if (e.tag == 0x00020002) item.sop_class = trimmed(e.value);
      if (e.tag == 0x00020003) item.sop_instance = trimmed(e.value);
      if (e.tag == 0x00020010) item.transfer_syntax = trimmed(e.value);
      return true;
    });
  if (!io::dicom::is_uid(item.sop_class) || !io::dicom::is_uid(item.sop_instance) || !io::dicom::is_uid(item.transfer_syntax))
    throw Error(Code::bad_input, "sending " + path.string() + ": it is no DICOM file with a meta header");
  return item;
}

void Sender::set_originator(const std::string& ae_title, std::uint16_t message_id) {
  originator_ae_ = ae_title;
  originator_id_ = message_id;
}

const Context* Sender::context_for(const std::string& sop_class, std::string_view syntax) const {
  for (const Context& c : channel_.contexts())
    if (c.we_send && c.sop_class == sop_class && c.transfer_syntax == syntax) return &c;
  return nullptr;
}

std::uint16_t Sender::answer(std::uint16_t message_id) {
  for (;;) {
    const Message message = channel_.receive(answer_patience);
    if (message.command.kind == Kind::store_rsp && message.command.message_id == message_id) return message.command.status;
    if (message.command.has_data) throw Ended(Ended::How::fault, "a request where the answer to C-STORE was due");
    if (other_) other_(message);
  }
}

Sender::Outcome Sender::send(const Item& item) {
  Command request;
  request.kind = Kind::store_rq;
  request.sop_class = item.sop_class;
  request.sop_instance = item.sop_instance;
  request.message_id = next_id_++;
  request.originator_ae = originator_ae_;
  request.originator_id = originator_id_;
  if (const Context* as_stored = context_for(item.sop_class, item.transfer_syntax)) {
    const std::size_t begin = data_set_offset(head_of(item.path));
    if (begin == 0) return {status::cannot_understand, "the stored file cannot be read"};
    channel_.send_file(as_stored->id, request, item.path, static_cast<std::int64_t>(begin));
    return {answer(request.message_id), {}};
  }
  const Context* plain = context_for(item.sop_class, uid::explicit_little);
  if (plain == nullptr) plain = context_for(item.sop_class, uid::implicit_little);
  if (plain == nullptr) return {status::class_not_supported, "the peer does not take SOP class " + item.sop_class};
  if (!transcode_) return {status::does_not_match, "the peer does not take transfer syntax " + item.transfer_syntax};
  std::vector<std::byte> file;
  try {
    file = transcode_(item.path, plain->transfer_syntax);
  } catch (const Error& fault) {
    return {status::does_not_match, fault.what()};
  }
  const std::size_t begin = data_set_offset(file);
  if (begin == 0 || begin >= file.size()) return {status::cannot_understand, "transcoding gave no data set"};
  channel_.send(plain->id, request, std::span(file).subspan(begin));
  return {answer(request.message_id), {}};
}

bool was_taken(std::uint16_t status) noexcept { return status == status::success || status >> 12U == 0xB; }

}  // namespace penta::server::dimse
