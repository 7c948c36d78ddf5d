#include "io/nifti/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "core/error.h"

namespace penta::io::nifti {

namespace {

constexpr double shear_max = 1e-3;
constexpr double disagreement_mm_max = 0.1;
constexpr double spacing_mismatch_max = 1e-3;  // of the spacing
constexpr double rounding_mm = 0.01;

/// Rows are R, A, S before `to_lps` and L, P, S after; the fourth column is the place of voxel (0, 0, 0).
using Affine = std::array<std::array<double, 4>, 3>;

struct Attempt {
  std::optional<Grid> grid;
  std::string why;      ///< in what the affine is no grid
  double moved_mm = 0;  ///< how far making the axes orthonormal moved the farthest corner
};

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

double unit_mm(const Header& header, std::vector<Remark>& remarks) {
  switch (header.xyzt_units & 7) {
    case 1:
      return 1000.0;
    case 2:
      return 1.0;
    case 3:
      return 1e-3;
    default:
      break;
  }
  remarks.push_back({Severity::note, "unit_of_length_unknown", "xyzt_units names no unit of length: mm is taken"});
  return 1.0;
}

Affine to_lps_mm(Affine affine, double unit) noexcept {
  for (std::size_t r = 0; r < 3; ++r)
    for (double& value : affine[r]) value *= r < 2 ? -unit : unit;
  return affine;
}

/// nifti1.h, method 2: R(b, c, d) diag(pixdim 1, 2, qfac pixdim 3) + qoffset.
Affine qform(const Header& header, const Vector3& spacing) noexcept {
  double b = header.quaternion[0], c = header.quaternion[1], d = header.quaternion[2];
  const double square = b * b + c * c + d * d;
  double a = 0;
  if (square > 1.0 - 1e-7) {  // a half turn, which float32 rounds to either side (nifti1_io.c does likewise)
    const double scale = 1.0 / std::sqrt(square);
    b *= scale, c *= scale, d *= scale;
  } else {
    a = std::sqrt(1.0 - square);
  }
  const Matrix3 r{{{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
                   {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
                   {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c}}};
  const double qfac = header.pixdim[0] < 0 ? -1.0 : 1.0;
  Affine affine{};
  for (std::size_t i = 0; i < 3; ++i)
    affine[i] = {r[i][0] * spacing[0], r[i][1] * spacing[1], r[i][2] * spacing[2] * qfac, header.quaternion_offset[i]};
  return affine;
}

double determinant(const Matrix3& m) noexcept { return dot(m[0], cross(m[1], m[2])); }

/// The orthonormal matrix nearest to `m` (Higham 1986, Newton's iteration for the polar factor).
Matrix3 nearest_orthonormal(Matrix3 m) noexcept {
  for (int step = 0; step < 6; ++step) {
    const double det = determinant(m);
    const Matrix3 cofactors{cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])};
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c) m[r][c] = 0.5 * (m[r][c] + cofactors[r][c] / det);
  }
  return m;
}

double corner_shift_mm(const Affine& affine, const Grid& grid) noexcept {
  double worst = 0;
  for (int corner = 0; corner < 8; ++corner) {
    Vector3 p{};
    for (std::size_t k = 0; k < 3; ++k) p[k] = (corner >> k & 1) != 0 ? static_cast<double>(grid.size()[k] - 1) : 0.0;
    PatientPoint there;
    const std::array<double*, 3> out{&there.x, &there.y, &there.z};
    for (std::size_t r = 0; r < 3; ++r)
      *out[r] = affine[r][0] * p[0] + affine[r][1] * p[1] + affine[r][2] * p[2] + affine[r][3];
    worst = std::max(worst, distance(there, grid.to_patient({p[0], p[1], p[2]})));
  }
  return worst;
}

Attempt attempt(const Affine& lps, const Size3& size) {
  Vector3 spacing{};
  Matrix3 direction{};
  for (std::size_t c = 0; c < 3; ++c) {
    spacing[c] = norm({lps[0][c], lps[1][c], lps[2][c]});
    if (!(spacing[c] > 0) || !std::isfinite(spacing[c])) return {std::nullopt, "has an axis of length zero or NaN", 0};
    for (std::size_t r = 0; r < 3; ++r) direction[r][c] = lps[r][c] / spacing[c];
  }
  for (std::size_t r = 0; r < 3; ++r)
    if (!std::isfinite(lps[r][3])) return {std::nullopt, "has an origin that is not finite", 0};
  const auto cosine = [&](std::size_t a, std::size_t b) {
    return std::abs(direction[0][a] * direction[0][b] + direction[1][a] * direction[1][b] +
                    direction[2][a] * direction[2][b]);
  };
  const double shear = std::max({cosine(0, 1), cosine(0, 2), cosine(1, 2)});
  if (shear > shear_max)
    return {std::nullopt, "is sheared (cosine " + short_number(shear) + " between two axes, at most 0.001)", 0};
  Attempt answer{Grid(size, spacing, {lps[0][3], lps[1][3], lps[2][3]}, nearest_orthonormal(direction)), "", 0};
  answer.moved_mm = corner_shift_mm(lps, *answer.grid);
  return answer;
}

/// pixdim 1 to 3 as they may be used, or why they may not.
struct Spacing {
  Vector3 value{};
  std::string fault;
};

Spacing spacing_of(const Header& header, std::vector<Remark>& remarks) {
  Spacing spacing;
  for (std::size_t k = 0; k < 3; ++k) {
    const double stored = header.pixdim[k + 1];
    const std::string field = "pixdim[" + std::to_string(k + 1) + "]";
    spacing.value[k] = std::abs(stored);
    if (stored < 0)
      remarks.push_back({Severity::warning, "negative_spacing", field + " is negative: its size is taken"});
    if (spacing.value[k] > 0 && std::isfinite(spacing.value[k])) continue;
    if (header.dim[k + 1] > 1 || k < 2) {
      spacing.fault = field + " is " + short_number(stored) + "; a spacing must be > 0 and finite";
    } else {
      // An axis of one voxel may lack its step.
      spacing.value[k] = 1;
      remarks.push_back({Severity::note, "no_slice_spacing",
                         field + " is " + short_number(stored) + ": 1 is taken for the only slice"});
    }
  }
  return spacing;
}

double disagreement_mm(const Grid& a, const Grid& b) noexcept {
  double worst = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const auto at = [&](std::size_t k) { return (corner >> k & 1) != 0 ? static_cast<double>(a.size()[k] - 1) : 0.0; };
    const IndexPoint p{at(0), at(1), at(2)};
    worst = std::max(worst, distance(a.to_patient(p), b.to_patient(p)));
  }
  return worst;
}

Grid accept(const Attempt& found, const std::string& which, std::vector<Remark>& remarks) {
  if (found.moved_mm > rounding_mm)
    remarks.push_back({Severity::note, "axes_made_orthogonal",
                       "the axes of the " + which +
                           " are not quite at right angles: corners moved by up to " + short_number(found.moved_mm) +
                           " mm"});
  return *found.grid;
}

/// What of pixdim and the qform does not go with the sform that is taken.
void say_disagreement(const Grid& taken, const Attempt& by_qform, const Spacing& spacing, double unit,
                      std::vector<Remark>& remarks) {
  const auto warn = [&](const char* code, std::string text) {
    remarks.push_back({Severity::warning, code, std::move(text)});
  };
  if (!spacing.fault.empty()) {
    warn("pixdim_wrong", spacing.fault + ": the sform's is taken");
    return;
  }
  if (by_qform.grid)
    if (const double off = disagreement_mm(taken, *by_qform.grid); off > disagreement_mm_max) {
      warn("sform_qform_disagree",
           "sform and qform disagree by up to " + short_number(off) + " mm at a corner: sform is taken");
      return;
    }
  for (std::size_t k = 0; k < 3; ++k) {
    const double stored = spacing.value[k] * unit, used = taken.spacing_mm()[k];
    if (taken.size()[k] > 1 && std::abs(stored - used) > spacing_mismatch_max * used)
      warn("pixdim_sform_disagree", "pixdim[" + std::to_string(k + 1) + "] says " + short_number(stored) +
                                        " mm and the sform " + short_number(used) + ": sform is taken");
  }
}

// Code 1, scanner, is what is expected; the others say what the axes were aligned to (nifti1.h, XFORM CODES).
void say_space(int code, const char* which, std::vector<Remark>& remarks) {
  if (code == 1) return;
  const char* space = code == 2   ? "another image"
                      : code == 3 ? "the Talairach atlas"
                      : code == 4 ? "the MNI152 template"
                      : code == 5 ? "a template"
                                  : nullptr;
  remarks.push_back({Severity::note, "space_of_file",
                     space == nullptr
                         ? std::string(which) + "_code is " + std::to_string(code) + ", which nifti1.h does not know"
                         : std::string("coordinates are aligned to ") + space + " (" + which + "_code " +
                               std::to_string(code) + "), not the scanner's"});
}

void say_quaternion(const Header& header, std::vector<Remark>& remarks) {
  const auto& q = header.quaternion;
  if (const double square = q[0] * q[0] + q[1] * q[1] + q[2] * q[2]; square > 1.0 + 1e-4)
    remarks.push_back({Severity::warning, "quaternion_not_normal",
                       "the quaternion is longer than one (" + short_number(std::sqrt(square)) + "): it is made one"});
  if (const double qfac = header.pixdim[0]; qfac != 1 && qfac != -1 && qfac != 0)
    remarks.push_back({Severity::note, "qfac_unusual",
                       "pixdim[0] is " + short_number(qfac) + ", neither 1 nor -1: its sign is taken"});
}

// nifti1.h, method 1: x = pixdim[1] i, y = pixdim[2] j, z = pixdim[3] k, in RAS. ANALYZE 7.5 has x run to the left
// (orient 0, "transverse unflipped"), as FSL, SPM and ITK read it.
Grid by_pixdim(const Header& header, const Vector3& spacing, double unit, const Size3& size,
               std::vector<Remark>& remarks) {
  const bool analyze = header.kind == Kind::analyze;
  remarks.push_back({Severity::warning, "orientation_unknown",
                     analyze ? "ANALYZE 7.5 does not say where left and right are: x is taken to run to the left"
                             : "neither sform nor qform is set: only pixdim says where voxels lie; left and right are "
                               "not known"});
  const double x = analyze ? -spacing[0] : spacing[0];
  const Affine plain{{{x, 0, 0, 0}, {0, spacing[1], 0, 0}, {0, 0, spacing[2], 0}}};
  return *attempt(to_lps_mm(plain, unit), size).grid;
}

}  // namespace

Grid place(const Header& header, const std::string& name, std::vector<Remark>& remarks) {
  const Size3 size{header.dim[1], header.dim[2], header.dim[3]};
  const double unit = unit_mm(header, remarks);
  const Spacing spacing = spacing_of(header, remarks);
  Attempt by_sform, by_qform;
  if (header.sform_code > 0) by_sform = attempt(to_lps_mm(header.srow, unit), size);
  if (!by_sform.grid && !spacing.fault.empty())
    throw Error(Code::bad_input, "reading NIfTI '" + name + "': " + spacing.fault);
  if (header.qform_code > 0 && spacing.fault.empty())
    by_qform = attempt(to_lps_mm(qform(header, spacing.value), unit), size);
  if (by_sform.grid) {
    say_disagreement(*by_sform.grid, by_qform, spacing, unit, remarks);
    say_space(header.sform_code, "sform", remarks);
    return accept(by_sform, "sform", remarks);
  }
  if (by_qform.grid) {
    if (header.sform_code > 0)
      remarks.push_back({Severity::warning, "sform_left", "the sform " + by_sform.why + ": qform is taken"});
    say_quaternion(header, remarks);
    say_space(header.qform_code, "qform", remarks);
    return accept(by_qform, "qform", remarks);
  }
  if (header.sform_code > 0)
    throw Error(Code::bad_input, "reading NIfTI '" + name + "': the sform (srow) " + by_sform.why);
  if (header.qform_code > 0) throw Error(Code::bad_input, "reading NIfTI '" + name + "': the qform " + by_qform.why);
  return by_pixdim(header, spacing.value, unit, size, remarks);
}

std::optional<SlantedSlices> slanted(const Header& header, std::vector<Remark>& remarks) {
  const Size3 size{header.dim[1], header.dim[2], header.dim[3]};
  if (header.sform_code <= 0 || size[2] < 2) return std::nullopt;
  std::vector<Remark> said;
  const double unit = unit_mm(header, said);
  const Affine lps = to_lps_mm(header.srow, unit);
  const Attempt by_sform = attempt(lps, size);
  if (by_sform.grid) return std::nullopt;
  const Spacing spacing = spacing_of(header, said);
  if (header.qform_code > 0 && spacing.fault.empty() &&
      attempt(to_lps_mm(qform(header, spacing.value), unit), size).grid)
    return std::nullopt;
  // The slices alone: with the step set upright they must be a grid.
  Affine upright = lps;
  const auto column = [&](std::size_t c) { return Vector3{lps[0][c], lps[1][c], lps[2][c]}; };
  const Vector3 normal = cross(column(0), column(1));
  for (std::size_t r = 0; r < 3; ++r) upright[r][2] = normal[r];
  const Attempt plane = attempt(upright, size);
  if (!plane.grid || !(std::abs(dot(normal, column(2))) > 1e-3 * norm(normal) * norm(column(2)))) return std::nullopt;
  remarks.insert(remarks.end(), said.begin(), said.end());
  say_space(header.sform_code, "sform", remarks);
  const Grid& grid = *plane.grid;
  return SlantedSlices{grid.axis(0),     grid.axis(1), {grid.spacing_mm()[0], grid.spacing_mm()[1]},
                       grid.origin_mm(), column(2),    "the sform " + by_sform.why};
}

std::optional<double> time_step_s(const Header& header, std::vector<Remark>& remarks) {
  const double step = header.pixdim[4];
  const int unit = header.xyzt_units & 0x38;
  const double scale = unit == 8 ? 1 : unit == 16 ? 1e-3 : unit == 24 ? 1e-6 : 0;
  if (scale == 0)
    remarks.push_back({Severity::note, "unit_of_time_unknown",
                       "xyzt_units names no unit of time: when the volumes were taken is not known"});
  else if (!(step > 0) || !std::isfinite(step))
    remarks.push_back({Severity::note, "time_step_unknown", "pixdim[4] is " + short_number(step)});
  else
    return step * scale;
  return std::nullopt;
}

Grid place_affine(const std::array<std::array<double, 4>, 3>& lps_mm, const Size3& size, const std::string& name,
                  const std::string& field, std::vector<Remark>& remarks) {
  const Attempt found = attempt(lps_mm, size);
  if (!found.grid) throw Error(Code::bad_input, "reading '" + name + "': the " + field + " " + found.why);
  return accept(found, field, remarks);
}

Placement placement_of(const Grid& grid) noexcept {
  Placement out;
  Matrix3 r = grid.direction();
  for (std::size_t c = 0; c < 3; ++c) r[0][c] = -r[0][c], r[1][c] = -r[1][c];
  const std::array<double, 3> origin{-grid.origin_mm().x, -grid.origin_mm().y, grid.origin_mm().z};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t c = 0; c < 3; ++c) out.srow[i][c] = r[i][c] * grid.spacing_mm()[c];
    out.srow[i][3] = out.quaternion_offset[i] = origin[i];
  }
  if (determinant(r) < 0) {
    out.qfac = -1;
    for (auto& row : r) row[2] = -row[2];
  }
  // The largest of the four squares first, so that nothing is divided by a small root (nifti1_io.c does likewise).
  const double trace = r[0][0] + r[1][1] + r[2][2];
  std::array<double, 4> q{};  // a b c d
  if (trace > 0) {
    const double s = 2 * std::sqrt(trace + 1);
    q = {s / 4, (r[2][1] - r[1][2]) / s, (r[0][2] - r[2][0]) / s, (r[1][0] - r[0][1]) / s};
  } else if (r[0][0] > r[1][1] && r[0][0] > r[2][2]) {
    const double s = 2 * std::sqrt(1 + r[0][0] - r[1][1] - r[2][2]);
    q = {(r[2][1] - r[1][2]) / s, s / 4, (r[0][1] + r[1][0]) / s, (r[0][2] + r[2][0]) / s};
  } else if (r[1][1] > r[2][2]) {
    const double s = 2 * std::sqrt(1 + r[1][1] - r[0][0] - r[2][2]);
    q = {(r[0][2] - r[2][0]) / s, (r[0][1] + r[1][0]) / s, s / 4, (r[1][2] + r[2][1]) / s};
  } else {
    const double s = 2 * std::sqrt(1 + r[2][2] - r[0][0] - r[1][1]);
    q = {(r[1][0] - r[0][1]) / s, (r[0][2] + r[2][0]) / s, (r[1][2] + r[2][1]) / s, s / 4};
  }
  const double sign = q[0] < 0 ? -1 : 1;
  out.quaternion = {sign * q[1], sign * q[2], sign * q[3]};
  return out;
}

}  // namespace penta::io::nifti
