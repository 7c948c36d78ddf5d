#include <algorithm>
#include <array>
#include <iostream>
#include <map>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "engine/open.h"

namespace penta::cli {

namespace {

void print_entry(const engine::Entry& entry) {
  const Acquisition& a = entry.acquisition;
  std::cout << "    " << (a.modality.empty() ? "modality unknown" : a.modality) << "  " << entry.format << " "
            << entry.kind << "  " << entry.shape;
  if (!a.series_description.empty()) std::cout << "  '" << a.series_description << "'";
  std::cout << "  " << entry.files.size() << (entry.files.size() == 1 ? " file" : " files") << "\n";
  if (!a.series_uid.empty()) std::cout << "      series " << a.series_uid << "\n";
  for (const Remark& fault : entry.faults) std::cout << "      " << name_of(fault.severity) << ": " << fault.text << "\n";
}

int run_info(const Given& given) {
  const std::array<std::filesystem::path, 1> paths{given.one("PATH")};
  const engine::Opened opened = engine::open(paths);
  std::map<std::string, std::map<std::string, std::vector<const engine::Entry*>>> patients;
  for (const engine::Entry& entry : opened.entries)
    patients[entry.acquisition.patient.id][entry.acquisition.study_uid].push_back(&entry);
  for (const auto& [patient, studies] : patients) {
    std::cout << "patient " << (patient.empty() ? "(no id)" : patient) << "\n";
    for (const auto& [study, entries] : studies) {
      std::cout << "  study " << study << " " << entries.front()->acquisition.study_date << "\n";
      for (const engine::Entry* entry : entries) print_entry(*entry);
    }
  }
  for (const Remark& fault : opened.faults) std::cout << name_of(fault.severity) << ": " << fault.text << "\n";
  const bool failed = std::any_of(opened.faults.begin(), opened.faults.end(),
                                  [](const Remark& r) { return r.severity == Severity::error; });
  return failed ? code_row(Code::partly_done).exit_code : 0;
}

}  // namespace

Command info_command() {
  using enum Option::Kind;
  return {"info", "patients, studies, series, geometry, and every fault found", {{one, "PATH", "a file or folder", true}}, run_info, {}};
}

}  // namespace penta::cli
