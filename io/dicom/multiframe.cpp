#include <algorithm>
#include <cmath>

#include "io/dicom/diffusion.h"
#include "io/dicom/internal.h"
#include "io/dicom/real_world.h"
#include "io/dicom/read_parametric.h"

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

// Dimensions that say where a frame lies in space, which its position says better.
bool is_of_space(const std::vector<std::uint16_t>& pointer) {
  if (pointer.size() != 2 || pointer[0] != 0x0020) return false;
  constexpr std::array<std::uint16_t, 9> elements{0x0032, 0x0037, 0x1041, 0x9056, 0x9057,
                                                  0x9113, 0x9116, 0x9301, 0x9302};
  return std::find(elements.begin(), elements.end(), pointer[1]) != elements.end();
}

/// Which of the Dimension Index Values are not of space (PS3.3 C.7.6.17).
std::vector<bool> other_dimensions(DcmItem& data) {
  std::vector<bool> out;
  for (DcmItem* item : items(data, Tag{0x0020, 0x9222}))
    out.push_back(!is_of_space(words16(*item, Tag{0x0020, 0x9165})));
  return out;
}

double dimension_key(DcmItem& content, const std::vector<bool>& others) {
  const auto values = numbers(content, Tag{0x0020, 0x9157});
  double key = 0;
  for (std::size_t i = 0; i < std::min(values.size(), others.size()); ++i)
    if (others[i]) key = key * 65536 + values[i];
  return key;
}

// The frame's own kind of image: an enhanced instance may hold magnitude and phase, or water and fat.
double type_key(const Groups& groups) {
  constexpr std::array<Tag, 4> sequences{{{0x0018, 0x9226}, {0x0018, 0x9329}, {0x0018, 0x9751}, {0x0018, 0x9806}}};
  for (const Tag sequence : sequences)
    if (DcmItem* item = groups.find(sequence))
      return hash_key(text(*item, Tag{0x0008, 0x9007}) + '|' + text(*item, Tag{0x0008, 0x9208}) + '|' +
                      text(*item, Tag{0x0008, 0x9209}));
  return 0;
}

// Plane Position and Orientation (Volume) are in a frame of reference of the volume's own (PS3.3 C.8.24.2.1).
std::optional<Plane> volume_plane(const Groups& groups) {
  DcmItem* position = groups.find({0x0020, 0x930E});
  DcmItem* orientation = groups.find({0x0020, 0x930F});
  if (position == nullptr || orientation == nullptr) return std::nullopt;
  return plane_from(numbers(*position, {0x0020, 0x9301}), numbers(*orientation, {0x0020, 0x9302}));
}

void read_keys(const Groups& groups, const std::vector<bool>& others, Slice& slice) {
  slice.keys[key_temporal] = groups.number_or(frame_content, Tag{0x0020, 0x9128}, 0);
  slice.keys[key_echo] = groups.number_or(mr_echo, Tag{0x0018, 0x9082}, 0);
  slice.keys[key_trigger] = groups.number_or(cardiac, Tag{0x0020, 0x9153}, 0);
  slice.keys[key_gate] = groups.number_or(cardiac, Tag{0x0020, 0x9241}, 0) * 1000 +
                         groups.number_or({0x0020, 0x9253}, Tag{0x0020, 0x9245}, 0);
  slice.keys[key_type] = type_key(groups);
  if (DcmItem* item = groups.find(mr_diffusion)) {
    const Diffusion diffusion = diffusion_of_group(*item);
    slice.keys[key_b_value] = diffusion.b_s_per_mm2.value_or(0);
    slice.keys[key_direction] = direction_key(diffusion);
    slice.gradient = diffusion.gradient;
  }
  if (DcmItem* content = groups.find(frame_content)) {
    slice.keys[key_acquisition] = number(*content, Tag{0x0020, 0x9156}).value_or(0);
    slice.keys[key_time] = seconds_of_datetime(text(*content, Tag{0x0018, 0x9074})).value_or(0);
    slice.keys[key_dimension] = dimension_key(*content, others);
    if (const std::string stack = text(*content, Tag{0x0020, 0x9056}); !stack.empty())
      slice.keys[key_stack] = hash_key(stack);
  }
  // Of volumes of ultrasound, in seconds.
  if (DcmItem* item = groups.find({0x0020, 0x9310}))
    slice.keys[key_time] = number(*item, Tag{0x0020, 0x930D}).value_or(slice.keys[key_time]);
}

Slice slice_of(const Groups& groups, int frame, std::int64_t place_in_series, const std::vector<bool>& others,
               std::vector<Remark>& faults) {
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
  if (!slice.plane) slice.plane = volume_plane(groups);
  read_keys(groups, others, slice);
  return slice;
}

// The group that has the mapping: the frame's own before the shared one.
DcmItem* holder_of(DcmItem* shared, DcmItem* own) {
  return own != nullptr && first_item(*own, {0x0040, 0x9096}) != nullptr ? own : shared;
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

// A parametric map says what its values are in its own mapping (PS3.3 A.75.5), which counts from stored values.
void read_mapping(const Groups& groups, Instance& instance, std::size_t first_slice) {
  constexpr Tag sequence{0x0040, 0x9096};
  const bool own = groups.own != nullptr && first_item(*groups.own, sequence) != nullptr;
  DcmItem* holder = own ? groups.own : groups.shared;
  const auto mapping = holder != nullptr ? real_world(*holder) : std::nullopt;
  const auto say = [&](const char* code, std::string text) {
    const bool said = std::any_of(instance.faults.begin(), instance.faults.end(), [&](const Remark& r) { return r.code == code; });
    if (!said) instance.faults.push_back({Severity::warning, code, std::move(text)});
  };
  if (!mapping) return say("no_real_world_values", "a parametric map without Real World Value Mapping (0040,9096)");
  if (mapping->is_table)
    return say("real_world_table", "Real World Value LUT Data (0040,9212) is not applied: values are as stored");
  if (mapping->others > 0)
    say("several_real_world_values", "the first of " + std::to_string(mapping->others + 1) +
                                         " Real World Value Mappings (0040,9096) was applied: " + mapping->label);
  Slice& slice = instance.slices[first_slice];
  slice.slope = mapping->slope;
  slice.intercept = mapping->intercept;
  if (first_slice > 0 && instance.unit != mapping->unit)
    say("several_units", "frames have different Measurement Units (0040,08EA): " + instance.unit + " and " + mapping->unit);
  instance.unit = mapping->unit;
  instance.quantity = mapping->quantity;
}

}  // namespace

void read_functional_groups(DcmItem& data, Instance& instance) {
  DcmItem* shared = first_item(data, tag::shared_groups);
  const auto own = items(data, tag::per_frame_groups);
  if (static_cast<std::int64_t>(own.size()) < instance.layout.frames)
    instance.faults.push_back({Severity::warning, "missing_functional_groups",
                               "Per-frame Functional Groups (5200,9230) has fewer items than there are frames"});
  const std::vector<bool> others = other_dimensions(data);
  for (std::int64_t frame = 0; frame < instance.layout.frames; ++frame) {
    const auto at = static_cast<std::size_t>(frame);
    instance.slices.push_back(slice_of({shared, at < own.size() ? own[at] : nullptr}, static_cast<int>(frame),
                                       instance.instance_number * std::int64_t{1000000} + frame, others,
                                       instance.faults));
    if (instance.sop_class == "1.2.840.10008.5.1.4.1.1.30")
      read_mapping({shared, at < own.size() ? own[at] : nullptr}, instance, at);
    else
      apply_real_world(holder_of(shared, at < own.size() ? own[at] : nullptr), instance, instance.slices.back());
    if (instance.faults.size() > 100) break;  // every frame has the same fault
  }
  if (instance.sop_class == "1.2.840.10008.5.1.4.1.1.6.2")
    instance.faults.push_back({Severity::note, "volume_frame_of_reference",
                               "the volume lies in a frame of reference of its own, not in the patient's"});
  const Groups first{shared, own.empty() ? nullptr : own.front()};
  if (auto* facts = std::get_if<MrFacts>(&instance.acquisition.facts)) read_mr_facts(first, *facts);
  if (instance.acquisition.modality == "CT" && instance.sop_class != "1.2.840.10008.5.1.4.1.1.30") {
    DcmItem* transformation = first.find(value_transformation);
    if (transformation == nullptr || text(*transformation, tag::rescale_type) != "HU") instance.unit.clear();
  }
}

}  // namespace penta::io::dicom
