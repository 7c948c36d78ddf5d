#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "engine/result_json.h"
#include "engine/run.h"
#include "io/dicom/write_seg.h"

namespace penta::engine {

/// Facts of one job that are written beside its results, in run.json, and into DICOM outputs.
struct Job {
  std::string task, method, command;
  std::vector<std::string> paths;
  int threads = 0;
  std::uint64_t seed = 0;
  bool deidentified = false;
  io::dicom::SegType seg = io::dicom::SegType::automatic;
  std::string software_version;
  std::string creation_time;  ///< YYYYMMDDHHMMSS UTC; from SOURCE_DATE_EPOCH when that is set
  double started_s = 0;       ///< steady clock
};

/// auto, binary or labelmap. Throws Error{wrong_use} on another word.
[[nodiscard]] io::dicom::SegType seg_type_of(const std::string& word);

/// Starts the clock and takes the creation time.
[[nodiscard]] Job start_job(std::string task, std::string method);

/// Makes OUT. Throws Error{output_failed} where it cannot be written.
void make_folder(const std::filesystem::path& folder);

/// Writes the files of one step's artefacts into `folder` (names begin with `prefix`) and adds their rows to `result`.
/// `source` is the image that labels belong to (for DICOM SEG and SR), or null.
void save_artifacts(const std::filesystem::path& folder, const std::string& prefix, const Produced& step,
                    const Image* source, const Job& job, Result& result);

/// result.json (inputs, arrays) and run.json (seconds, memory, dates, paths, software, threads) of a method's run.
/// `remarks` are those of the call itself.
void save_method_run(const std::filesystem::path& out, const Runner& runner, const Produced& last, const Job& job,
                     std::span<const Remark> remarks);

void write_json(const std::filesystem::path& path, const Json& json);
void write_run_json(const std::filesystem::path& out, const Job& job);
/// The first line of measurements.csv.
inline constexpr std::string_view csv_header = "series_uid,made_by,region,side,name,value,unit,formula";
void write_csv(const std::filesystem::path& path, const Measurements& measurements);

}  // namespace penta::engine
