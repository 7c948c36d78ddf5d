#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/raw_data.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// One instance: its SOP Instance UID and its part-10 bytes.
struct WrittenInstance {
  std::string sop_instance_uid;
  std::vector<std::byte> bytes;
};

/// The image as a new series of its study (its acquisition's, or a new one), by acquisition.modality:
/// CT, MR, PET: one instance a slice, slices in grid order, volumes of a sequence one after another;
/// SPECT: one multi-frame NM RECON TOMO a volume; US: one instance, multi-frame where there are several frames.
/// Stored are 16 bits (8 in US) with one rescale a series (PET: one a slice; NM has none, so its values are scaled by
/// a slope that is written all the same). CT that fits is rounded to whole HU; whole numbers that fit are exact.
/// A synthetic acquisition is marked: Synthetic Data YES, DERIVED, 'SYNTHETIC ...', patient id 'SYN-...'.
/// Throws Error{bad_input}: a modality that is not known, complex voxels, US values outside 0..255.
[[nodiscard]] std::vector<WrittenInstance> write_image(const Image& image, const Provenance& provenance);

/// Views of a rotating camera as NM TOMO or GATED TOMO (PS3.3 C.8.4). Throws Error{bad_input} where `raw` holds no
/// projections, counts are not whole numbers of 0..65535, or the angles are not evenly stepped for each detector.
[[nodiscard]] WrittenInstance write_projections(const RawData& raw, const Provenance& provenance);

}  // namespace penta::io::dicom
