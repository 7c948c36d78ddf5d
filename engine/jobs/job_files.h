#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/jobs/job_request.h"
#include "engine/store/archive.h"

namespace penta::engine {

/// The folders of one job: what it reads, what it writes, and where that goes once it is whole; what it said, and the
/// series that came of it.
struct JobFolders {
  std::filesystem::path in, part, out, log, made;
};
[[nodiscard]] JobFolders folders_of(const std::filesystem::path& results, std::int64_t id);

/// Puts links to the archive's files into `folders.in`, a folder an input (a report: a folder a series). Throws
/// Error{bad_input} for a series or study that is no longer there, Error{output_failed}.
void link_inputs(const JobFolders& folders, const JobRequest& request, Archive& archive);
/// The command line of a job, `program` first.
[[nodiscard]] std::vector<std::string> command_of(const JobFolders& folders, const JobRequest& request,
                                                  const std::filesystem::path& program, double memory_gb);
/// The part becomes the result, on the disk. Throws Error{output_failed}.
void keep_results(const JobFolders& folders);
/// Writes down, on the disk, that these series came out of the job. Throws Error{output_failed}.
void note_made(const JobFolders& folders, const std::vector<std::string>& series_uids);
[[nodiscard]] std::vector<std::string> read_made(const std::filesystem::path& file);
/// The DICOM files among a job's results, in a fixed order: all of a report, else those that `method` made itself and
/// no step before it. Throws Error{bad_input} for a result.json that is no JSON.
[[nodiscard]] std::vector<std::filesystem::path> dicom_files(const std::filesystem::path& out, const std::string& method);

}  // namespace penta::engine
