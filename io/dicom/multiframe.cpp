#include <algorithm>
#include <cmath>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

/// One frame's functional groups: its own come before the shared ones (PS3.3 C.7.6.16).
struct Groups {
  DcmItem* shared;
  DcmItem* own;

  [[nodiscard]] DcmItem* find(Tag sequence) const {
    if (own != nullptr)
      if (DcmItem* item = first_item(*own, sequence)) return item;
    return shared != nullptr ? first_item(*shared, sequence) : nullptr;
  }
  [[nodiscard]] double number_or(Tag sequence, Tag tag, double otherwise) const {
    DcmItem* item = find(sequence);
    return item == nullptr ? otherwise : number(*item, tag).value_or(otherwise);
  }
};

constexpr Tag frame_content{0x0020, 0x9111}, plane_position{0x0020, 0x9113}, plane_orientation{0x0020, 0x9116},
    pixel_measures{0x0028, 0x9110}, value_transformation{0x0028, 0x9145}, mr_echo{0x0018, 0x9114},
    mr_diffusion{0x0018, 0x9117}, mr_timing{0x0018, 0x9112}, cardiac{0x0018, 0x9118};

Slice slice_of(const Groups& groups, int frame, std::int64_t place_in_series, std::vector<Remark>& faults) {
  Slice slice;
  slice.frame = frame;
  slice.number = place_in_series;
  DcmItem* position = groups.find(plane_position);
  DcmItem* orientation = groups.find(plane_orientation);
  if (position != nullptr && orientation != nullptr) slice.plane = plane_of(*position, *orientation);
  if (DcmItem* measures = groups.find(pixel_measures)) {
    slice.spacing_mm = spacing_of(*measures, faults);
    slice.thickness_mm = number(*measures, tag::slice_thickness);
    slice.between_mm = number(*measures, tag::spacing_between_slices);
  }
  slice.slope = groups.number_or(value_transformation, tag::rescale_slope, 1);
  slice.intercept = groups.number_or(value_transformation, tag::rescale_intercept, 0);
  slice.keys[key_temporal] = groups.number_or(frame_content, Tag{0x0020, 0x9128}, 0);
  slice.keys[key_echo] = groups.number_or(mr_echo, Tag{0x0018, 0x9082}, 0);
  slice.keys[key_b_value] = groups.number_or(mr_diffusion, tag::b_value, 0);
  slice.keys[key_trigger] = groups.number_or(cardiac, Tag{0x0020, 0x9153}, 0);
  if (DcmItem* content = groups.find(frame_content)) {
    slice.keys[key_acquisition] = number(*content, Tag{0x0020, 0x9156}).value_or(0);
    slice.keys[key_time] = seconds_of_datetime(text(*content, Tag{0x0018, 0x9074})).value_or(0);
  }
  return slice;
}

void read_mr_facts(const Groups& groups, MrFacts& facts) {
  const auto fill = [&](Fact<double>& fact, Tag sequence, Tag tag, const char* source) {
    DcmItem* item = fact ? nullptr : groups.find(sequence);
    if (item != nullptr) fact = {number(*item, tag), source};
  };
  fill(facts.echo_time_ms, mr_echo, Tag{0x0018, 0x9082}, "(0018,9082)");
  fill(facts.repetition_time_ms, mr_timing, tag::repetition_time, "(0018,0080)");
  fill(facts.flip_angle_deg, mr_timing, tag::flip_angle, "(0018,1314)");
  fill(facts.b_value_s_per_mm2, mr_diffusion, tag::b_value, "(0018,9087)");
  fill(facts.slice_thickness_mm, pixel_measures, tag::slice_thickness, "(0018,0050)");
}

}  // namespace

void read_functional_groups(DcmItem& data, Instance& instance) {
  DcmItem* shared = first_item(data, tag::shared_groups);
  const auto own = items(data, tag::per_frame_groups);
  if (static_cast<std::int64_t>(own.size()) < instance.layout.frames)
    instance.faults.push_back({Severity::warning, "missing_functional_groups",
                               "Per-frame Functional Groups (5200,9230) has fewer items than there are frames"});
  for (std::int64_t frame = 0; frame < instance.layout.frames; ++frame) {
    const auto at = static_cast<std::size_t>(frame);
    instance.slices.push_back(slice_of({shared, at < own.size() ? own[at] : nullptr}, static_cast<int>(frame),
                                       instance.instance_number * std::int64_t{1000000} + frame, instance.faults));
    if (instance.faults.size() > 100) break;  // every frame has the same fault
  }
  const Groups first{shared, own.empty() ? nullptr : own.front()};
  if (auto* facts = std::get_if<MrFacts>(&instance.acquisition.facts)) read_mr_facts(first, *facts);
  if (instance.acquisition.modality == "CT") {
    DcmItem* transformation = first.find(value_transformation);
    if (transformation == nullptr || text(*transformation, tag::rescale_type) != "HU") instance.unit.clear();
  }
}

}  // namespace penta::io::dicom
