#include "server/dimse/service.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/error.h"
#include "io/dicom/web.h"
#include "server/dimse/contexts.h"

namespace penta::server::dimse {

namespace {

constexpr std::int64_t identifier_bytes_max = 1 << 20;
constexpr std::size_t head_bytes_max = 64 << 10;
constexpr std::int64_t page = 500;

std::uint16_t status_of(Code code) {
  return code == Code::output_failed || code == Code::out_of_memory ? status::out_of_resources : status::cannot_understand;
}

// A data set on its way into the store. What goes wrong is kept until the data set has come to its end, for only then
// can the peer be told.
class Incoming {
 public:
  Incoming(engine::Archive& archive, const Command& request, const Context& context)
      : archive_(archive), encoding_(encoding_of(context.transfer_syntax)),
        meta_(meta_header(request.sop_class, request.sop_instance, context.transfer_syntax)) {}

  void add(std::span<const std::byte> bytes) {
    const std::size_t room = head_bytes_max - head_.size();
    const auto start = bytes.first(std::min(room, bytes.size()));
    head_.insert(head_.end(), start.begin(), start.end());
    if (fault_) return;
    try {
      if (!file_) {
        file_.emplace(archive_.stage());
        file_->add(meta_);
      }
      file_->add(bytes);
    } catch (const Error& fault) {
      fault_ = fault;
      file_.reset();
    }
  }

  // Status and reason of a refusal; success: hand the file on.
  [[nodiscard]] std::pair<std::uint16_t, std::string> check(const Command& request) const {
    if (fault_) return {status_of(fault_->code()), "no room to store it"};
    if (!file_) return {status::cannot_understand, "an empty data set"};
    const HeadUids uids = head_uids(head_, encoding_);
    if (!uids.sop_class.empty() && uids.sop_class != request.sop_class)
      return {status::does_not_match, "SOP class differs from the command's"};
    if (!uids.sop_instance.empty() && uids.sop_instance != request.sop_instance)
      return {status::does_not_match, "SOP instance UID differs from the command's"};
    return {status::success, {}};
  }

  [[nodiscard]] engine::StagedFile take() { return std::move(*file_); }

 private:
  engine::Archive& archive_;
  Encoding encoding_;
  std::vector<std::byte> meta_, head_;
  std::optional<engine::StagedFile> file_;
  std::optional<Error> fault_;
};

// Why a C-STORE request is refused whatever its data set is.
std::pair<std::uint16_t, std::string> check_request(const Command& request, const Context& context) {
  if (!is_storage(context.sop_class) || request.sop_class != context.sop_class)
    return {status::class_not_supported, "SOP class differs from the presentation context's"};
  if (!io::dicom::is_uid(request.sop_instance)) return {status::invalid_instance, "no valid SOP instance UID"};
  return {status::success, {}};
}

}  // namespace

void Service::run() {
  for (;;) answer(channel_.receive(settings_.idle_timeout));
}

void Service::answer(const Message& request) {
  const std::string_view context = channel_.context(request.context)->sop_class;
  const auto is = [&](std::string_view a, std::string_view b) { return context == a || context == b; };
  const Kind kind = request.command.kind;
  if (kind == Kind::store_rq && request.command.has_data) return store(request);
  if (kind == Kind::cancel_rq) return;  // of something that has been answered
  if (request.command.is_response()) throw Ended(Ended::How::fault, "a response that answers nothing");
  if (kind == Kind::echo_rq && is(uid::verification, uid::verification)) {
    skip_data(request);
    return respond(request, status::success);
  }
  if (kind == Kind::find_rq && is(uid::patient_find, uid::study_find)) return find(request);
  if (kind == Kind::move_rq && is(uid::patient_move, uid::study_move)) return move(request);
  if (kind == Kind::get_rq && is(uid::patient_get, uid::study_get)) return get(request);
  skip_data(request);
  respond(request, status::unknown_operation, "not offered in this presentation context");
}

void Service::skip_data(const Message& request) {
  if (request.command.has_data)
    channel_.receive_data(request.context, settings_.instance_bytes_max, [](std::span<const std::byte>) {});
}

void Service::respond(const Message& request, std::uint16_t status, const std::string& comment,
                      const std::optional<Counts>& counts, std::span<const std::byte> data) {
  Command answer = answer_to(request.command, status, comment);
  answer.counts = counts;
  channel_.send(request.context, answer, data);
}

void Service::store(const Message& request) {
  const Context& context = *channel_.context(request.context);
  if (const auto [status, why] = check_request(request.command, context); status != status::success) {
    skip_data(request);
    return respond(request, status, why);
  }
  Incoming incoming(archive_, request.command, context);
  channel_.receive_data(request.context, settings_.instance_bytes_max,
                        [&](std::span<const std::byte> bytes) { incoming.add(bytes); });
  if (const auto [status, why] = incoming.check(request.command); status != status::success)
    return respond(request, status, why);
  engine::Stored stored;
  try {
    stored = archive_.store(incoming.take(), peer_);
  } catch (const Error& fault) {
    return respond(request, status_of(fault.code()), fault.what());
  }
  using Outcome = engine::Stored::Outcome;
  if (stored.outcome != Outcome::stored && stored.outcome != Outcome::same)
    return respond(request, status_of(stored.code), stored.why);
  // Only where the head could not be looked into (a deflated data set).
  const bool matches = stored.index.sop_uid.empty() || stored.index.sop_uid == request.command.sop_instance;
  respond(request, matches ? status::success : status::stored_but_differs);
}

std::optional<Query> Service::identifier(const Message& request) {
  std::vector<std::byte> bytes;
  if (request.command.has_data)
    channel_.receive_data(request.context, identifier_bytes_max, [&](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    });
  const Context& context = *channel_.context(request.context);
  const bool patient_root = context.sop_class == uid::patient_find || context.sop_class == uid::patient_move ||
                            context.sop_class == uid::patient_get;
  std::optional<Query> query = read_query(bytes, encoding_of(context.transfer_syntax));
  if (!query) {
    respond(request, status::does_not_match, "the identifier cannot be read or has no level");
  } else if (query->level == QueryLevel::patient && !patient_root) {
    respond(request, status::does_not_match, "Study Root has no patient level");
    query.reset();
  }
  return query;
}

// What came meanwhile is a C-CANCEL of this message, or breaks the protocol: nothing else may come.
bool Service::cancel_came(std::uint16_t message_id) {
  if (!channel_.waiting()) return false;
  constexpr std::chrono::seconds patience{30};
  const Message message = channel_.receive(patience);
  if (message.command.kind != Kind::cancel_rq) throw Ended(Ended::How::fault, "a request while another was being answered");
  return message.command.message_id == message_id;
}

bool Service::send_matches(const Message& request, const Query& query) {
  const Encoding encoding = encoding_of(channel_.context(request.context)->transfer_syntax);
  engine::Search search = search_of(query);
  search.limit = page;
  std::set<std::string> patients;
  for (;; search.offset += page) {
    const std::vector<engine::Row> rows = archive_.catalogue().search(search);
    for (const engine::Row& row : rows) {
      if (query.level == QueryLevel::patient) {
        const Json* id = row.attributes.find("00100020");
        if (!patients.insert(id == nullptr ? std::string() : id->dump(0)).second) continue;
      }
      respond(request, status::pending, {}, {}, match_bytes(query, row, settings_.ae_title, encoding));
    }
    if (static_cast<std::int64_t>(rows.size()) < page) return false;
    if (cancel_came(request.command.message_id)) return true;
  }
}

void Service::find(const Message& request) {
  const std::optional<Query> query = identifier(request);
  if (!query) return;
  try {
    if (archive_.catalogue().count(search_of(*query)) > settings_.matches_max)
      return respond(request, status::out_of_resources, "more matches than allowed: ask for less");
    const bool cancelled = send_matches(request, *query);
    respond(request, cancelled ? status::cancelled : status::success);
  } catch (const Error& fault) {
    respond(request, status_of(fault.code()), fault.what());
  }
}

void Service::audit(const std::string& action, const std::string& object, const std::string& outcome) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  archive_.catalogue().audit({std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), peer_, action, object, outcome});
}

}  // namespace penta::server::dimse
