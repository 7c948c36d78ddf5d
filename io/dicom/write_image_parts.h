#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "io/dicom/write_image.h"

class DcmDataset;
class DcmItem;
class DcmTagKey;

/// What the writers of images share. Inside io/dicom only.
namespace penta::io::dicom::parts {

/// Patient to SOP Common of an image, with its moment of acquisition; `index` counts the instances from 0.
/// `image_type` is the third value of Image Type and what follows; the first two are DERIVED\PRIMARY.
/// Answers the SOP Instance UID.
std::string put_image(DcmDataset& data, const char* sop_class, const std::string& image_type, std::int64_t index,
                      const Acquisition& source, const Provenance& provenance);
void put_pixel_description(DcmDataset& data, std::int64_t columns, std::int64_t rows, int samples, int bits,
                           bool is_signed);
/// How the patient lay, in codes, which NM and PET have instead of Patient Position (PS3.3 C.8.4.6). Empty where it is
/// not HFS, HFP, FFS or FFP.
void put_nuclear_orientation(DcmDataset& data, const std::string& patient_position);
/// Date and time of day of seconds since 1970-01-01.
struct Moment {
  std::string date, time;
};
[[nodiscard]] Moment moment_of(double seconds);

/// value = slope * stored + intercept.
struct Scaling {
  double slope = 1, intercept = 0;
  bool is_signed = true;
};
/// One number a voxel of slice z. Throws Error{bad_input} on RGB and complex voxels.
[[nodiscard]] std::vector<double> slice_values(const AnyVolume& volume, std::int64_t z);
/// Stored values, rounded to nearest, as 16-bit words.
[[nodiscard]] std::vector<std::uint16_t> stored_words(std::span<const double> values, const Scaling& scaling);

[[nodiscard]] std::vector<WrittenInstance> write_slices(const Image& image, const Provenance& provenance);
[[nodiscard]] std::vector<WrittenInstance> write_frames(const Image& image, const Provenance& provenance);
[[nodiscard]] std::vector<WrittenInstance> write_recon_tomo(const Image& image, const Provenance& provenance);

}  // namespace penta::io::dicom::parts
