#include <algorithm>

#include "core/error.h"
#include "server/dimse/contexts.h"
#include "server/dimse/service.h"

namespace penta::server::dimse {

namespace {

constexpr std::uint32_t patient_id_tag = 0x00100020, study_tag = 0x0020000D, series_tag = 0x0020000E, sop_tag = 0x00080018,
                        failed_list_tag = 0x00080058;
constexpr std::size_t items_max = 65535;  ///< the counts of sub-operations are 16 bits wide
constexpr std::size_t failed_bytes_max = 60000;

// The UIDs of a key; one empty text where it is universal.
std::vector<std::string> uids_of(const Query& query, std::uint32_t tag) {
  std::vector<std::string> uids;
  std::string text = query.value_of(tag);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    uids.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return uids;
}

std::uint16_t final_status(const Counts& counts, bool cancelled) {
  if (cancelled) return status::cancelled;
  if (counts.failed == 0) return status::success;
  return counts.completed + counts.warning == 0 ? status::cannot_move : status::some_failed;
}

std::vector<std::byte> failed_list(const std::vector<std::string>& failed, Encoding encoding) {
  std::string text;
  for (const std::string& uid : failed) {
    if (text.size() + uid.size() + 1 > failed_bytes_max) break;
    text += (text.empty() ? "" : "\\") + uid;
  }
  if (text.empty()) return {};
  ElementWriter out(encoding != Encoding::implicit_little);
  out.text(failed_list_tag, "UI", text);
  return out.bytes();
}

void count(Counts& counts, std::uint16_t status) {
  if (counts.remaining > 0) --counts.remaining;
  ++(status == status::success ? counts.completed : was_taken(status) ? counts.warning : counts.failed);
}

}  // namespace

void Service::add_items(const std::string& study, const std::string& series, const std::string& sop,
                        std::vector<Item>& items) {
  for (const engine::StoredInstance& one : archive_.catalogue().files(study, series, sop))
    items.push_back({archive_.path_of(one), one.index.sop_class, one.index.sop_uid, one.index.transfer_syntax});
}

std::optional<std::vector<Item>> Service::wanted(const Message& request) {
  const std::optional<Query> query = identifier(request);
  if (!query) return std::nullopt;
  std::vector<std::string> studies = uids_of(*query, study_tag);
  if (query->level == QueryLevel::patient) {
    studies.clear();
    engine::Search search;
    search.match.emplace_back("00100020", query->value_of(patient_id_tag));
    search.limit = settings_.matches_max;
    if (!search.match.front().second.empty())
      for (const engine::Row& row : archive_.catalogue().search(search)) studies.push_back(row.study_uid);
  }
  const bool to_series = query->level >= QueryLevel::series, to_image = query->level == QueryLevel::image;
  const std::vector<std::string> none{""};
  const auto series = to_series ? uids_of(*query, series_tag) : none;
  const auto sops = to_image ? uids_of(*query, sop_tag) : none;
  const std::string& unique = to_image ? sops.front() : to_series ? series.front() : studies.empty() ? none.front() : studies.front();
  if (unique.empty() && query->level != QueryLevel::patient) {
    respond(request, status::does_not_match, "the unique key of the level is empty");
    return std::nullopt;
  }
  std::vector<Item> items;
  for (const std::string& study : studies)
    for (const std::string& one : series)
      for (const std::string& sop : sops) {
        add_items(study, one, sop, items);
        if (items.size() > items_max) {
          respond(request, status::cannot_count, "more instances than one request can count");
          return std::nullopt;
        }
      }
  return items;
}

void Service::count_one(const Message& request, const Item& item, std::uint16_t status, Retrieval& state) {
  count(state.counts, status);
  if (!was_taken(status)) state.failed.push_back(item.sop_instance);
  if (state.counts.remaining > 0 && !state.cancelled) respond(request, status::pending, {}, state.counts);
}

void Service::finish_retrieve(const Message& request, const Retrieval& state) {
  const Encoding encoding = encoding_of(channel_.context(request.context)->transfer_syntax);
  const std::uint16_t status = final_status(state.counts, state.cancelled);
  const bool listed = status != status::success;
  respond(request, status, {}, state.counts, listed ? failed_list(state.failed, encoding) : std::vector<std::byte>());
}

void Service::get(const Message& request) {
  const auto items = wanted(request);
  if (!items) return;
  Retrieval state;
  state.counts.remaining = static_cast<std::uint16_t>(items->size());
  Sender sender(channel_, settings_.transcode);
  sender.on_other([&](const Message& other) {
    if (other.command.kind == Kind::cancel_rq && other.command.message_id == request.command.message_id) state.cancelled = true;
  });
  for (const Item& item : *items) {
    if (state.cancelled) break;
    count_one(request, item, sender.send(item).status, state);
  }
  finish_retrieve(request, state);
  audit("C-GET", std::to_string(items->size()) + " instances", state.failed.empty() ? "done" : "partly done");
}

void Service::move(const Message& request) {
  const auto items = wanted(request);
  if (!items) return;
  const std::string& name = request.command.move_destination;
  const auto& peers = settings_.peers;
  const auto peer = std::find_if(peers.begin(), peers.end(), [&](const DicomPeer& p) { return p.ae_title == name; });
  if (peer == peers.end()) return respond(request, status::destination_unknown, "no peer of that AE title is configured");
  Retrieval state;
  state.counts.remaining = static_cast<std::uint16_t>(items->size());
  for (std::span<const Item> left(*items); !left.empty() && !state.cancelled;) {
    const std::size_t count_of_one = items_of_one_association(left);
    move_part(request, *peer, left.first(count_of_one), state);
    left = left.subspan(count_of_one);
  }
  finish_retrieve(request, state);
  audit("C-MOVE to " + name, std::to_string(items->size()) + " instances", state.failed.empty() ? "done" : "partly done");
}

// What is left when the association to the destination fails counts as failed.
void Service::move_part(const Message& request, const DicomPeer& peer, std::span<const Item> items, Retrieval& state) {
  std::size_t sent = 0;
  const auto send_next = [&](Sender& sender) {
    try {
      return sender.send(items[sent]).status;
    } catch (const Ended& end) {
      throw Error(Code::output_failed, end.what());
    }
  };
  try {
    Outgoing association(peer, settings_.ae_title, items);
    Sender sender(association.channel(), settings_.transcode);
    sender.set_originator(peer_, request.command.message_id);
    while (sent < items.size() && !state.cancelled) {
      const std::uint16_t status = send_next(sender);
      count_one(request, items[sent++], status, state);
      state.cancelled = cancel_came(request.command.message_id);
    }
    association.release();
  } catch (const Error&) {
    for (; sent < items.size(); ++sent) {
      count(state.counts, status::cannot_move);
      state.failed.push_back(items[sent].sop_instance);
    }
  }
}

}  // namespace penta::server::dimse
