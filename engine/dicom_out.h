#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/save.h"
#include "io/dicom/write_common.h"

namespace penta::engine {

struct DicomFile {
  std::string kind;  ///< dicom_seg, dicom_sr, dicom_image, dicom_parametric_map
  std::string role, file;
  std::vector<std::byte> bytes;
};

/// The DICOM objects of one step: a SEG for each label map, an SR for its measurements and findings, a parametric
/// map or a derived image for each new volume, image instances for what was generated. What cannot be said in DICOM (a plain picture's labels) gives a remark and no file.
[[nodiscard]] std::vector<DicomFile> dicom_outputs(const Produced& step, const Image* source, const Job& job,
                                                   Result& result);

/// The image or projections as DICOM instances "0001.dcm" and on. Throws Error{bad_input} for what has no modality or
/// cannot be said in DICOM.
/// `enhanced` asks for one instance of many frames where the modality has such a class. Remarks say what was rounded.
[[nodiscard]] std::vector<DicomFile> dicom_images(const Image& image, bool enhanced, const io::dicom::Provenance& provenance,
                                                  std::vector<Remark>& remarks);
[[nodiscard]] std::vector<DicomFile> dicom_images(const RawData& raw, const io::dicom::Provenance& provenance);

}  // namespace penta::engine
