#include "recon/phantom/patient.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/random.h"

namespace penta::recon {

namespace {

/// Adds parts, in a body scaled about an adult's, each a little out of its usual size and place.
class Painter {
 public:
  Painter(Patient& patient, std::uint64_t seed)
      : patient_(patient), random_(seed, 1), scale_{near(1, 0.05), near(1, 0.05), near(1, 0.04)} {}

  double near(double mean, double relative) noexcept {
    return mean * (1 + relative * std::clamp(random_.normal(), -2.0, 2.0));
  }
  double between(double low, double high) noexcept { return random_.uniform(low, high); }
  const Vector3& scale() const noexcept { return scale_; }

  /// A part exactly where the scaled body has it.
  void fixed(Tissue tissue, Solid solid) {
    solid.centre_mm = {solid.centre_mm.x * scale_[0], solid.centre_mm.y * scale_[1], solid.centre_mm.z * scale_[2]};
    for (std::size_t k = 0; k < 3; ++k) solid.half_mm[k] *= scale_[k];
    patient_.parts.push_back({tissue, solid});
  }
  /// An ellipsoid of a size and place of its own.
  void organ(Tissue tissue, PatientPoint centre, Vector3 half, double move_mm = 4, const Matrix3* axes = nullptr) {
    Solid solid{Solid::Kind::ellipsoid, centre, half};
    solid.centre_mm.x += between(-move_mm, move_mm);
    solid.centre_mm.y += between(-move_mm, move_mm);
    solid.centre_mm.z += between(-move_mm, move_mm);
    const double size = near(1, 0.05);
    for (double& value : solid.half_mm) value *= size * near(1, 0.03);
    if (axes != nullptr) solid.axes = *axes;
    fixed(tissue, solid);
  }
  void tube(Tissue tissue, const PatientPoint& from, const PatientPoint& to, double radius_mm) {
    const Vector3 along{to.x - from.x, to.y - from.y, to.z - from.z};
    fixed(tissue, {Solid::Kind::cylinder, {(from.x + to.x) / 2, (from.y + to.y) / 2, (from.z + to.z) / 2},
                   {radius_mm, radius_mm, norm(along) / 2}, axes_along(along)});
  }

 private:
  Patient& patient_;
  Random random_;
  Vector3 scale_;
};

Matrix3 turned_about_x(double angle_deg) noexcept {
  const double a = angle_deg * std::numbers::pi / 180;
  return {{{1, 0, 0}, {0, std::cos(a), std::sin(a)}, {0, -std::sin(a), std::cos(a)}}};
}

Matrix3 turned_about_y(double angle_deg) noexcept {
  const double a = angle_deg * std::numbers::pi / 180;
  return {{{std::cos(a), 0, -std::sin(a)}, {0, 1, 0}, {std::sin(a), 0, std::cos(a)}}};
}

void paint_wall(Painter& painter) {
  const double fat_mm = painter.between(8, 26);
  painter.fixed(Tissue::fat, {Solid::Kind::ellipsoid, {0, 0, -60}, {158 + fat_mm, 102 + fat_mm, 640}});
  painter.fixed(Tissue::muscle, {Solid::Kind::ellipsoid, {0, 3, -60}, {158, 102, 640}});
  // Rings that slope downwards to the front; what lies inside is painted over them.
  const Matrix3 slope = turned_about_x(22);
  for (int k = 0; k < 11; ++k)
    painter.fixed(Tissue::rib, {Solid::Kind::cylinder, {0, 0, -70.0 + 27 * k}, {143, 94, 5.5}, slope});
  // The lower ribs do not reach the front.
  painter.fixed(Tissue::muscle, {Solid::Kind::ellipsoid, {0, -20, -85}, {130, 77, 90}});
  painter.fixed(Tissue::muscle, {Solid::Kind::ellipsoid, {0, 0, 60}, {134, 83, 480}});
  painter.fixed(Tissue::fat, {Solid::Kind::ellipsoid, {0, -5, -170}, {129, 79, 195}});  // of the abdomen
}

void paint_back(Painter& painter) {
  for (const double side : {-1.0, 1.0})
    painter.fixed(Tissue::muscle, {Solid::Kind::ellipsoid, {side * 42, 62, -150}, {30, 26, 150}});  // psoas and back
  painter.fixed(Tissue::disc, {Solid::Kind::cylinder, {0, 52, -40}, {21, 16, 290}});
  for (int k = 0; k < 19; ++k)
    painter.fixed(Tissue::vertebra, {Solid::Kind::cylinder, {0, 52, -312.0 + 30 * k}, {22, 17, 12}});
  for (int k = 0; k < 19; ++k) {
    painter.fixed(Tissue::vertebra, {Solid::Kind::ellipsoid, {0, 80, -316.0 + 30 * k}, {21, 13, 9}});
    painter.fixed(Tissue::vertebra, {Solid::Kind::ellipsoid, {0, 93, -320.0 + 30 * k}, {4, 13, 9}});
  }
  painter.fixed(Tissue::disc, {Solid::Kind::cylinder, {0, 76, -40}, {9, 7, 290}});  // the canal
}

void paint_lung(Painter& painter, Tissue tissue, double side) {
  painter.organ(tissue, {side * 70, 4, 90}, {60, 79, 132}, 3);
  // Vessels from the hilum outwards; the ends stay inside the lung.
  for (int k = 0; k < 12; ++k) {
    const double around = painter.between(0, 2 * std::numbers::pi), out = painter.between(0.35, 0.75);
    const PatientPoint hilum{side * 32, 8, 70};
    const PatientPoint end{side * (70 + 34 * out * std::cos(around)), 4 + 66 * out * std::sin(around),
                           90 + painter.between(-75, 90)};
    painter.tube(Tissue::vessel, hilum, end, painter.between(1.6, 3.6));
  }
}

void paint_heart(Painter& painter) {
  // The left ventricle's long axis runs from the base to the left, the front and down.
  const Vector3 axis{painter.near(0.66, 0.06), painter.near(-0.60, 0.06), painter.near(-0.45, 0.1)};
  const Matrix3 axes = axes_along(axis);
  const double length = norm(axis);
  const auto along = [&](double mm) {
    return PatientPoint{36 + axis[0] / length * mm, -26 + axis[1] / length * mm, 46 + axis[2] / length * mm};
  };
  painter.organ(Tissue::fat, {22, -28, 46}, {62, 50, 54}, 0);
  painter.organ(Tissue::myocardium, {4, -40, 40}, {37, 31, 43}, 1);
  painter.organ(Tissue::chambers, {4, -40, 42}, {33, 27, 40}, 0);
  painter.organ(Tissue::chambers, {-2, -2, 66}, {40, 30, 30}, 1);
  const double thickness = painter.between(9.5, 12.5), radius = painter.between(30, 34);
  painter.fixed(Tissue::myocardium, {Solid::Kind::ellipsoid, along(0), {radius, radius, 48}, axes});
  painter.fixed(Tissue::chambers, {Solid::Kind::ellipsoid, along(-4), {radius - thickness, radius - thickness, 41}, axes});
  // The base is open: the atrium lies over the muscle there.
  painter.fixed(Tissue::chambers, {Solid::Kind::ellipsoid, along(-46), {radius - 4, radius - 4, 20}, axes});
}

void paint_great_vessels(Painter& painter) {
  painter.tube(Tissue::aorta, {20, 24, -210}, {16, 30, 140}, painter.between(9.5, 13));
  painter.tube(Tissue::aorta, {16, 30, 140}, {-14, -18, 142}, 13);
  painter.tube(Tissue::aorta, {-14, -18, 142}, {-4, -20, 70}, 14);
  painter.tube(Tissue::vessel, {-18, 24, -210}, {-20, 8, 50}, 10);
  painter.tube(Tissue::airway, {0, 12, 120}, {0, 20, 260}, 8);
  painter.tube(Tissue::airway, {0, 12, 120}, {-38, 12, 82}, 5.5);
  painter.tube(Tissue::airway, {0, 12, 120}, {38, 14, 82}, 5.5);
}

void paint_upper_abdomen(Painter& painter) {
  const Matrix3 lean = turned_about_y(18);
  painter.organ(Tissue::stomach, {58, -22, -34}, {50, 38, 46}, 4, &lean);
  painter.organ(Tissue::gas, {60, -42, -26}, {26, 12, 22}, 2);
  painter.organ(Tissue::spleen, {96, 40, -36}, {24, 38, 48});
  painter.organ(Tissue::liver, {-58, 0, -50}, {74, 76, 68}, 3);
  painter.organ(Tissue::liver, {8, -42, -32}, {66, 30, 36}, 3);
  for (int k = 0; k < 8; ++k)  // veins of the liver
    painter.tube(Tissue::vessel, {-22, 10, -40}, {-22 - painter.between(30, 80), painter.between(-40, 40), painter.between(-85, -10)},
                 painter.between(1.5, 4));
  const Matrix3 left = turned_about_y(12), right = turned_about_y(-12);
  painter.organ(Tissue::kidney_left, {62, 46, -112}, {27, 24, 54}, 4, &left);
  painter.organ(Tissue::fat, {54, 42, -112}, {9, 9, 26}, 1);
  painter.organ(Tissue::kidney_right, {-62, 48, -128}, {27, 24, 54}, 4, &right);
  painter.organ(Tissue::fat, {-54, 44, -128}, {9, 9, 26}, 1);
}

void paint_lower_abdomen(Painter& painter) {
  for (int k = 0; k < 26; ++k) {
    const double x = painter.between(-90, 90), y = painter.between(-58, 8), z = painter.between(-290, -130);
    const Matrix3 axes = axes_along({painter.between(-1, 1), painter.between(-0.4, 0.4), painter.between(-0.6, 0.6) + 0.01});
    painter.organ(Tissue::bowel, {x, y, z}, {14, 14, painter.between(20, 46)}, 0, &axes);
    if (k % 3 == 0) painter.organ(Tissue::gas, {x, y - 4, z}, {8, 6, 12}, 0, &axes);
  }
  for (const double side : {-1.0, 1.0}) {
    const Matrix3 flare = turned_about_y(-side * 24);
    painter.fixed(Tissue::muscle, {Solid::Kind::ellipsoid, {side * 96, 36, -290}, {30, 58, 90}});
    painter.organ(Tissue::pelvis, {side * 92, 30, -275}, {11, 48, 62}, 1, &flare);
    painter.organ(Tissue::pelvis, {side * 88, 0, -372}, {25, 25, 25}, 1);
  }
  painter.organ(Tissue::bladder, {0, -24, -338}, {38, 30, 28});
}

void paint_lesions(Patient& patient, int lesions) {
  Random random(patient.seed, 2);
  std::vector<Solid> hosts;
  for (const Part& part : patient.parts)
    if (part.tissue == Tissue::liver || part.tissue == Tissue::lung_left || part.tissue == Tissue::lung_right)
      hosts.push_back(part.solid);
  for (int k = 0, tries = 0; k < lesions && tries < 2000; ++tries) {
    const Solid& host = hosts[static_cast<std::size_t>(random.bits() % hosts.size())];
    const Vector3 unit{random.uniform(-0.7, 0.7), random.uniform(-0.7, 0.7), random.uniform(-0.7, 0.7)};
    const double radius_mm = random.uniform(6, 14);
    PatientPoint centre = host.centre_mm;
    centre.x += unit[0] * host.half_mm[0];
    centre.y += unit[1] * host.half_mm[1];
    centre.z += unit[2] * host.half_mm[2];
    const auto tissue = tissue_at(patient, centre);
    if (norm(unit) > 0.75 || !tissue) continue;
    if (*tissue != Tissue::liver && *tissue != Tissue::lung_left && *tissue != Tissue::lung_right) continue;
    patient.parts.push_back({Tissue::lesion, {Solid::Kind::ellipsoid, centre, {radius_mm, radius_mm, radius_mm}}});
    ++k;
  }
}

}  // namespace

Patient digital_patient(std::uint64_t seed, int lesions) {
  Patient patient;
  patient.seed = seed;
  Painter painter(patient, seed);
  paint_wall(painter);
  paint_back(painter);
  paint_lung(painter, Tissue::lung_right, -1);
  paint_lung(painter, Tissue::lung_left, 1);
  paint_heart(painter);
  paint_great_vessels(painter);
  paint_upper_abdomen(painter);
  paint_lower_abdomen(painter);
  const Vector3& scale = painter.scale();
  patient.height_m = std::round(100 * 1.70 * scale[2]) / 100;
  const Vector3& outline = patient.parts.front().solid.half_mm;
  patient.weight_kg = std::round(10 * 72 * (outline[0] * outline[1] / (174.0 * 118.0)) * scale[2]) / 10;
  patient.age_years = std::floor(painter.between(40, 80));
  patient.sex = painter.between(0, 1) < 0.5 ? 'F' : 'M';
  paint_lesions(patient, lesions);
  return patient;
}

std::optional<Tissue> tissue_at(const Patient& patient, const PatientPoint& point) noexcept {
  const auto it = std::find_if(patient.parts.rbegin(), patient.parts.rend(),
                               [&](const Part& part) { return contains(part.solid, point); });
  return it == patient.parts.rend() ? std::nullopt : std::optional(it->tissue);
}

}  // namespace penta::recon
