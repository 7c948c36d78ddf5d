#include <algorithm>
#include <array>
#include <future>

#include "server/dicomweb/backend.h"
#include "server/dicomweb/common.h"
#include "server/http/multipart.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

using engine::StagedFile;
using engine::Stored;

constexpr std::size_t group_files = 64;
constexpr std::int64_t group_bytes = std::int64_t{64} << 20;
constexpr std::size_t comment_letters = 64;  // of an LO

/// Failure reasons of PS3.18 table I.2-2 and PS3.4 annex B.
enum Reason : int {
  processing_failure = 0x0110,
  duplicate = 0x0111,
  out_of_resources = 0xA700,
  mismatch = 0xA900,
  cannot_understand = 0xC000
};

struct Failure {
  std::string sop_class, sop_uid, why;
  int reason = cannot_understand;
};

int reason_of(const Stored& stored, const std::string& only_study) {
  if (!only_study.empty() && !stored.index.study_uid.empty() && stored.index.study_uid != only_study) return mismatch;
  if (stored.outcome == Stored::Outcome::quarantined) return processing_failure;
  switch (stored.code) {
    case Code::output_failed:
    case Code::out_of_memory:
      return out_of_resources;
    case Code::internal:
      return processing_failure;
    default:
      return stored.index.sop_uid.empty() ? cannot_understand : duplicate;
  }
}

/// Collects what came of the instances, and makes the answer of it (PS3.18 10.5.3, annex I.2).
class Outcome {
 public:
  /// `only_study`: the one that the address names, or empty.
  Outcome(std::string root, std::string only_study) : root_(std::move(root)), only_study_(std::move(only_study)) {}

  void add(const Stored& stored) {
    const engine::InstanceIndex& index = stored.index;
    if (stored.outcome != Stored::Outcome::stored && stored.outcome != Stored::Outcome::same)
      return add({index.sop_class, index.sop_uid, stored.why, reason_of(stored, only_study_)});
    Json item = Json::object();
    set(item, "00081150", "UI", index.sop_class);
    set(item, "00081155", "UI", index.sop_uid);
    set(item, "00081190", "UR", url_of(root_, index.study_uid, index.series_uid, index.sop_uid));
    kept_.push(std::move(item));
    if (study_.empty())
      study_ = index.study_uid;
    else if (study_ != index.study_uid)
      several_ = true;
  }

  void add(const Failure& failure) {
    Json item = Json::object();
    if (!failure.sop_class.empty()) set(item, "00081150", "UI", failure.sop_class);
    if (!failure.sop_uid.empty()) set(item, "00081155", "UI", failure.sop_uid);
    item.set("00081197", Json::object().set("vr", "US").set("Value", Json::array().push(failure.reason)));
    // No attribute is made for a sentence: the comment's type is short, the text's is not.
    set(item, "00000902", "LO", failure.why.substr(0, comment_letters));
    set(item, "0040A160", "UT", failure.why);
    failed_.push(std::move(item));
  }

  [[nodiscard]] Response response() const {
    Json out = Json::object();
    if (!study_.empty() && !several_) set(out, "00081190", "UR", url_of(root_, study_));
    if (!failed_.items().empty()) out.set("00081198", Json::object().set("vr", "SQ").set("Value", failed_));
    if (!kept_.items().empty()) out.set("00081199", Json::object().set("vr", "SQ").set("Value", kept_));
    const int status = failed_.items().empty() ? 200 : kept_.items().empty() ? 409 : 202;
    return json_response(out, status, dicom_json);
  }

 private:
  static void set(Json& item, std::string_view tag, std::string_view vr, std::string_view value) {
    item.set(tag, Json::object().set("vr", vr).set("Value", Json::array().push(value)));
  }
  std::string root_, only_study_, study_;
  bool several_ = false;
  Json kept_ = Json::array(), failed_ = Json::array();
};

/// Stores files in groups, one group while the next one comes in.
class Groups {
 public:
  Groups(const Backend& backend, std::string study, std::string who, Outcome& outcome)
      : backend_(backend), study_(std::move(study)), who_(std::move(who)), outcome_(outcome) {}
  ~Groups() {
    if (running_.valid()) running_.wait();
  }
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  void add(StagedFile file) {
    bytes_ += file.size();
    files_.push_back(std::move(file));
    if (files_.size() >= group_files || bytes_ >= group_bytes) store(false);
  }
  /// Waits until all is stored.
  void finish() {
    store(true);
    collect();
  }

 private:
  void store(bool last) {
    collect();
    if (files_.empty()) return;
    auto work = [this, files = std::move(files_)]() mutable { return backend_.store(files, who_, study_); };
    files_.clear();
    bytes_ = 0;
    // The last one needs no thread: nothing else comes in meanwhile.
    running_ = std::async(last ? std::launch::deferred : std::launch::async, std::move(work));
  }

  void collect() {
    if (!running_.valid()) return;
    for (const Stored& one : running_.get()) outcome_.add(one);
  }

  const Backend& backend_;
  std::string study_, who_;
  Outcome& outcome_;
  std::vector<StagedFile> files_;
  std::int64_t bytes_ = 0;
  std::future<std::vector<Stored>> running_;
};

bool is_dicom(const std::optional<std::string>& content_type) {
  if (!content_type) return true;
  const auto media = parse_media_type(*content_type);
  return media && media->essence() == "application/dicom";
}

void read_parts(const Backend& backend, const Request& request, Groups& groups, Outcome& outcome) {
  const RelatedType type = parse_related(request.header("Content-Type").value_or(""));
  if (!type.type.empty() && type.type != "application/dicom")
    throw HttpError(415, "instances are taken as application/dicom, not as " + type.type);
  MultipartReader reader(*request.body, type.boundary);
  std::size_t parts = 0;
  while (const auto headers = reader.next()) {
    ++parts;
    if (!is_dicom(header_of(*headers, "Content-Type"))) {
      outcome.add({"", "", "part " + std::to_string(parts) + " is no application/dicom", cannot_understand});
      continue;
    }
    StagedFile file = backend.stage();
    for (auto piece = reader.piece(); !piece.empty(); piece = reader.piece()) file.add(piece);
    groups.add(std::move(file));
  }
  if (parts == 0) throw HttpError(400, "the request has no instance");
}

void read_alone(const Backend& backend, const Request& request, Groups& groups) {
  StagedFile file = backend.stage();
  std::vector<std::byte> piece(std::size_t{256} << 10);
  for (std::size_t count = request.body->read(piece); count > 0; count = request.body->read(piece))
    file.add(std::span(piece).first(count));
  if (file.size() == 0) throw HttpError(400, "the request has no instance");
  groups.add(std::move(file));
}

Response store(const Backend& backend, const Request& request) {
  require_json_accepted(request);
  const std::string study = uids_of(request).study;
  Outcome outcome(root_of(request), study);
  Groups groups(backend, study, request.client, outcome);
  const auto alone = parse_media_type(request.header("Content-Type").value_or(""));
  if (alone && alone->essence() == "application/dicom")
    read_alone(backend, request, groups);
  else
    read_parts(backend, request, groups, outcome);
  groups.finish();
  return outcome.response();
}

}  // namespace

Routes stow_routes(const Backend& backend) {
  const auto answer = [backend](const Request& request) { return store(backend, request); };
  return {{"POST", "/dicomweb/studies", answer}, {"POST", "/dicomweb/studies/{study}", answer}};
}

}  // namespace penta::server
