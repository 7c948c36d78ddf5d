#pragma once

#include <array>
#include <cstdint>
#include <functional>
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

/// What all writers of one image are given.
struct Job {
  const Image& image;
  const Derivation& derivation;
  const Provenance& provenance;
};

/// Patient to SOP Common of an image, with its moment of acquisition; `index` counts the instances from 0.
/// `image_type` is what follows the first two values of Image Type. Answers the SOP Instance UID.
std::string put_image(DcmDataset& data, const char* sop_class, const std::string& image_type, std::int64_t index,
                      const Acquisition& source, const Derivation& derivation, const Provenance& provenance);
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
struct Extremes {
  double low = 0, high = 0;
  bool whole = true;
  void add(std::span<const double> values) noexcept;
};
/// 16 bits for values between the extremes, with slope and intercept as they will stand in the file.
[[nodiscard]] Scaling scaling_of(const Extremes& extremes, const std::string& modality);
/// The largest difference between a value and what is read for it.
[[nodiscard]] double largest_error(std::span<const double> values, const Scaling& scaling);
/// The worst that was done to values.
struct Rounding {
  double slope = 0, error = 0;
  void add(double step, double largest) noexcept;
  /// "values are rounded to steps of 0.0625, the largest error is 0.031". Empty where the error is 0.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::vector<Remark> remarks() const;
};

/// One slice on its way out.
struct OutPlane {
  std::int64_t columns = 0, rows = 0;
  std::array<double, 2> spacing_mm{};
  double thickness_mm = 0;
  PatientPoint origin;
  Vector3 row{}, column{};
  std::vector<double> values{};
  std::int64_t time = 0, times = 1, slice = 0, slices = 1;
};
/// All slices of the image, made one at a time. Throws Error{bad_input} on pictures.
void for_each_plane(const Image& image, const std::function<void(const OutPlane&)>& use);
/// One rescale for all slices.
[[nodiscard]] Scaling scaling_of_all(const Image& image);

/// What the source of a slice was: one instance where there are as many as slices, else all of them.
[[nodiscard]] std::span<const SourceInstance> sources_of(const Image& image, std::int64_t index, std::int64_t count);
/// Derivation Description, Derivation Code Sequence and Source Image Sequence (PS3.3 C.7.6.1, C.7.6.16.2.6).
void put_derivation(DcmItem& item, const Job& job, std::span<const SourceInstance> sources,
                    const std::string& rounding);
[[nodiscard]] std::string derivation_text(const Job& job, const std::string& rounding);
/// Referenced Series Sequence (PS3.3 C.12.2) of the source's instances.
void put_common_references(DcmDataset& data, const Image& image);
/// PS3.16 annex L for Body Part Examined; SCT 'Unknown' where it is none of the common ones.
[[nodiscard]] CodedConcept region_code(const std::string& body_part);
/// One number a voxel of slice z. Throws Error{bad_input} on RGB and complex voxels.
[[nodiscard]] std::vector<double> slice_values(const AnyVolume& volume, std::int64_t z);
/// Stored values, rounded to nearest, as 16-bit words.
[[nodiscard]] std::vector<std::uint16_t> stored_words(std::span<const double> values, const Scaling& scaling);

[[nodiscard]] WrittenImage write_slices(const Job& job);
[[nodiscard]] WrittenImage write_enhanced(const Job& job);
[[nodiscard]] WrittenImage write_frames(const Job& job);
[[nodiscard]] WrittenImage write_recon_tomo(const Job& job);

}  // namespace penta::io::dicom::parts
