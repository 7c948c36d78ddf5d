#include "server/dimse/command.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "server/dimse/elements.h"

namespace penta::server::dimse {

namespace {

constexpr std::uint16_t no_data = 0x0101;

std::string text_of(std::span<const std::byte> value) {
  std::string text(reinterpret_cast<const char*>(value.data()), value.size());
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

std::optional<Kind> kind_of(std::uint16_t value) {
  constexpr std::array known{Kind::store_rq, Kind::store_rsp, Kind::get_rq, Kind::get_rsp, Kind::find_rq, Kind::find_rsp,
                             Kind::move_rq, Kind::move_rsp, Kind::echo_rq, Kind::echo_rsp, Kind::cancel_rq};
  for (const Kind kind : known)
    if (static_cast<std::uint16_t>(kind) == value) return kind;
  return std::nullopt;
}

struct Reading {
  Command command;
  std::optional<Kind> kind;
  bool has_id = false, has_type = false;
};

void take(Reading& r, std::uint32_t tag, std::span<const std::byte> value) {
  const std::uint16_t number = value.size() >= 2 ? u16_at(value, 0) : std::uint16_t{0};
  Command& c = r.command;
  switch (tag) {
    case 0x00000002:
    case 0x00000003: c.sop_class = text_of(value); break;
    case 0x00000100: r.kind = kind_of(number); break;
    case 0x00000110:
    case 0x00000120: c.message_id = number, r.has_id = value.size() == 2; break;
    case 0x00000600: c.move_destination = text_of(value); break;
    case 0x00000700: c.priority = number; break;
    case 0x00000800: c.has_data = number != no_data, r.has_type = value.size() == 2; break;
    case 0x00000900: c.status = number; break;
    case 0x00000902: c.comment = text_of(value); break;
    case 0x00001000:
    case 0x00001001: c.sop_instance = text_of(value); break;
    case 0x00001030: c.originator_ae = text_of(value); break;
    case 0x00001031: c.originator_id = number; break;
    default: break;
  }
}

}  // namespace

std::optional<Command> read_command(std::span<const std::byte> bytes) {
  Reading r;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at < 8 || u16_at(bytes, at) != 0) return std::nullopt;
    const std::uint32_t tag = u16_at(bytes, at + 2), length = u32_at(bytes, at + 4);
    at += 8;
    if (length > bytes.size() - at) return std::nullopt;
    take(r, tag, bytes.subspan(at, length));
    at += length;
  }
  if (!r.kind || !r.has_id || !r.has_type) return std::nullopt;
  r.command.kind = *r.kind;
  return r.command;
}

std::vector<std::byte> to_bytes(const Command& c) {
  ElementWriter out(false);
  out.text(0x00000002, "UI", c.sop_class);
  out.u16(0x00000100, static_cast<std::uint16_t>(c.kind));
  const bool answers = c.is_response() || c.kind == Kind::cancel_rq;
  out.u16(answers ? 0x00000120 : 0x00000110, c.message_id);
  if (!c.move_destination.empty()) out.text(0x00000600, "AE", c.move_destination);
  if (!answers && c.kind != Kind::echo_rq) out.u16(0x00000700, c.priority);
  out.u16(0x00000800, c.has_data ? std::uint16_t{0x0102} : no_data);
  if (c.is_response()) out.u16(0x00000900, c.status);
  if (!c.comment.empty()) out.text(0x00000902, "LO", c.comment);
  if (!c.sop_instance.empty()) out.text(0x00001000, "UI", c.sop_instance);
  if (c.counts) {
    if (c.status == status::pending || c.status == status::cancelled) out.u16(0x00001020, c.counts->remaining);
    out.u16(0x00001021, c.counts->completed);
    out.u16(0x00001022, c.counts->failed);
    out.u16(0x00001023, c.counts->warning);
  }
  if (!c.originator_ae.empty()) {
    out.text(0x00001030, "AE", c.originator_ae);
    out.u16(0x00001031, c.originator_id);
  }
  ElementWriter all(false);
  all.u32(0x00000000, static_cast<std::uint32_t>(out.bytes().size()));
  all.add(out.bytes());
  return all.bytes();
}

Command answer_to(const Command& request, std::uint16_t status, const std::string& comment) {
  Command answer;
  answer.kind = static_cast<Kind>(static_cast<std::uint16_t>(request.kind) | 0x8000U);
  answer.sop_class = request.sop_class;
  if (request.kind == Kind::store_rq) answer.sop_instance = request.sop_instance;
  answer.message_id = request.message_id;
  answer.status = status;
  for (const char c : comment.substr(0, 64)) answer.comment += c >= ' ' && c < 127 && c != '\\' ? c : '?';
  return answer;
}

}  // namespace penta::server::dimse
