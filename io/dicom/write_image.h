#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/coded.h"
#include "core/image.h"
#include "core/raw_data.h"
#include "core/remark.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// One instance: its SOP Instance UID and its part-10 bytes.
struct WrittenInstance {
  std::string sop_instance_uid;
  std::vector<std::byte> bytes;
};

/// One instance a slice, or all slices in one (Enhanced CT, Enhanced MR). Some receivers know only the first.
enum class ImageForm { single_frame, enhanced };

/// How an image came to be, and how it is written.
struct Derivation {
  ImageForm form = ImageForm::single_frame;
  /// Image Type DERIVED\PRIMARY, as for a series that changed its format; else DERIVED\SECONDARY where the class has it.
  bool primary = true;
  std::string description{};           ///< what was done, in words; empty: the method and its version
  std::vector<CodedConcept> codes{};   ///< of PS3.16 CID 7203; empty: the method's id, scheme 99PENTA
};

struct WrittenImage {
  std::vector<WrittenInstance> instances;
  std::vector<Remark> remarks;  ///< what was rounded, and by how much at most; what form was not possible
};

/// The image as a new series of its study (its acquisition's, or a new one), by acquisition.modality:
/// CT, MR, PET: one instance a slice, slices in grid order, volumes of a sequence one after another, or with
/// ImageForm::enhanced one instance of frames in that order (not PET, whose enhanced class must say route, corrections
/// and table motion of the acquisition: single frames and the remark enhanced_not_possible);
/// SPECT: one multi-frame NM RECON TOMO a volume; US: one instance, multi-frame where there are several frames.
/// Stored are 16 bits (8 in US) with one rescale a series (PET: one a slice or frame; NM has none, so its values are
/// scaled by a slope that is written all the same). Whole numbers that fit are exact; else values are rounded to the
/// rescale slope (CT: a power of two), and the remark rounded, as the Derivation Description, gives the largest error.
/// acquisition.instances become the Source Image Sequence: the one of the slice where their numbers agree, else all.
/// A synthetic acquisition is marked: Synthetic Data YES, DERIVED, 'SYNTHETIC ...', patient id 'SYN-...'.
/// Throws Error{bad_input}: a modality that is not known, complex voxels, US values outside 0..255, pixel data of one
/// instance beyond 4 GiB.
[[nodiscard]] WrittenImage write_derived_image(const Image& image, const Derivation& derivation,
                                               const Provenance& provenance);
/// The same in single frames of Image Type DERIVED\PRIMARY, without the remarks.
[[nodiscard]] std::vector<WrittenInstance> write_image(const Image& image, const Provenance& provenance);

/// Views of a rotating camera as NM TOMO or GATED TOMO (PS3.3 C.8.4). Throws Error{bad_input} where `raw` holds no
/// projections, counts are not whole numbers of 0..65535, or the angles are not evenly stepped for each detector.
[[nodiscard]] WrittenInstance write_projections(const RawData& raw, const Provenance& provenance);

}  // namespace penta::io::dicom
