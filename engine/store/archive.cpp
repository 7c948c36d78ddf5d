#include "engine/store/archive.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/parallel.h"
#include "io/dicom/web.h"

namespace penta::engine {

/// A file, what its index says, and what becomes of it.
struct Archive::Arrival {
  StagedFile* file = nullptr;
  StoredInstance instance;
  Stored stored;
  bool wanted = false;  ///< it is an instance
};

namespace {

std::string differs_sentence(const std::string& sop_uid) {
  return "storing instance " + sop_uid + ": another one with this SOP Instance UID is here already, with other contents";
}

}  // namespace

Archive::Archive(const std::filesystem::path& folder, Indexer indexer, int index_at_once, Settling settling)
    : blobs_(folder), catalogue_(open_sqlite_catalogue(folder)), indexer_(std::move(indexer)), index_at_once_(index_at_once),
      settler_([this](const Settler::Names& names) {
        catalogue_->sync();
        blobs_.release(names);
      }, settling) {
  recover();
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
  stored.index = {index.study_uid, index.series_uid, index.sop_uid, index.sop_class, index.transfer_syntax, {}, {}, index.frames_by_decoding,
                  index.rows, index.columns, index.frame_count};
  if (!only_study.empty() && index.study_uid != only_study) {
    stored.why = "the instance belongs to study " + index.study_uid;
    return;
  }
  arrival.wanted = true;
}

// Takes those out of `wanted` whose UIDs nobody else writes with other contents; waits until there are some.
std::vector<Archive::Arrival*> Archive::reserve(std::vector<Arrival*>& wanted) {
  std::vector<Arrival*> mine, later;
  std::unique_lock lock(writing_mutex_);
  for (;;) {
    for (Arrival* arrival : wanted) {
      const auto [place, added] = writing_.try_emplace(arrival->stored.index.sop_uid, Writing{arrival->instance.sha256, 0});
      const bool free = place->second.sha256 == arrival->instance.sha256;
      if (free) ++place->second.count;
      (free ? mine : later).push_back(arrival);
    }
    wanted = std::exchange(later, {});
    if (!mine.empty()) return mine;
    written_.wait(lock);
  }
}

void Archive::give_back(const std::vector<Arrival*>& reserved) noexcept {
  {
    const std::lock_guard lock(writing_mutex_);
    for (const Arrival* arrival : reserved)
      if (const auto place = writing_.find(arrival->stored.index.sop_uid); --place->second.count == 0) writing_.erase(place);
  }
  written_.notify_all();
}

// One that is here already need not be written again.
bool Archive::is_new(Arrival& arrival) const {
  const auto here = catalogue_->files({}, {}, arrival.stored.index.sop_uid);
  if (here.empty()) return true;
  const StoredInstance& there = here.front();
  const bool same = there.sha256 == arrival.instance.sha256 ||
                    (there.index.transfer_syntax == arrival.stored.index.transfer_syntax &&
                     io::dicom::same_data_set(blobs_.path_of(there.sha256), arrival.file->path()));
  arrival.stored.outcome = same ? Stored::Outcome::same : Stored::Outcome::refused;
  if (!same) arrival.stored.why = differs_sentence(arrival.stored.index.sop_uid);
  return false;
}

void Archive::keep(std::vector<Arrival*> wanted, const std::string& who) {
  while (!wanted.empty()) {
    std::vector<Arrival*> reserved = reserve(wanted);
    try {
      const std::shared_lock lock(files_mutex_);
      std::vector<Arrival*> fresh;
      for (Arrival* arrival : reserved)
        if (is_new(*arrival)) fresh.push_back(arrival);
      if (!fresh.empty()) write(fresh, who);
    } catch (...) {
      discard(reserved);
      give_back(reserved);
      throw;
    }
    give_back(reserved);
  }
}

// After a fault: what got a place and no row. The same bytes have the same SOP Instance UID, so that one look tells whether
// anybody uses them.
void Archive::discard(const std::vector<Arrival*>& arrivals) noexcept {
  try {
    const std::unique_lock lock(files_mutex_);
    for (const Arrival* arrival : arrivals) {
      const auto here = catalogue_->files({}, {}, arrival->stored.index.sop_uid);
      if (here.empty() || here.front().sha256 != arrival->file->close()) blobs_.remove(arrival->file->close());
    }
  } catch (...) {
    // A file too many costs space and nothing else.
  }
}

// Acknowledged after one sync a file: that of its bytes, with which its staged name goes to the disk. The row follows
// when the names are settled.
void Archive::write(const std::vector<Arrival*>& arrivals, const std::string& who) {
  std::vector<StagedFile*> files;
  std::vector<StoredInstance> instances;
  std::set<std::string> series;
  for (Arrival* arrival : arrivals) {
    files.push_back(arrival->file);
    instances.push_back(std::move(arrival->instance));
    series.insert(arrival->stored.index.study_uid + '/' + arrival->stored.index.series_uid);
  }
  std::vector<AuditEvent> events;
  for (const std::string& uids : series) events.push_back({0, who, "store", uids, "done"});
  blobs_.keep(files);
  const std::vector<Catalogue::Added> added = catalogue_->add(instances, events);
  Settler::Names names;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    Stored& stored = arrivals[i]->stored;
    stored.outcome = added[i] == Catalogue::Added::added ? Stored::Outcome::stored : Stored::Outcome::same;
    // Whoever has the row has a staged name too.
    if (added[i] == Catalogue::Added::added) names.push_back(Blobs::leave(*files[i]));
  }
  settler_.add(std::move(names));
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
  std::vector<Arrival*> wanted;
  for (Arrival& arrival : arrivals)
    if (arrival.wanted) wanted.push_back(&arrival);
  keep(std::move(wanted), who);
  tell(arrivals);
  std::vector<Stored> out;
  for (Arrival& arrival : arrivals) out.push_back(std::move(arrival.stored));
  return out;
}

Stored Archive::store(StagedFile file, const std::string& who) { return std::move(store(std::span(&file, 1), who).front()); }

void Archive::remove(const std::string& study_uid, const std::string& series_uid, const std::string& who) {
  const std::unique_lock lock(files_mutex_);
  // No staged name may bring back what was removed.
  settler_.now();
  blobs_.sync_staging();
  const std::vector<std::string> hashes = catalogue_->remove(study_uid, series_uid);
  for (const std::string& sha256 : hashes) blobs_.remove(sha256);
  catalogue_->audit({0, who, "remove", series_uid.empty() ? study_uid : study_uid + '/' + series_uid, hashes.empty() ? "nothing there" : "done"});
}

void Archive::on_stored(std::function<void(const std::string&, const std::string&)> listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.push_back(std::move(listener));
}

}  // namespace penta::engine
