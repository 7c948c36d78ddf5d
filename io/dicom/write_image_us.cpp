#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cmath>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

bool is_colour(const Frame2d& frame) { return std::holds_alternative<std::vector<Rgb8>>(frame.pixels); }

std::uint8_t grey_byte(double value) {
  if (!(value >= 0 && value <= 255))
    throw Error(Code::bad_input, "writing ultrasound: a grey value lies outside 0..255");
  return static_cast<std::uint8_t>(std::lround(value));
}

void append(std::vector<std::uint8_t>& bytes, const Frame2d& frame) {
  std::visit(
      [&](const auto& pixels) {
        for (const auto& pixel : pixels) {
          if constexpr (std::is_same_v<std::decay_t<decltype(pixel)>, Rgb8>)
            bytes.insert(bytes.end(), {pixel.red, pixel.green, pixel.blue});
          else
            bytes.push_back(grey_byte(static_cast<double>(pixel)));
        }
      },
      frame.pixels);
}

// PS3.3 C.8.5.5.1.15.
std::uint16_t unit_code(RegionUnit unit) {
  switch (unit) {
    case RegionUnit::percent:
      return 1;
    case RegionUnit::decibel:
      return 2;
    case RegionUnit::centimetre:
      return 3;
    case RegionUnit::second:
      return 4;
    case RegionUnit::hertz:
      return 5;
    case RegionUnit::centimetre_per_second:
      return 7;
    case RegionUnit::degree:
      return 0x0C;
    default:
      return 0;
  }
}

void put_region(DcmDataset& data, const UsRegion& region) {
  DcmItem& row = add_item(data, DCM_SequenceOfUltrasoundRegions);
  put_u16(row, DCM_RegionSpatialFormat, static_cast<std::uint16_t>(region.spatial_format));
  put_u16(row, DCM_RegionDataType, static_cast<std::uint16_t>(region.data_type));
  put_u32(row, DCM_RegionFlags, 0);
  put_u32(row, DCM_RegionLocationMinX0, static_cast<std::uint32_t>(region.x0));
  put_u32(row, DCM_RegionLocationMinY0, static_cast<std::uint32_t>(region.y0));
  put_u32(row, DCM_RegionLocationMaxX1, static_cast<std::uint32_t>(region.x1));
  put_u32(row, DCM_RegionLocationMaxY1, static_cast<std::uint32_t>(region.y1));
  put_u16(row, DCM_PhysicalUnitsXDirection, unit_code(region.unit_x));
  put_u16(row, DCM_PhysicalUnitsYDirection, unit_code(region.unit_y));
  put_double(row, DCM_PhysicalDeltaX, region.delta_x);
  put_double(row, DCM_PhysicalDeltaY, region.delta_y);
}

// The regions of a frame, or one over all of it that says the size of its pixels.
std::vector<UsRegion> regions_of(const Frame2d& frame) {
  if (!frame.regions.empty() || !frame.spacing_mm) return frame.regions;
  UsRegion whole{0, 0, frame.width - 1, frame.height - 1, RegionUnit::centimetre, RegionUnit::centimetre};
  whole.delta_x = (*frame.spacing_mm)[0] / 10, whole.delta_y = (*frame.spacing_mm)[1] / 10;
  whole.spatial_format = 1, whole.data_type = 1;
  return {whole};
}

void put_cine(DcmDataset& data, std::size_t frames, const Acquisition& source) {
  put_integer(data, DCM_NumberOfFrames, static_cast<std::int64_t>(frames));
  put_tag(data, DCM_FrameIncrementPointer, DCM_FrameTime);
  const auto* facts = facts_of<UsFacts>(source);
  // 40 ms where nothing is known: a cine must say some time, and 25 a second is what viewers take without one.
  put_decimal(data, DCM_FrameTime, facts != nullptr && facts->frame_time_ms ? *facts->frame_time_ms : 40);
}

}  // namespace

WrittenImage write_frames(const Job& job) {
  const Image& image = job.image;
  const FrameSequence& frames = image.frames();
  if (frames.empty()) throw Error(Code::bad_input, "writing ultrasound: there is no frame");
  const Frame2d& first = frames.front();
  const bool cine = frames.size() > 1;
  std::vector<std::uint8_t> bytes;
  for (const Frame2d& frame : frames) {
    if (frame.width != first.width || frame.height != first.height || is_colour(frame) != is_colour(first))
      throw Error(Code::bad_input, "writing ultrasound: the frames differ in size or in colour");
    append(bytes, frame);
  }
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid = put_image(data, cine ? UID_UltrasoundMultiframeImageStorage : UID_UltrasoundImageStorage,
                                       "", 0, image.acquisition, job.derivation, job.provenance);
  put_derivation(data, job, image.acquisition.instances, {});
  put_pixel_description(data, first.width, first.height, is_colour(first) ? 3 : 1, 8, false);
  put_u16(data, DCM_UltrasoundColorDataPresent, 0);
  put(data, DCM_LossyImageCompression, "00");
  if (cine) put_cine(data, frames.size(), image.acquisition);
  for (const UsRegion& region : regions_of(first)) put_region(data, region);
  put_pixels(data, bytes);
  written.bytes = to_bytes(data);
  WrittenImage out;
  out.instances.push_back(std::move(written));
  return out;
}

}  // namespace penta::io::dicom::parts
