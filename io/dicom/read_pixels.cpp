#include "io/dicom/read_pixels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "io/dicom/words.h"

namespace penta::io::dicom {

namespace {

/// Where a decoded frame goes: the stack (time, echo ...) and its place in it.
struct Target {
  const Slice* slice;
  std::size_t stack, place;
};
using Targets = std::vector<std::vector<Target>>;  // by instance

Targets targets_of(const Arrangement& arrangement, std::size_t instances) {
  Targets out(instances);
  for (std::size_t s = 0; s < arrangement.stacks.size(); ++s)
    for (std::size_t z = 0; z < arrangement.stacks[s].slices.size(); ++z) {
      const Slice& slice = arrangement.stacks[s].slices[z];
      out[slice.instance].push_back({&slice, s, z});
    }
  return out;
}

/// Opens each instance once and hands its frames to `body(frames, target)`; in parallel over instances, or over the
/// frames of a single one.
template <class Body>
void each_frame(const std::vector<Instance>& instances, const Targets& targets, const Body& body) {
  const auto count = static_cast<std::int64_t>(instances.size());
  parallel_for(count, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto& mine = targets[at];
      if (mine.empty()) continue;
      const Object object = instances[at].place ? reopen(instances[at]) : load(instances[at].source, true);
      const auto hand_on = [&](const Frames& frames) {
        parallel_for(static_cast<std::int64_t>(mine.size()), 4, [&](std::int64_t from, std::int64_t to) {
          for (std::int64_t k = from; k < to; ++k) body(frames, mine[static_cast<std::size_t>(k)]);
        });
      };
      if (instances[at].place) hand_on(Frames(object, instances[at].layout));
      else hand_on(Frames(object));
    }
  });
}

// HU, activity and counts mean what they say; other values are turned so that more is brighter.
bool turns_monochrome1(const Instance& instance) noexcept {
  return instance.layout.photometric == "MONOCHROME1" && instance.unit.empty() && !instance.lut &&
         !instance.layout.is_real() && !instance.layout.is_double();
}

std::int32_t turned(std::int32_t value, const Layout& layout) noexcept {
  if (layout.is_signed) return -1 - value;
  if (layout.bits_stored >= 31) return value;
  return static_cast<std::int32_t>((std::int64_t{1} << layout.bits_stored) - 1 - value);
}

void real_values(const Frames& frames, const Instance& instance, const Slice& slice, std::span<float> out) {
  const Layout& layout = frames.layout();
  if (instance.lut) {
    std::vector<std::int32_t> values(out.size());
    frames.stored(slice.frame, values);
    std::transform(values.begin(), values.end(), out.begin(), [&](std::int32_t v) { return instance.lut->at(v); });
    return;
  }
  if (turns_monochrome1(instance)) {
    std::vector<std::int32_t> values(out.size());
    frames.stored(slice.frame, values);
    std::transform(values.begin(), values.end(), out.begin(),
                   [&](std::int32_t v) { return static_cast<float>(turned(v, layout)); });
  } else {
    frames.real(slice.frame, out);
  }
  if (slice.slope == 1 && slice.intercept == 0) return;
  for (float& value : out) value = static_cast<float>(value * slice.slope + slice.intercept);
}

WordFormat format_of(const Layout& layout, const Slice& slice) noexcept {
  return {layout.bits_stored, layout.high_bit, layout.is_signed, static_cast<std::int64_t>(slice.intercept)};
}

// Whole values that fit; false (and `out` is unfinished) otherwise.
template <class T>
bool whole_values(const Frames& frames, const Instance& instance, const Slice& slice, std::span<T> out) {
  const bool turn = turns_monochrome1(instance), wide = frames.layout().is_wide();
  if constexpr (std::is_same_v<T, std::int16_t>)
    if (!turn && frames.has_words()) {
      frames.words(slice.frame, out);
      return to_values(out, format_of(frames.layout(), slice));
    }
  std::vector<std::int32_t> values(out.size());
  frames.stored(slice.frame, values);
  const auto intercept = static_cast<std::int64_t>(slice.intercept);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t stored = wide ? static_cast<std::uint32_t>(values[i])
                                     : std::int64_t{turn ? turned(values[i], frames.layout()) : values[i]};
    const std::int64_t value = stored + intercept;
    if (value != static_cast<T>(value)) return false;
    out[i] = static_cast<T>(value);
  }
  return true;
}

// Samples that may go from the file straight to where they belong and become values there.
bool is_direct(const Instance& instance) noexcept {
  const bool native = instance.transfer_syntax == "1.2.840.10008.1.2" || instance.transfer_syntax == "1.2.840.10008.1.2.1";
  return instance.place && native && !instance.place->big_endian && instance.layout.bits_allocated == 16 &&
         instance.place->length != 0xFFFFFFFFU && !turns_monochrome1(instance);
}

// False (and `out` is unfinished) where a value does not fit.
bool direct_values(const Instance& instance, const Slice& slice, std::span<std::int16_t> out) {
  const File file(instance.source.path, instance.source.name);
  if (file.stamp() != instance.stamp)
    throw Error(Code::bad_input, "reading " + instance.source.name + ": the file changed while it was being read");
  file.read(instance.place->offset, std::as_writable_bytes(out));
  return to_values(out, format_of(instance.layout, slice));
}

bool is_whole(const std::vector<Instance>& instances) {
  for (const Instance& instance : instances) {
    if (instance.layout.is_real() || instance.layout.is_double() || instance.lut) return false;
    for (const Slice& slice : instance.slices)
      if (slice.slope != 1 || slice.intercept != std::floor(slice.intercept) || std::abs(slice.intercept) > 1e6)
        return false;
  }
  return true;
}

bool has_intercept(const std::vector<Instance>& instances) {
  return std::any_of(instances.begin(), instances.end(), [](const Instance& instance) {
    return std::any_of(instance.slices.begin(), instance.slices.end(), [](const Slice& s) { return s.intercept != 0; });
  });
}

Grid grid_of(const Stack& stack, const Layout& layout) {
  const Slice& first = stack.slices.front();
  const Plane& plane = *first.plane;
  const Vector3 normal = plane.normal();
  Matrix3 direction{};
  for (std::size_t r = 0; r < 3; ++r) direction[r] = {plane.row[r], plane.column[r], normal[r]};
  return Grid({layout.columns, layout.rows, static_cast<std::int64_t>(stack.slices.size())},
              {(*first.spacing_mm)[0], (*first.spacing_mm)[1], stack.distance_mm}, plane.origin, direction);
}

template <class T>
VolumeSequence empty_volumes(const Arrangement& arrangement, const Layout& layout) {
  VolumeSequence volumes;
  for (const Stack& stack : arrangement.stacks) volumes.emplace_back(Volume<T>(grid_of(stack, layout)));
  return volumes;
}

template <class T>
std::span<T> slice_voxels(VolumeSequence& volumes, const Target& target, const Layout& layout) {
  return std::get<Volume<T>>(volumes[target.stack])
      .voxels()
      .subspan(target.place * static_cast<std::size_t>(layout.pixels()), static_cast<std::size_t>(layout.pixels()));
}

// Nothing where a value does not fit.
template <class T>
std::optional<VolumeSequence> read_whole(const std::vector<Instance>& instances, const Arrangement& arrangement) {
  const Layout& layout = instances.front().layout;
  auto volumes = empty_volumes<T>(arrangement, layout);
  std::atomic<bool> fits{true};
  each_frame(instances, targets_of(arrangement, instances.size()), [&](const Frames& frames, const Target& target) {
    if (fits && !whole_values<T>(frames, instances[target.slice->instance], *target.slice,
                                 slice_voxels<T>(volumes, target, layout)))
      fits = false;
  });
  return fits ? std::optional(std::move(volumes)) : std::nullopt;
}

std::optional<VolumeSequence> read_words(const std::vector<Instance>& instances, const Arrangement& arrangement) {
  const Layout& layout = instances.front().layout;
  const Targets targets = targets_of(arrangement, instances.size());
  auto volumes = empty_volumes<std::int16_t>(arrangement, layout);
  std::atomic<bool> fits{true};
  const auto voxels = [&](const Target& target) { return slice_voxels<std::int16_t>(volumes, target, layout); };
  if (std::all_of(instances.begin(), instances.end(), is_direct)) {
    parallel_for(static_cast<std::int64_t>(instances.size()), 1, [&](std::int64_t first, std::int64_t last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
        for (const Target& target : targets[i])
          if (fits && !direct_values(instances[i], *target.slice, voxels(target))) fits = false;
    });
  } else {
    each_frame(instances, targets, [&](const Frames& frames, const Target& target) {
      if (fits && !whole_values<std::int16_t>(frames, instances[target.slice->instance], *target.slice, voxels(target))) fits = false;
    });
  }
  return fits ? std::optional(std::move(volumes)) : std::nullopt;
}

Frame2d frame_of(const Frames& frames, const Instance& instance, const Slice& slice) {
  const Layout& layout = frames.layout();
  Frame2d out;
  out.width = layout.columns;
  out.height = layout.rows;
  out.spacing_mm = slice.spacing_mm;
  const auto pixels = static_cast<std::size_t>(layout.pixels());
  if (layout.is_colour()) {
    out.pixels = frames.colour(slice.frame);
    return out;
  }
  const bool plain = slice.slope == 1 && slice.intercept == 0 && !layout.is_signed && layout.bits_stored >= 1 &&
                     layout.bits_stored <= 16 && !instance.lut;
  if (!plain) {
    std::vector<float> values(pixels);
    real_values(frames, instance, slice, values);
    out.pixels = std::move(values);
    return out;
  }
  std::vector<std::int32_t> values(pixels);
  frames.stored(slice.frame, values);
  if (turns_monochrome1(instance))
    for (std::int32_t& value : values) value = turned(value, layout);
  if (layout.bits_stored <= 8) out.pixels = std::vector<std::uint8_t>(values.begin(), values.end());
  else out.pixels = std::vector<std::uint16_t>(values.begin(), values.end());
  return out;
}

}  // namespace

void say_monochrome1(const Instance& instance, std::vector<Remark>& remarks) {
  if (instance.layout.photometric != "MONOCHROME1") return;
  remarks.push_back({Severity::note, "monochrome1",
                     turns_monochrome1(instance) ? "MONOCHROME1: values were turned so that more is brighter"
                                                 : "MONOCHROME1: values are kept, since they have a unit"});
}

VolumeSequence read_volumes(const std::vector<Instance>& instances, const Arrangement& arrangement) {
  const Layout& layout = instances.front().layout;
  if (is_whole(instances)) {
    if (auto volumes = read_words(instances, arrangement)) return std::move(*volumes);
    if (auto volumes = read_whole<std::uint16_t>(instances, arrangement)) return std::move(*volumes);
    if (layout.bits_stored > 16 || has_intercept(instances))
      if (auto volumes = read_whole<std::int32_t>(instances, arrangement)) return std::move(*volumes);
  }
  auto volumes = empty_volumes<float>(arrangement, layout);
  each_frame(instances, targets_of(arrangement, instances.size()), [&](const Frames& frames, const Target& target) {
    real_values(frames, instances[target.slice->instance], *target.slice, slice_voxels<float>(volumes, target, layout));
  });
  return volumes;
}

SliceStack read_stack(const std::vector<Instance>& instances, const Arrangement& arrangement) {
  const Layout& layout = instances.front().layout;
  const Stack& stack = arrangement.stacks.front();
  SliceStack out;
  out.width = layout.columns;
  out.height = layout.rows;
  out.spacing_mm = *stack.slices.front().spacing_mm;
  out.row_axis = stack.slices.front().plane->row;
  out.column_axis = stack.slices.front().plane->column;
  out.why = stack.why;
  for (const Slice& slice : stack.slices)
    out.slices.push_back({slice.plane->origin, std::vector<float>(static_cast<std::size_t>(layout.pixels()))});
  each_frame(instances, targets_of(arrangement, instances.size()), [&](const Frames& frames, const Target& target) {
    real_values(frames, instances[target.slice->instance], *target.slice, out.slices[target.place].pixels);
  });
  return out;
}

FrameSequence read_pictures(const std::vector<Instance>& instances, const Arrangement& arrangement) {
  FrameSequence out(arrangement.stacks.front().slices.size());
  each_frame(instances, targets_of(arrangement, instances.size()), [&](const Frames& frames, const Target& target) {
    out[target.place] = frame_of(frames, instances[target.slice->instance], *target.slice);
  });
  return out;
}

void add_regions(const std::vector<Instance>& instances, const Arrangement& arrangement, Image& image) {
  auto& frames = std::get<FrameSequence>(image.pixels);
  const Targets targets = targets_of(arrangement, instances.size());
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (targets[i].empty()) continue;
    const std::vector<UsRegion> regions = us_regions(load(instances[i].source, false).data());
    for (const Target& target : targets[i]) frames[target.place].regions = regions;
  }
}

}  // namespace penta::io::dicom
