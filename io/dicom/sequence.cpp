#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

struct KeyAxis {
  SliceKey key;
  SequenceAxis axis;
  const char* name;
  double factor;  ///< from the key to the unit of Image::axis_values; 0: no values
};
// In the order in which they are asked, and of the axes where several are needed together.
constexpr std::array<KeyAxis, 11> key_axes{{{key_b_value, SequenceAxis::b_value, "b-value", 1},
                                            {key_direction, SequenceAxis::b_value, "gradient direction", 0},
                                            {key_echo, SequenceAxis::echo, "echo time", 1},
                                            {key_gate, SequenceAxis::gate, "gate", 0},
                                            {key_window, SequenceAxis::energy_window, "energy window", 0},
                                            {key_temporal, SequenceAxis::time, "temporal position", 0},
                                            {key_trigger, SequenceAxis::time, "trigger time", 1e-3},
                                            {key_dimension, SequenceAxis::frame, "dimension index", 0},
                                            {key_acquisition, SequenceAxis::time, "acquisition number", 0},
                                            {key_time, SequenceAxis::time, "acquisition time", 1},
                                            {key_type, SequenceAxis::frame, "image type", 0}}};

using Parts = std::vector<std::vector<Slice>>;
using Keys = std::vector<const KeyAxis*>;
using Value = std::vector<double>;

Value value_of(const Slice& slice, const Keys& keys) {
  Value out;
  for (const KeyAxis* row : keys) out.push_back(slice.keys[row->key]);
  return out;
}

bool has_same_place(const std::vector<Slice>& slices) { return places_of(slices).size() < slices.size(); }

// Parts by the keys' values, in the order of the values; nothing where a part has two slices at one place, or where
// the keys cut finer than is needed.
Parts parts_by(const std::vector<Slice>& slices, const Keys& keys, std::size_t repeats, bool all_full) {
  std::map<Value, std::vector<Slice>> by_value;
  for (const Slice& slice : slices) {
    by_value[value_of(slice, keys)].push_back(slice);
    if (by_value.size() > repeats) return {};
  }
  if (by_value.size() < repeats) return {};
  Parts parts;
  for (auto& [value, part] : by_value) {
    if ((all_full && part.size() * repeats != slices.size()) || has_same_place(part)) return {};
    parts.push_back(std::move(part));
  }
  return parts;
}

Keys varying_keys(const std::vector<Slice>& slices) {
  Keys out;
  for (const KeyAxis& row : key_axes)
    if (std::any_of(slices.begin(), slices.end(),
                    [&](const Slice& slice) { return slice.keys[row.key] != slices.front().keys[row.key]; }))
      out.push_back(&row);
  return out;
}

// One key, else two, else three of those that vary: the first that tell the volumes apart.
Parts parts_by_few(const std::vector<Slice>& slices, const Keys& varying, std::size_t repeats, bool all_full,
                   Keys& used) {
  const std::size_t n = varying.size();
  std::vector<Keys> tries;
  for (std::size_t a = 0; a < n; ++a) tries.push_back({varying[a]});
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b) tries.push_back({varying[a], varying[b]});
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b)
      for (std::size_t c = b + 1; c < n; ++c) tries.push_back({varying[a], varying[b], varying[c]});
  for (const Keys& keys : tries) {
    Parts parts = parts_by(slices, keys, repeats, all_full);
    if (parts.empty()) continue;
    used = keys;
    return parts;
  }
  return {};
}

// The first at each place, the second ...: by the key where it differs at every place, else by number.
Parts parts_by_rank(const std::vector<Slice>& slices, std::size_t repeats, const KeyAxis* row) {
  Parts parts(repeats);
  for (const auto& [first, last] : places_of(slices)) {
    const auto begin = slices.begin();
    std::vector<Slice> here(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last));
    const auto key = [&](const Slice& slice) { return row == nullptr ? 0.0 : slice.keys[row->key]; };
    std::stable_sort(here.begin(), here.end(), [&](const Slice& a, const Slice& b) {
      return key(a) != key(b) ? key(a) < key(b) : a.number < b.number;
    });
    for (std::size_t i = 0; i < here.size(); ++i) {
      if (row != nullptr && i > 0 && key(here[i]) == key(here[i - 1])) return {};
      parts[i].push_back(here[i]);
    }
  }
  return parts;
}

// Diffusion volumes with the same b-value and direction follow each other as they were acquired.
void sort_by_number(Parts& parts) {
  const auto number = [](const std::vector<Slice>& part) {
    return std::min_element(part.begin(), part.end(), [](const Slice& a, const Slice& b) {
             return a.number < b.number;
           })->number;
  };
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const auto& a, const auto& b) { return number(a) < number(b); });
}

bool one_value(const std::vector<Slice>& part, SliceKey key) {
  return std::all_of(part.begin(), part.end(),
                     [&](const Slice& slice) { return slice.keys[key] == part.front().keys[key]; });
}

void fill_values(const Parts& parts, const KeyAxis& row, std::vector<double>& values) {
  if (!(row.factor > 0)) return;
  for (const auto& part : parts) {
    if (!one_value(part, row.key)) return values.clear();
    values.push_back(part.front().keys[row.key] * row.factor);
  }
}

// When each volume began, counted from the first one: by `named` where it is a time, else by the trigger where one
// differs between volumes, else by the clock. Nothing where volumes do not follow each other in time, as past midnight.
std::vector<double> times_of(const Parts& parts, const KeyAxis& named, const Keys& varying) {
  for (const KeyAxis* row : named.factor > 0 ? Keys{&named} : varying) {
    if (row->axis != SequenceAxis::time || !(row->factor > 0)) continue;
    std::vector<double> times;
    for (const auto& part : parts) {
      double first = part.front().keys[row->key];
      for (const Slice& slice : part) first = std::min(first, slice.keys[row->key]);
      times.push_back(first * row->factor);
    }
    if (std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) != times.end()) continue;
    for (std::size_t i = times.size(); i-- > 0;) times[i] -= times.front();
    return times;
  }
  return {};
}

// The gradient of each volume; nothing where no volume has one, or slices of one differ.
void fill_directions(const Parts& parts, Arrangement& out) {
  if (out.axis != SequenceAxis::b_value || out.values.empty()) return;
  std::size_t without = 0;
  std::vector<Vector3> directions;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!one_value(parts[i], key_direction)) return;
    directions.push_back(parts[i].front().gradient.value_or(Vector3{}));
    if (!parts[i].front().gradient && out.values[i] > 0) ++without;
  }
  if (std::all_of(directions.begin(), directions.end(), [](const Vector3& v) { return v == Vector3{}; })) return;
  if (without > 0)
    out.faults.push_back({Severity::note, "no_gradient_direction",
                          std::to_string(without) + " of " + std::to_string(parts.size()) +
                              " volumes have a b-value above zero and no gradient direction, as traces have"});
  out.directions = std::move(directions);
}

const KeyAxis* row_of(const Keys& keys, SliceKey key) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const KeyAxis* row) { return row->key == key; });
  return found == keys.end() ? nullptr : *found;
}

void say(Arrangement& out, Severity severity, std::size_t volumes, const std::string& how) {
  out.faults.push_back({severity, "several_volumes",
                        std::to_string(volumes) + " volumes at the same places, told apart by " + how});
}

// In what order slices stand where no value is the same all over a volume: times of slices that follow each other.
Parts by_rank(const std::vector<Slice>& slices, const Keys& varying, std::size_t repeats, Arrangement& out) {
  for (const SliceKey key : {key_temporal, key_trigger, key_time}) {
    const KeyAxis* row = row_of(varying, key);
    Parts parts = row == nullptr ? Parts{} : parts_by_rank(slices, repeats, row);
    if (parts.empty()) continue;
    out.axis = row->axis;
    out.values = times_of(parts, *row, varying);
    say(out, Severity::note, repeats, std::string("the order of their ") + row->name);
    return parts;
  }
  Parts parts = parts_by_rank(slices, repeats, nullptr);
  const KeyAxis* b_value = row_of(varying, key_b_value);
  const bool diffusion =
      b_value != nullptr && std::all_of(parts.begin(), parts.end(), [](const std::vector<Slice>& part) {
        return one_value(part, key_b_value) && one_value(part, key_direction);
      });
  out.axis = diffusion ? SequenceAxis::b_value : SequenceAxis::time;
  if (diffusion) fill_values(parts, *b_value, out.values);
  fill_directions(parts, out);
  say(out, diffusion ? Severity::note : Severity::warning, repeats, "the order of their instance numbers only");
  return parts;
}

}  // namespace

std::vector<std::vector<Slice>> volumes_of(const std::vector<Slice>& slices, Arrangement& out) {
  const auto places = places_of(slices);
  std::size_t repeats = 1;
  for (const auto& [first, last] : places) repeats = std::max(repeats, last - first);
  if (repeats == 1) return {slices};
  const bool all_full = repeats * places.size() == slices.size();
  const Keys varying = varying_keys(slices);
  Keys used;
  Parts parts = parts_by_few(slices, varying, repeats, all_full, used);
  if (parts.empty()) return all_full ? by_rank(slices, varying, repeats, out) : Parts{slices};
  out.axis = used.front()->axis;
  const KeyAxis* named = used.front();
  if (named->axis == SequenceAxis::b_value) {
    if (used.size() > 1 || named->key == key_direction) sort_by_number(parts);
    // Directions of one b-value leave its key out.
    for (const KeyAxis& row : key_axes)
      if (row.key == key_b_value) named = &row;
  }
  if (named->axis == SequenceAxis::time) out.values = times_of(parts, *named, varying);
  else fill_values(parts, *named, out.values);
  fill_directions(parts, out);
  std::string how;
  for (const KeyAxis* row : used) how += (how.empty() ? "" : " and ") + std::string(row->name);
  say(out, Severity::note, parts.size(), how);
  return parts;
}

}  // namespace penta::io::dicom
