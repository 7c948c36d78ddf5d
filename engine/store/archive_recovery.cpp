// A start after a crash or a power cut: staged names of instances that were kept stand for rows that may be lost.
#include <algorithm>
#include <set>
#include <utility>

#include "core/parallel.h"
#include "engine/store/archive.h"

namespace penta::engine {

namespace {

constexpr std::size_t at_once = 500;

}  // namespace

void Archive::recover() {
  const std::vector<KeptName> names = blobs_.recovered();
  if (names.empty()) return;
  std::vector<std::string> hashes;
  for (const KeptName& name : names) hashes.push_back(name.sha256);
  const std::vector<std::string> found = catalogue_->known(hashes);
  const std::set<std::string> known(found.begin(), found.end());
  Settler::Names done;
  std::vector<KeptName> unknown;
  for (const KeptName& name : names) {
    if (!known.contains(name.sha256)) {
      unknown.push_back(name);
      continue;
    }
    // A row was written after the bytes were on the disk, so that only those without one need a look.
    blobs_.place(name);
    done.push_back(name.path);
  }
  for (std::size_t first = 0; first < unknown.size(); first += at_once) {
    Settler::Names more = recover(std::span(unknown).subspan(first, std::min(at_once, unknown.size() - first)));
    done.insert(done.end(), more.begin(), more.end());
  }
  settler_.add(std::move(done));
  settler_.now();
}

// What was never acknowledged may be cut off: it goes. What is whole was indexed before: where that fails now (a worker
// that cannot start), its name stays for the next start.
Settler::Names Archive::recover(std::span<const KeptName> names) {
  enum class Found : char { cut, whole, failed };
  std::vector<StoredInstance> instances(names.size());
  std::vector<Found> found(names.size(), Found::cut);
  std::vector<AuditEvent> events(names.size());
  run_jobs(static_cast<std::int64_t>(names.size()), index_at_once_, [&](std::int64_t job) {
    const auto i = static_cast<std::size_t>(job);
    events[i] = {0, "start", "store again", names[i].sha256, "cut off"};
    if (!Blobs::whole(names[i])) return;
    try {
      instances[i] = {indexer_(names[i].path), names[i].sha256, names[i].bytes};
      found[i] = Found::whole;
      events[i].outcome = "done";
    } catch (const std::exception& error) {
      found[i] = Found::failed;
      events[i].outcome = error.what();
    }
  });
  Settler::Names done;
  std::vector<StoredInstance> wanted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found[i] == Found::whole) {
      blobs_.place(names[i]);
      wanted.push_back(std::move(instances[i]));
    }
    if (found[i] != Found::failed) done.push_back(names[i].path);
  }
  static_cast<void>(catalogue_->add(wanted, events));
  return done;
}

}  // namespace penta::engine
