#include "io/dicom/split.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace penta::io::dicom {

namespace {

bool same_place_kind(const Slice& a, const Slice& b) noexcept {
  if (a.plane.has_value() != b.plane.has_value() || a.spacing_mm.has_value() != b.spacing_mm.has_value()) return false;
  if (a.plane && !same_orientation(*a.plane, *b.plane)) return false;
  if (!a.spacing_mm) return true;
  for (std::size_t i = 0; i < 2; ++i)
    if (std::abs((*a.spacing_mm)[i] - (*b.spacing_mm)[i]) > 1e-3 * (*a.spacing_mm)[i]) return false;
  return true;
}

/// Groups by the part that `part_of(slice)` names; instances stay in order, and so do the parts' first slices.
template <class PartOf>
std::vector<Group> divided(Group group, const PartOf& part_of) {
  std::vector<Group> out;
  for (Instance& instance : group) {
    std::map<std::size_t, std::vector<Slice>> parts;
    for (const Slice& slice : instance.slices) parts[part_of(slice)].push_back(slice);
    if (instance.slices.empty()) parts[0];
    const std::size_t most = parts.rbegin()->first + 1;
    if (out.size() < most) out.resize(most);
    if (parts.size() == 1) {
      out[parts.begin()->first].push_back(std::move(instance));
      continue;
    }
    for (auto& [part, slices] : parts) {
      Instance copy = instance;
      copy.slices = std::move(slices);
      out[part].push_back(std::move(copy));
    }
  }
  std::erase_if(out, [](const Group& part) { return part.empty(); });
  return out;
}

// A series may hold several orientations or pixel sizes, and so may one enhanced instance.
std::vector<Group> by_orientation(Group group) {
  std::vector<Slice> kinds;
  return divided(std::move(group), [&](const Slice& slice) {
    const auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const Slice& kind) { return same_place_kind(kind, slice); });
    const auto part = static_cast<std::size_t>(found - kinds.begin());
    if (found == kinds.end()) kinds.push_back(slice);
    return part;
  });
}

std::vector<Group> by_key(Group group, SliceKey key) {
  std::vector<double> values;
  std::vector<Group> out = divided(std::move(group), [&](const Slice& slice) {
    const auto found = std::find(values.begin(), values.end(), slice.keys[key]);
    const auto part = static_cast<std::size_t>(found - values.begin());
    if (found == values.end()) values.push_back(slice.keys[key]);
    return part;
  });
  // In the order of acquisition, not of the key: an image type's key is a hash.
  std::stable_sort(out.begin(), out.end(), [](const Group& a, const Group& b) {
    return a.front().instance_number < b.front().instance_number;
  });
  return out;
}

bool has_several(const Group& group, SliceKey key) {
  for (const Instance& instance : group)
    for (const Slice& slice : instance.slices)
      if (slice.keys[key] != group.front().slices.front().keys[key]) return true;
  return false;
}

bool repeats(const Group& group) { return has_repeats(slices_of(group)); }

std::vector<Group> by_repeats(Group group) {
  if (!repeats(group)) return {std::move(group)};
  std::vector<Group> out;
  for (Group& part : by_key(std::move(group), key_type)) {
    if (part.front().acquisition.modality != "CT" || !repeats(part)) {
      out.push_back(std::move(part));
      continue;
    }
    for (Group& acquisition : by_key(std::move(part), key_acquisition)) out.push_back(std::move(acquisition));
  }
  return out;
}

bool is_even(const std::vector<Slice>& slices) {
  const Arrangement whole = arrange(slices);
  return !whole.planar && is_one_image(whole) &&
         std::all_of(whole.stacks.begin(), whole.stacks.end(), [](const Stack& stack) { return stack.why.empty(); });
}

// Stacks that are no volume together are entries of their own.
std::vector<Group> by_stack(Group group) {
  if (group.front().slices.empty() || !has_several(group, key_stack) || is_even(slices_of(group)))
    return {std::move(group)};
  return by_key(std::move(group), key_stack);
}

std::vector<Group> one_by_one(Group group) {
  std::vector<Group> out;
  for (Instance& instance : group) out.emplace_back().push_back(std::move(instance));
  return out;
}

// Multi-frame instances that are no volume together, but each of which is one, are entries of their own. So are those
// of NM unless their frame vectors number them on: clocks and instance numbers do not tell a gate from another bed or
// from another reconstruction.
std::vector<Group> by_file(Group group) {
  const bool nm = std::any_of(group.begin(), group.end(), [](const Instance& instance) {
    return instance.acquisition.dicom_modality == "NM" && instance.layout.frames > 1;
  });
  if (nm && group.size() > 1 && !nm_files_belong_together(group)) return one_by_one(std::move(group));
  const bool many = group.size() > 1 && std::all_of(group.begin(), group.end(), [](const Instance& instance) {
    return instance.slices.size() > 1 && is_even(instance.slices);
  });
  if (!many || is_even(slices_of(group))) return {std::move(group)};
  return one_by_one(std::move(group));
}

bool near(const Slice& a, const Slice& b) noexcept {
  constexpr double tolerance_mm = 0.01;
  const PatientPoint &p = a.plane->origin, &q = b.plane->origin;
  return std::abs(p.x - q.x) < tolerance_mm && std::abs(p.y - q.y) < tolerance_mm &&
         std::abs(p.z - q.z) < tolerance_mm;
}

bool same_places(const Stack& a, const Stack& b) {
  if (a.why.empty() != b.why.empty() || a.slices.size() != b.slices.size()) return false;
  return near(a.slices.front(), b.slices.front()) && near(a.slices.back(), b.slices.back());
}

// Volumes that are no sequence: tilted or uneven ones, and those of other places than most (a sequence that was broken
// off), are entries of their own.
std::vector<Group> by_volume(Group group) {
  const Arrangement whole = arrange(slices_of(group));
  if (whole.planar || is_one_image(whole)) return {std::move(group)};
  std::map<std::pair<std::size_t, int>, std::size_t> part_of;
  std::vector<const Stack*> firsts;
  for (const Stack& stack : whole.stacks) {
    const auto found = std::find_if(firsts.begin(), firsts.end(), [&](const Stack* other) {
      return stack.why.empty() && same_places(*other, stack);
    });
    const auto part = static_cast<std::size_t>(found - firsts.begin());
    if (found == firsts.end()) firsts.push_back(&stack);
    for (const Slice& slice : stack.slices) part_of[{slice.instance, slice.frame}] = part;
  }
  for (std::size_t i = 0; i < group.size(); ++i)
    for (Slice& slice : group[i].slices) slice.instance = i;
  std::vector<Group> out = divided(std::move(group), [&](const Slice& slice) {
    return part_of.at({slice.instance, slice.frame});
  });
  for (Group& part : out)
    part.front().faults.push_back({Severity::warning, "uneven_sequence",
                                   "the series holds " + std::to_string(whole.stacks.size()) +
                                       " volumes that are uneven, tilted or not at the same places: they are read as " +
                                       std::to_string(out.size()) + " images"});
  return out;
}

}  // namespace

std::vector<Slice> slices_of(const Group& group) {
  std::vector<Slice> out;
  for (std::size_t i = 0; i < group.size(); ++i)
    for (Slice slice : group[i].slices) {
      slice.instance = i;
      out.push_back(slice);
    }
  return out;
}

std::vector<Group> split(Group group) {
  std::vector<Group> out;
  for (Group& oriented : by_orientation(std::move(group))) {
    if (oriented.front().kind != SeriesKind::volume) {
      out.push_back(std::move(oriented));
      continue;
    }
    for (Group& kind : by_repeats(std::move(oriented)))
      for (Group& stack : by_stack(std::move(kind)))
        for (Group& file : by_file(std::move(stack)))
          for (Group& whole : by_volume(std::move(file))) out.push_back(std::move(whole));
  }
  return out;
}

}  // namespace penta::io::dicom
