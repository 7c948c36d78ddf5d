#include "io/dicom/write_capture.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace {

using Pictures = std::span<const Picture>;

bool is_grey(Pictures pictures) noexcept {
  for (const Picture& picture : pictures)
    for (const Rgb8& pixel : picture.pixels)
      if (pixel.red != pixel.green || pixel.green != pixel.blue) return false;
  return true;
}

std::vector<std::uint8_t> bytes_of(Pictures pictures, bool grey) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(pictures.size() * pictures.front().pixels.size() * (grey ? 1U : 3U));
  for (const Picture& picture : pictures)
    for (const Rgb8& pixel : picture.pixels) {
      bytes.push_back(pixel.red);
      if (!grey) bytes.insert(bytes.end(), {pixel.green, pixel.blue});
    }
  if (bytes.size() >= 0xFFFFFFFEU)
    throw Error(Code::bad_input, "writing a secondary capture: more than 4 GiB of pixels of one size");
  return bytes;
}

// Of the pictures' making, not of the source's acquisition.
void put_heads(DcmDataset& data, const Acquisition& source, const Capture& capture, const Provenance& provenance) {
  const std::string& description = capture.series_description;
  parts::put_patient_and_study(data, source, provenance);
  parts::put_series(data, "OT", parts::uid_for(provenance, "capture series"), 900,
                    description.empty() ? provenance.method : description, source, provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put(data, DCM_ImageType, "DERIVED\\SECONDARY");
  parts::put(data, DCM_ConversionType, "WSD");  // workstation
  parts::put(data, DCM_BurnedInAnnotation, capture.burned_in ? "YES" : "NO");
  parts::put(data, DCM_PatientOrientation, "");
  parts::put(data, DCM_LossyImageCompression, "00");
  parts::put_body_part(data, source);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, provenance);
}

void put_frames(DcmDataset& data, std::int64_t frames) {
  parts::put_integer(data, DCM_NumberOfFrames, frames);
  if (frames < 2) return;
  // PS3.3 C.8.6.4: pages, since the pictures have no order in time.
  std::vector<std::uint16_t> pages;
  for (std::int64_t page = 1; page <= frames; ++page) pages.push_back(static_cast<std::uint16_t>(page));
  parts::put_tag(data, DCM_FrameIncrementPointer, DCM_PageNumberVector);
  std::string text;
  for (const std::uint16_t page : pages) text += (text.empty() ? "" : "\\") + std::to_string(page);
  parts::put(data, DCM_PageNumberVector, text);
}

WrittenInstance write_run(Pictures pictures, std::int64_t index, const Acquisition& source, const Capture& capture,
                          const Provenance& provenance) {
  const bool grey = is_grey(pictures);
  const auto bytes = bytes_of(pictures, grey);
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid = parts::uid_for(provenance, "capture instance", index);
  put_heads(data, source, capture, provenance);
  parts::put_equipment_and_sop(data,
                               grey ? UID_MultiframeGrayscaleByteSecondaryCaptureImageStorage
                                    : UID_MultiframeTrueColorSecondaryCaptureImageStorage,
                               written.sop_instance_uid, source, provenance);
  parts::put_integer(data, DCM_InstanceNumber, index + 1);
  Image made;
  made.acquisition.instances = source.instances;
  const Derivation derivation{ImageForm::single_frame, false, capture.description, {}};
  parts::put_derivation(data, {made, derivation, provenance}, source.instances, {});
  parts::put_pixel_description(data, pictures.front().width, pictures.front().height, grey ? 1 : 3, 8, false);
  if (grey) {
    parts::put(data, DCM_PresentationLUTShape, "IDENTITY");
    parts::put_decimal(data, DCM_RescaleSlope, 1);  // PS3.3 C.8.6.3
    parts::put_decimal(data, DCM_RescaleIntercept, 0);
    parts::put(data, DCM_RescaleType, "US");
  }
  put_frames(data, static_cast<std::int64_t>(pictures.size()));
  parts::put_pixels(data, bytes);
  written.bytes = parts::to_bytes(data);
  return written;
}

}  // namespace

std::vector<WrittenInstance> write_secondary_capture(Pictures pictures, const Acquisition& source,
                                                     const Capture& capture, const Provenance& provenance) {
  if (pictures.empty()) throw Error(Code::bad_input, "writing a secondary capture: there is no picture");
  for (const Picture& picture : pictures)
    if (picture.width < 1 || picture.height < 1 ||
        picture.pixels.size() != static_cast<std::size_t>(picture.width * picture.height))
      throw Error(Code::bad_input, "writing a secondary capture: a picture is empty or lacks pixels");
  std::vector<WrittenInstance> written;
  for (std::size_t first = 0; first < pictures.size();) {
    std::size_t last = first + 1;
    // A page number vector has 16-bit positions in a multi-frame of at most 65535.
    while (last < pictures.size() && last - first < 65535 && pictures[last].width == pictures[first].width &&
           pictures[last].height == pictures[first].height)
      ++last;
    written.push_back(write_run(pictures.subspan(first, last - first), static_cast<std::int64_t>(written.size()), source,
                                capture, provenance));
    first = last;
  }
  return written;
}

}  // namespace penta::io::dicom
