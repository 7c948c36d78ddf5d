#include "io/nrrd/axes.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "io/text_header.h"

namespace penta::io::nrrd {

namespace {

constexpr std::size_t dimension_max = 16;  // NRRD_DIM_MAX of teem

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

const std::string* find(const Fields& fields, const char* field) {
  const auto it = fields.find(field);
  return it == fields.end() ? nullptr : &it->second;
}

/// What a vector's components are multiplied with to become LPS.
struct Space {
  std::size_t dimension = 0;  ///< 0: the file has no space
  Vector3 to_lps{1, 1, 1};
  bool known = false;
};

Space space_of(const Fields& fields, const std::string& doing) {
  if (const std::string* text = find(fields, "space")) {
    const std::string space = lower(*text);
    if (space == "left-posterior-superior" || space == "lps") return {3, {1, 1, 1}, true};
    if (space == "right-anterior-superior" || space == "ras") return {3, {-1, -1, 1}, true};
    if (space == "left-anterior-superior" || space == "las") return {3, {1, -1, 1}, true};
    if (space == "scanner-xyz" || space == "3d-right-handed" || space == "3d-left-handed") return {3, {1, 1, 1}, false};
    fail(doing, "space '" + *text + "' is not read");
  }
  const std::string* text = find(fields, "space dimension");
  if (text == nullptr) return {};
  const std::int64_t dimension = whole_number(*text, doing + "space dimension");
  if (dimension != 2 && dimension != 3) fail(doing, "space dimension " + *text + " is neither 2 nor 3");
  return {static_cast<std::size_t>(dimension), {1, 1, 1}, false};
}

/// mm of one unit along each axis of the space.
Vector3 unit_mm(const Fields& fields, const std::string& doing, std::vector<Remark>& remarks) {
  Vector3 mm{1, 1, 1};
  const std::string* text = find(fields, "space units");
  if (text == nullptr) return mm;
  std::string plain = lower(*text);
  std::replace(plain.begin(), plain.end(), '"', ' ');
  const std::vector<std::string> units = words(plain);
  for (std::size_t i = 0; i < std::min<std::size_t>(3, units.size()); ++i) {
    if (units[i] == "mm" || units[i] == "millimeter" || units[i] == "millimeters") continue;
    if (units[i] == "m")
      mm[i] = 1000;
    else if (units[i] == "cm")
      mm[i] = 10;
    else if (units[i] == "um")
      mm[i] = 1e-3;
    else
      remarks.push_back({Severity::note, "unit_of_length_unknown", "space units: '" + units[i] + "' is taken as mm"});
  }
  if (units.empty()) fail(doing, "space units is empty");
  return mm;
}

/// The vectors "(a,b,c)" and "none" of one field.
std::vector<std::optional<Vector3>> vectors(std::string_view text, std::size_t dimension, const std::string& doing) {
  std::vector<std::optional<Vector3>> out;
  for (std::string_view rest = trimmed(text); !rest.empty(); rest = trimmed(rest)) {
    if (rest.starts_with("none")) {
      out.emplace_back();
      rest.remove_prefix(4);
      continue;
    }
    const std::size_t end = rest.find(')');
    if (rest.front() != '(' || end == std::string_view::npos) fail(doing, ": neither (a,b,c) nor none");
    std::string inside(rest.substr(1, end - 1));
    std::replace(inside.begin(), inside.end(), ',', ' ');
    const std::vector<double> values = numbers(inside, dimension, doing);
    Vector3 vector{};
    std::copy(values.begin(), values.end(), vector.begin());
    // NRRD0005 writes a vector of NaN for an axis outside the space.
    const bool none = std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
    out.push_back(none ? std::nullopt : std::optional(vector));
    rest.remove_prefix(end + 1);
  }
  return out;
}

std::vector<Axis> sized_axes(const Fields& fields, const std::string& doing) {
  const std::string *dimension = find(fields, "dimension"), *sizes = find(fields, "sizes");
  if (dimension == nullptr || sizes == nullptr) fail(doing, "dimension or sizes is missing");
  const std::int64_t count = whole_number(*dimension, doing + "dimension");
  const std::vector<std::string> each = words(*sizes);
  if (count < 1 || count > static_cast<std::int64_t>(dimension_max))
    fail(doing, "dimension " + *dimension + " is not 1 to 16");
  if (each.size() != static_cast<std::size_t>(count)) fail(doing, "sizes does not give one number for each dimension");
  std::vector<Axis> axes(each.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    axes[i].size = whole_number(each[i], doing + "sizes");
    if (axes[i].size < 1) fail(doing, "sizes: " + each[i] + " is below 1");
  }
  const std::string* kinds = find(fields, "kinds");
  if (kinds == nullptr) return axes;
  const std::vector<std::string> kind = words(lower(*kinds));
  if (kind.size() != axes.size()) fail(doing, "kinds does not give one word for each dimension");
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i].kind = kind[i];
  return axes;
}

void place_by_directions(Axes& axes, const Space& space, const std::string& text, const Vector3& unit,
                         const std::string& doing) {
  if (space.dimension == 0) fail(doing, "space directions without space or space dimension");
  const auto steps = vectors(text, space.dimension, doing + "space directions");
  if (steps.size() != axes.all.size()) fail(doing, "space directions does not give one vector for each dimension");
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i]) continue;
    axes.all[i].spatial = true;
    for (std::size_t r = 0; r < 3; ++r) axes.all[i].step_mm[r] = (*steps[i])[r] * space.to_lps[r] * unit[r];
  }
}

// Without a space the array's axes are taken as x, y, z; a fourth spatial one can only be time.
void place_by_spacings(Axes& axes, const std::string* text, const std::string& doing) {
  std::vector<double> spacings(axes.all.size(), 1.0);
  if (text != nullptr) spacings = numbers(*text, axes.all.size(), doing + "spacings");
  axes.in_mm = text != nullptr;
  std::size_t placed = 0;
  for (std::size_t i = 0; i < axes.all.size() && placed < 3; ++i) {
    Axis& axis = axes.all[i];
    if (!axis.kind.empty() && axis.kind != "domain" && axis.kind != "space" && axis.kind != "???" &&
        axis.kind != "none")
      continue;
    if (std::isnan(spacings[i]) && text != nullptr && axis.size <= 4 && i == 0) continue;
    if (!(spacings[i] > 0) || !std::isfinite(spacings[i]))
      fail(doing, "spacings: " + digits(spacings[i]) + "; a spacing must be > 0 and finite");
    axis.spatial = true;
    axis.step_mm[placed++] = spacings[i];
  }
}

}  // namespace

Axes axes_of(const Fields& fields, const std::string& doing, std::vector<Remark>& remarks) {
  Axes axes;
  axes.all = sized_axes(fields, doing);
  const Space space = space_of(fields, doing);
  const Vector3 unit = unit_mm(fields, doing, remarks);
  const std::string* directions = find(fields, "space directions");
  if (directions != nullptr)
    place_by_directions(axes, space, *directions, unit, doing);
  else
    place_by_spacings(axes, find(fields, "spacings"), doing);
  if (!space.known || directions == nullptr)
    remarks.push_back({Severity::warning, "orientation_unknown",
                       "no space that says where left is: the axes are taken as left, posterior, superior"});
  if (const std::string* text = find(fields, "space origin")) {
    if (space.dimension == 0) fail(doing, "space origin without space or space dimension");
    const auto origin = vectors(*text, space.dimension, doing + "space origin");
    if (origin.size() != 1 || !origin[0]) fail(doing, "space origin is not one vector");
    for (std::size_t r = 0; r < 3; ++r) axes.origin_mm[r] = (*origin[0])[r] * space.to_lps[r] * unit[r];
  } else if (axes.in_mm) {
    remarks.push_back({Severity::note, "origin_unknown", "no space origin: the first voxel is put at 0, 0, 0"});
  }
  return axes;
}

}  // namespace penta::io::nrrd
