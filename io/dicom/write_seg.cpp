#include "io/dicom/write_seg.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "core/error.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_seg_parts.h"

namespace penta::io::dicom {

namespace {

void check_labels(const LabelMap& labels, const Image& source) {
  if (labels.segments.empty()) throw Error(Code::bad_input, "writing a SEG: the label map has no segment in its table");
  if (labels.segments.size() > 65535) throw Error(Code::bad_input, "writing a SEG: more than 65535 segments");
  if (!labels.planar) return;
  const std::int64_t frames = labels.grid().size()[2];
  for (std::int64_t z = 0; z < frames; ++z)
    if (!seg::match_slice(labels, source, z))
      throw Error(Code::bad_input,
                  "writing a SEG: labels of plain frames have no place in the patient, and the DICOM frames that they "
                  "belong to are not known");
}

constexpr std::size_t most_as_binary = 3;

std::vector<std::byte> object_bytes(const seg::Plan& plan, const char* transfer_syntax) {
  DcmDataset data;
  seg::put_modules(data, plan);
  auto bytes = parts::to_bytes_as(data, transfer_syntax);
  parts::append_sequence(bytes, DCM_PerFrameFunctionalGroupsSequence, seg::frame_items(plan));
  return bytes;
}

seg::Plan plan_of(const LabelMap& labels, const Image& source, const Provenance& provenance, SegType type) {
  seg::Plan plan{labels, source, provenance, type == SegType::labelmap, {}, {}};
  if (plan.labelmap)
    plan.numbers = seg::labelmap_numbers(labels);
  else
    for (std::size_t row = 0; row < labels.segments.size(); ++row)
      plan.numbers.push_back(static_cast<std::uint16_t>(row + 1));
  const std::int64_t slices = labels.grid().size()[2];
  for (std::int64_t z = 0; z < slices; ++z) plan.matches.push_back(seg::match_slice(labels, source, z));
  // All slices of a LABELMAP have a frame: an empty one is a few kilobytes, and the grid stays whole.
  if (plan.labelmap)
    for (std::int64_t z = 0; z < slices; ++z) plan.keys.push_back({-1, z});
  return plan;
}

}  // namespace

std::string seg_instance_uid(const Provenance& provenance) { return parts::uid_for(provenance, "seg instance"); }
std::string seg_series_uid(const Provenance& provenance) { return parts::uid_for(provenance, "seg series"); }
std::string tracking_uid(const Provenance& provenance, std::size_t index) {
  return parts::uid_for(provenance, "tracking", static_cast<std::int64_t>(index));
}

const char* seg_class_uid(SegType type) noexcept {
  return type == SegType::labelmap ? "1.2.840.10008.5.1.4.1.1.66.7" : UID_SegmentationStorage;
}

SegType seg_type_of(const LabelMap& labels, SegType asked, bool takes_labelmap) noexcept {
  if (asked != SegType::automatic) return asked;
  const bool few = labels.segments.size() <= most_as_binary;
  return few || labels.layers.size() > 1 || !takes_labelmap ? SegType::binary : SegType::labelmap;
}

int segment_number(const LabelMap& labels, std::size_t row, SegType type) {
  if (type != SegType::labelmap) return static_cast<int>(row) + 1;
  return seg::labelmap_numbers(labels).at(row);
}

std::vector<std::byte> write_seg(const LabelMap& labels, const Image& source, const Provenance& provenance,
                                 SegType asked) {
  check_labels(labels, source);
  const SegType type = seg_type_of(labels, asked);
  seg::Plan plan = plan_of(labels, source, provenance, type);
  if (type == SegType::labelmap) {
    auto bytes = object_bytes(plan, UID_RLELosslessTransferSyntax);
    seg::append_labels(bytes, labels, plan.numbers);
    return bytes;
  }
  seg::BinaryFrames frames = seg::find_frames(labels);
  plan.keys = std::move(frames.keys);
  auto bytes = object_bytes(plan, UID_LittleEndianExplicitTransferSyntax);
  frames.keys = std::move(plan.keys);
  seg::append_bits(bytes, labels, frames);
  return bytes;
}

}  // namespace penta::io::dicom
