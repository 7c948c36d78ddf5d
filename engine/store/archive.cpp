#include "engine/store/archive.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/parallel.h"

namespace penta::engine {

/// A file, what its index says, and what becomes of it.
struct Archive::Arrival {
  StagedFile* file = nullptr;
  StoredInstance instance;
  Stored stored;
  bool wanted = false;  ///< nothing speaks against it so far
};

namespace {

std::string differs_sentence(const std::string& sop_uid) {
  return "storing instance " + sop_uid + ": another one with this SOP Instance UID is here already, with other contents";
}

}  // namespace

Archive::Archive(const std::filesystem::path& folder, Indexer indexer, int index_at_once)
    : blobs_(folder), catalogue_(open_sqlite_catalogue(folder)), indexer_(std::move(indexer)), index_at_once_(index_at_once) {
  // What an earlier run gave a place and no row: it was never acknowledged.
  const std::vector<std::string> places = blobs_.clear_staging();
  if (places.empty()) return;
  std::set<std::string> unknown(places.begin(), places.end());
  for (const std::string& sha256 : catalogue_->known(places)) unknown.erase(sha256);
  for (const std::string& sha256 : unknown) blobs_.remove(sha256);
}

Archive::~Archive() = default;

void Archive::index(Arrival& arrival, const std::string& only_study) {
  Stored& stored = arrival.stored;
  try {
    arrival.instance.sha256 = arrival.file->close();
    arrival.instance.bytes = arrival.file->size();
    arrival.instance.index = indexer_(arrival.file->path());
  } catch (const Error& error) {
    stored.why = error.what();
    stored.code = error.code();
    if (error.code() != Code::internal) return;
    stored.outcome = Stored::Outcome::quarantined;
    blobs_.quarantine(*arrival.file, stored.why);
    return;
  } catch (const std::exception& error) {
    stored.why = "reading the file: " + std::string(error.what());
    stored.code = Code::internal;
    stored.outcome = Stored::Outcome::quarantined;
    blobs_.quarantine(*arrival.file, stored.why);
    return;
  }
  const InstanceIndex& index = arrival.instance.index;
  stored.index = {index.study_uid, index.series_uid, index.sop_uid, index.sop_class, index.transfer_syntax, {}, {}, index.packed_bits,
                  index.rows, index.columns, index.frame_count};
  if (!only_study.empty() && index.study_uid != only_study) {
    stored.why = "the instance belongs to study " + index.study_uid;
    return;
  }
  // One that is here already need not be written again.
  const auto here = catalogue_->files({}, {}, index.sop_uid);
  if (here.empty()) {
    arrival.wanted = true;
  } else if (here.front().sha256 == arrival.instance.sha256) {
    stored.outcome = Stored::Outcome::same;
  } else {
    stored.why = differs_sentence(index.sop_uid);
  }
}

void Archive::keep(std::vector<Arrival>& arrivals, const std::string& who) {
  std::vector<StagedFile*> files;
  std::vector<StoredInstance> instances;
  std::vector<Arrival*> wanted;
  for (Arrival& arrival : arrivals) {
    if (!arrival.wanted) continue;
    wanted.push_back(&arrival);
    files.push_back(arrival.file);
    instances.push_back(std::move(arrival.instance));
  }
  if (wanted.empty()) return;
  std::vector<Catalogue::Added> added;
  {
    const std::shared_lock lock(files_mutex_);
    blobs_.keep(files);
    std::set<std::string> series;
    for (const StoredInstance& one : instances) series.insert(one.index.study_uid + '/' + one.index.series_uid);
    std::vector<AuditEvent> events;
    for (const std::string& uids : series) events.push_back({0, who, "store", uids, "done"});
    added = catalogue_->add(instances, events);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    Stored& stored = wanted[i]->stored;
    wanted[i]->instance = std::move(instances[i]);
    stored.outcome = added[i] == Catalogue::Added::added  ? Stored::Outcome::stored
                     : added[i] == Catalogue::Added::same ? Stored::Outcome::same
                                                          : Stored::Outcome::refused;
    if (stored.outcome != Stored::Outcome::refused) continue;
    stored.why = differs_sentence(stored.index.sop_uid);
    discard(wanted[i]->instance);
  }
}

// The same bytes have the same SOP Instance UID, so that one look tells whether anybody uses them.
void Archive::discard(const StoredInstance& instance) {
  const std::unique_lock lock(files_mutex_);
  const auto here = catalogue_->files({}, {}, instance.index.sop_uid);
  if (here.empty() || here.front().sha256 != instance.sha256) blobs_.remove(instance.sha256);
}

void Archive::tell(const std::vector<Arrival>& arrivals) {
  std::set<std::pair<std::string, std::string>> series;
  for (const Arrival& arrival : arrivals)
    if (arrival.stored.outcome == Stored::Outcome::stored) series.emplace(arrival.stored.index.study_uid, arrival.stored.index.series_uid);
  if (series.empty()) return;
  std::vector<std::function<void(const std::string&, const std::string&)>> listeners;
  {
    const std::lock_guard lock(listeners_mutex_);
    listeners = listeners_;
  }
  for (const auto& [study_uid, series_uid] : series)
    for (const auto& listener : listeners) listener(study_uid, series_uid);
}

std::vector<Stored> Archive::store(std::span<StagedFile> files, const std::string& who, const std::string& only_study) {
  std::vector<Arrival> arrivals(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) arrivals[i].file = &files[i];
  run_jobs(static_cast<std::int64_t>(files.size()), index_at_once_, [&](std::int64_t i) { index(arrivals[static_cast<std::size_t>(i)], only_study); });
  keep(arrivals, who);
  tell(arrivals);
  std::vector<Stored> out;
  for (Arrival& arrival : arrivals) out.push_back(std::move(arrival.stored));
  return out;
}

Stored Archive::store(StagedFile file, const std::string& who) { return std::move(store(std::span(&file, 1), who).front()); }

void Archive::remove(const std::string& study_uid, const std::string& series_uid, const std::string& who) {
  const std::unique_lock lock(files_mutex_);
  const std::vector<std::string> hashes = catalogue_->remove(study_uid, series_uid);
  for (const std::string& sha256 : hashes) blobs_.remove(sha256);
  catalogue_->audit({0, who, "remove", series_uid.empty() ? study_uid : study_uid + '/' + series_uid, hashes.empty() ? "nothing there" : "done"});
}

void Archive::on_stored(std::function<void(const std::string&, const std::string&)> listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.push_back(std::move(listener));
}

}  // namespace penta::engine
