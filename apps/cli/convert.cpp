#include <iostream>

#include "apps/cli/commands.h"
#include "engine/convert.h"

namespace penta::cli {

namespace {

int run_convert(const Given& given) {
  engine::Job job = engine::start_job("convert", "");
  job.software_version = version_text();
  job.deidentified = given.has("deidentified");
  job.seg = engine::seg_type_of(given.one_or("seg", "auto"));
  const engine::ConvertSettings settings{settings_of(given), given.one_or("series", ""), given.one_or("source", ""),
                                         given.one_or("as", "")};
  const engine::Converted done = engine::convert(given.one("IN"), given.one("OUT"), settings, job);
  for (const Remark& remark : done.remarks)
    if (!given.has("quiet") || remark.severity != Severity::note) std::cerr << name_of(remark.severity) << ": " << remark.text << "\n";
  for (const auto& file : done.files) std::cout << "written to " << file.string() << "\n";
  return 0;
}

}  // namespace

Command convert_command() {
  using enum Option::Kind;
  return {"convert",
          "DICOM, NIfTI, NRRD, MetaImage, TIFF, PNG, raw formats into one another; labels, contours and reports too",
          {{one, "IN", "a file, or a folder of one series", true},
           {one, "OUT", "file.nii.gz .nii .hdr .nrrd .mha .tif .png .npy; .json of a DICOM SR; .dcm of labels or contours; or a folder for DICOM images", true},
           {one, "--series", "of several series: the UID or number of the one that is meant", false},
           {one, "--source", "the image that labels or contours belong to", false},
           {one, "--as", "the DICOM object: seg, rtstruct, enhanced, parametric-map, secondary-capture", false},
           seg_option(),
           geometry_option(),
           {many, "--set", "what the file does not say: modality=, pixel_mm=", false},
           {flag, "--deidentified", "no names in DICOM outputs", false},
           {flag, "--quiet", "no notes, only warnings", false}},
          run_convert,
          {}};
}

}  // namespace penta::cli
