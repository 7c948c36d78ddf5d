#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/save.h"

namespace penta::engine {

struct DicomFile {
  std::string kind;  ///< dicom_seg, dicom_sr, dicom_image
  std::string role, file;
  std::vector<std::byte> bytes;
};

/// The DICOM objects of one step: a SEG for each label map, an SR for its measurements and findings, image instances
/// for what was generated. What cannot be said in DICOM (a plain picture's labels) gives a remark and no file.
[[nodiscard]] std::vector<DicomFile> dicom_outputs(const Produced& step, const Image* source, const Job& job,
                                                   Result& result);

}  // namespace penta::engine
