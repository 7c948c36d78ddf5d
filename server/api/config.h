#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/jobs/rules.h"
#include "engine/jobs/workers.h"
#include "server/dimse/dimse.h"
#include "server/http/server.h"

namespace penta::server {

/// All that can be set: DIR/penta.json, changed by the command line.
struct Config {
  HttpSettings http;
  bool dicom = false;  ///< whether DIMSE is served
  DimseSettings dimse;
  bool ohif = false;  ///< whether the OHIF viewer is served, at a port of its own
  std::uint16_t ohif_port = 8043;
  std::string ohif_folder;  ///< empty: where tools/ohif.sh puts it
  int workers = 2;
  engine::WorkerLimits worker;
  int jobs_at_once = 1, job_attempts = 2;
  double jobs_memory_gb = 8;
  std::chrono::seconds job_seconds{14400};  ///< of one job
  std::chrono::milliseconds quiet{3000};  ///< after a series' last instance, before rules look at it
  std::vector<engine::Rule> rules;
};

/// Reads DIR/penta.json; without one, the usual settings. Throws Error{wrong_use} that names the file and the member that
/// is unknown or of a wrong type.
[[nodiscard]] Config read_config(const std::filesystem::path& file);
/// The rules and peers, as /api/rules shows them.
[[nodiscard]] Json rules_json(const Config& config);
[[nodiscard]] std::vector<std::string> peer_names(const Config& config);

}  // namespace penta::server
