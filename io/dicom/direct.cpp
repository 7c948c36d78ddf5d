#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr std::string_view deflated_data_set = "1.2.840.10008.1.2.1.99";
constexpr Tag modality_table{0x0028, 0x3000}, frame_offsets{0x7FE0, 0x0001}, frame_lengths{0x7FE0, 0x0002};

// Plain: what reading needs is known from the layout, and the pixel data lie in the file as they are.
bool is_plain(const Object& object, const Instance& instance) {
  if (instance.source.path.empty() || !instance.has_pixels || instance.slices.size() != 1) return false;
  if (instance.kind != SeriesKind::volume && instance.kind != SeriesKind::frames) return false;
  if (object.pixel_tag.element != 0x0010 || object.transfer_syntax == deflated_data_set) return false;
  const Layout stored = layout_of(object);
  if (stored.samples != 1 || stored.frames != 1 || !stored.photometric.starts_with("MONOCHROME")) return false;
  // A mosaic's tiles are smaller than its picture.
  if (stored.columns != instance.layout.columns || stored.rows != instance.layout.rows) return false;
  DcmItem& data = object.data();
  return !has(data, modality_table) && !has(data, frame_offsets) && !has(data, frame_lengths);
}

}  // namespace

Instance placed_instance_of(const Object& object, const Source& source) {
  Instance instance = instance_of(object, source);
  instance.stamp = object.stamp;
  if (is_plain(object, instance))
    instance.place = PixelPlace{object.pixel_offset, object.pixel_length, object.big_endian, object.words};
  return instance;
}

}  // namespace penta::io::dicom
