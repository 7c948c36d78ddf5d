#include "engine/jobs/waiting.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "core/hash.h"
#include "engine/jobs/process.h"
#include "engine/save.h"
#include "engine/store/blobs.h"

namespace penta::engine {

namespace fs = std::filesystem;

WaitingFolder::WaitingFolder(fs::path folder) : folder_(std::move(folder)) {
  make_folder(folder_);
}

std::vector<std::pair<std::string, std::string>> WaitingFolder::left() const {
  std::vector<std::pair<std::string, std::string>> series;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    std::ifstream in(entry.path());
    std::string study_uid, series_uid;
    if (in >> study_uid >> series_uid) series.emplace_back(study_uid, series_uid);
    else fs::remove(entry.path());  // one that was cut off: its series was never acknowledged
  }
  return series;
}

// A UID comes from outside: its hash is the name.
fs::path WaitingFolder::file_of(const std::string& series_uid) const { return folder_ / Sha256().add(series_uid).hex(); }

// Instances that are stored are not refused because a rule may be forgotten.
void WaitingFolder::add(const std::string& study_uid, const std::string& series_uid) const noexcept {
  try {
    const std::string text = study_uid + " " + series_uid + "\n";
    const Handle file(::open(file_of(series_uid).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const bool written = file.get() >= 0 && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (written && ::fsync(file.get()) == 0) sync_folder(folder_);
  } catch (const std::exception&) {
    return;
  }
}

void WaitingFolder::remove(const std::string& series_uid) const noexcept {
  std::error_code ignored;
  fs::remove(file_of(series_uid), ignored);
}

}  // namespace penta::engine
