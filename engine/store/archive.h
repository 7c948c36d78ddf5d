#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/store/blobs.h"
#include "engine/store/catalogue.h"
#include "engine/store/settler.h"

namespace penta::engine {

/// What became of one file that was handed in.
struct Stored {
  enum class Outcome { stored, same, refused, quarantined } outcome = Outcome::refused;
  InstanceIndex index;  ///< metadata and frames left out; UIDs empty where the file is no DICOM
  std::string why;      ///< of a refusal, one sentence
  Code code = Code::bad_input;
};

/// Reads an instance's index out of a file: done by a worker process. Throws Error{bad_input} for what is no DICOM or
/// lacks a UID, Error{internal} when the reader itself broke on it (then the file is quarantined).
using Indexer = std::function<InstanceIndex(const std::filesystem::path&)>;

/// Files and catalogue together: the one way in, for STOW-RS, C-STORE and the results of jobs alike. Every call is safe
/// from any thread.
class Archive {
 public:
  /// `index_at_once`: how many files of one store() are indexed side by side. After a crash or a power cut the instances
  /// that were kept and have no row are indexed again here.
  Archive(const std::filesystem::path& folder, Indexer indexer, int index_at_once = 2, Settling settling = {});
  ~Archive();

  [[nodiscard]] StagedFile stage() const { return blobs_.stage(); }
  /// Everything that comes back as stored or same is on the disk. Files that are refused cost the others nothing; so are
  /// those of other studies where `only_study` names one. One with the SOP Instance UID and the transfer syntax of one
  /// that is here is the same where the bytes of its data set are.
  [[nodiscard]] std::vector<Stored> store(std::span<StagedFile> files, const std::string& who, const std::string& only_study = {});
  [[nodiscard]] Stored store(StagedFile file, const std::string& who);
  [[nodiscard]] std::filesystem::path path_of(const StoredInstance& instance) const { return blobs_.path_of(instance.sha256); }
  void remove(const std::string& study_uid, const std::string& series_uid, const std::string& who);
  [[nodiscard]] Catalogue& catalogue() noexcept { return *catalogue_; }

  /// Called after instances of a series were stored (from the storing thread; must be quick). For rules and live pages.
  void on_stored(std::function<void(const std::string& study_uid, const std::string& series_uid)> listener);

 private:
  struct Arrival;
  void index(Arrival& arrival, const std::string& only_study);
  void keep(std::vector<Arrival*> wanted, const std::string& who);
  [[nodiscard]] std::vector<Arrival*> reserve(std::vector<Arrival*>& wanted);
  void give_back(const std::vector<Arrival*>& reserved) noexcept;
  [[nodiscard]] bool is_new(Arrival& arrival) const;
  void write(const std::vector<Arrival*>& arrivals, const std::string& who);
  void discard(const std::vector<Arrival*>& arrivals) noexcept;
  void tell(const std::vector<Arrival>& arrivals);
  void recover();
  [[nodiscard]] Settler::Names recover(std::span<const KeptName> names);

  Blobs blobs_;
  std::unique_ptr<Catalogue> catalogue_;
  Indexer indexer_;
  int index_at_once_;
  /// SOP Instance UIDs that are being written, with the hash and the number of those that write it. Two that differ never
  /// lie in staging/ at the same time, so that a start after a crash need not choose.
  struct Writing {
    std::string sha256;
    int count = 0;
  };
  std::mutex writing_mutex_;
  std::condition_variable written_;
  std::map<std::string, Writing> writing_;
  /// Shared while files get their places and rows; alone while files are removed.
  std::shared_mutex files_mutex_;
  std::mutex listeners_mutex_;
  std::vector<std::function<void(const std::string&, const std::string&)>> listeners_;
  Settler settler_;
};

}  // namespace penta::engine
