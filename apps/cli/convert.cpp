#include <iostream>

#include "apps/cli/commands.h"
#include "engine/convert.h"

namespace penta::cli {

namespace {

int run_convert(const Given& given) {
  engine::Job job = engine::start_job("convert", "");
  job.software_version = version_text();
  job.deidentified = given.has("deidentified");
  for (const Remark& remark : engine::convert(given.one("IN"), given.one("OUT"), settings_of(given), job))
    std::cerr << name_of(remark.severity) << ": " << remark.text << "\n";
  std::cout << "written to " << given.one("OUT") << "\n";
  return 0;
}

}  // namespace

Command convert_command() {
  using enum Option::Kind;
  return {"convert",
          "DICOM, NIfTI, NRRD, MetaImage, PNG into one another; DICOM SEG to NIfTI",
          {{one, "IN", "a file, or a folder of one series", true},
           {one, "OUT", "file.nii.gz, file.nrrd, file.mha, file.png, or a folder for DICOM", true},
           {many, "--set", "what the file does not say: modality=, pixel_mm=", false},
           {flag, "--deidentified", "no names in DICOM outputs", false}},
          run_convert,
          {}};
}

}  // namespace penta::cli
