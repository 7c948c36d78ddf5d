#include "io/dicom/read_seg.h"

#include "core/error.h"
#include "io/dicom/read_seg_parts.h"

namespace penta::io::dicom {

namespace {

void read_identity(DcmItem& data, Acquisition& acquisition) {
  acquisition.dicom_modality = text(data, tag::modality);
  acquisition.study_uid = text(data, tag::study_uid);
  acquisition.series_uid = text(data, tag::series_uid);
  acquisition.frame_of_reference_uid = text(data, tag::frame_of_reference);
  acquisition.series_description = text(data, tag::series_description);
}

}  // namespace

LabelMap seg_from(const Object& object) {
  try {
    LabelMap labels;
    labels.segments = seg::segments_in(object.data());
    seg::Header header = seg::header_of(object.data(), labels.remarks);
    labels.planar = header.planar();
    const Grid grid = seg::place_frames(header, labels.remarks);
    seg::fill_layers(object, header, grid, labels);
    read_identity(object.data(), labels.acquisition);
    return labels;
  } catch (const Error& fault) {
    rethrow_with(fault, "reading the segmentation " + object.name);
  }
}

LabelMap read_seg(std::span<const std::byte> bytes) { return seg_from(load({"in memory", {}, bytes}, true)); }

}  // namespace penta::io::dicom
