#include "modality/pet/organs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/points.h"
#include "image/components/components.h"
#include "image/resample/reorient.h"

namespace penta::pet {

namespace {

constexpr double body_suv = 0.25, long_view_mm = 500;

/// The largest part of the body in one slice; mm are patient LPS.
struct Outline {
  double area_mm2 = 0, hot_mm2 = 0;
  double middle_x = 0, middle_y = 0, hot_x = 0;
  double z = 0;
};

/// A slice as a volume of its own.
Outline outline_of(const Volume<float>& lps, std::int64_t z, double threshold) {
  const Grid& grid = lps.grid();
  const Grid flat = grid.cropped({0, 0, z}, {grid.size()[0], grid.size()[1], 1});
  Volume<std::uint8_t> mask(flat);
  for (std::int64_t i = 0; i < flat.count(); ++i)
    mask.voxels()[static_cast<std::size_t>(i)] =
        static_cast<double>(lps.voxels()[static_cast<std::size_t>(i + z * flat.count())]) >= body_suv ? 1 : 0;
  const Components components = connected_components(std::as_const(mask).view(), Connectivity::faces);
  Outline out;
  const double pixel = grid.spacing_mm()[0] * grid.spacing_mm()[1];
  double x_sum = 0, y_sum = 0, hot_sum = 0, n = 0, hot = 0;
  for (const Run& run : components.runs) {
    if (run.component != components.largest()) continue;
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      const PatientPoint p =
          grid.to_patient({static_cast<double>(x), static_cast<double>(run.y), static_cast<double>(z)});
      x_sum += p.x;
      y_sum += p.y;
      n += 1;
      if (static_cast<double>(lps.at(x, run.y, z)) < threshold) continue;
      hot_sum += p.x;
      hot += 1;
    }
  }
  out.z = grid.to_patient({0, 0, static_cast<double>(z)}).z;
  out.area_mm2 = n * pixel;
  out.hot_mm2 = hot * pixel;
  if (n > 0) out.middle_x = x_sum / n, out.middle_y = y_sum / n;
  if (hot > 0) out.hot_x = hot_sum / hot;
  return out;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

class Namer {
 public:
  Namer(const Volume<float>& suv, double threshold, Uptake& uptake) : uptake_(uptake) {
    const Volume<float> lps = reoriented(suv.view(), "LPS");
    for (std::int64_t z = lps.grid().size()[2] - 1; z >= 0; --z) {
      Outline outline = outline_of(lps, z, threshold);
      if (outline.area_mm2 > 2000) slices_.push_back(outline);  // from the head down
    }
  }

  void run() {
    if (slices_.empty()) return;
    name_brain();
    length_mm_ = slices_.front().z - slices_.back().z;
    if (length_mm_ < long_view_mm) return;
    name_bladder();
    if (!uptake_.has_bladder && !uptake_.has_brain) return;
    // From symphysis to vertex adults measure about 0.8 m; what is not in view is put there.
    if (!uptake_.has_bladder) bladder_z_ = brain_z_ - 640;
    name_heart();
    name_kidneys();
  }

 private:
  [[nodiscard]] double middle_x(double z) const { return near(z, &Outline::middle_x); }
  [[nodiscard]] double middle_y(double z) const { return near(z, &Outline::middle_y); }
  /// The median over the slices within 50 mm.
  [[nodiscard]] double near(double z, double Outline::*what) const {
    std::vector<double> values;
    for (const Outline& slice : slices_)
      if (std::abs(slice.z - z) <= 50) values.push_back(slice.*what);
    return median_of(std::move(values));
  }

  void name_brain() {
    // From the vertex (or the end of the view) down: slices whose hot share is large and lies in the middle.
    double low = 1e300, high = -1e300;
    for (const Outline& slice : slices_) {
      if (slices_.front().z - slice.z > 200) break;
      const bool filled = slice.hot_mm2 > 0.15 * slice.area_mm2 && std::abs(slice.hot_x - slice.middle_x) < 20;
      if (filled) {
        if (high < low && slices_.front().z - slice.z > 40) return;  // begins too far from the top
        low = std::min(low, slice.z);
        high = std::max(high, slice.z);
      } else if (high >= low && low - slice.z > 25) {
        break;
      }
    }
    if (high < low) return;
    uptake_.has_brain = true;
    brain_z_ = low;
    for (HotPart& part : uptake_.parts)
      if (part.centre.z > low - 25 && std::abs(part.centre.x - middle_x(part.centre.z)) < 90) part.organ = "brain";
  }

  void name_bladder() {
    HotPart* best = nullptr;
    for (HotPart& part : uptake_.parts) {
      const double above_end = part.centre.z - slices_.back().z;
      if (!part.organ.empty() || part.suv_max < 8 || part.volume_ml < 5 || above_end > 0.5 * length_mm_) continue;
      if (std::abs(part.centre.x - middle_x(part.centre.z)) > 45) continue;
      if (best == nullptr || part.suv_max > best->suv_max) best = &part;
    }
    if (best == nullptr) return;
    best->organ = "bladder";
    uptake_.has_bladder = true;
    bladder_z_ = best->centre.z;
  }

  void name_heart() {
    HotPart* best = nullptr;
    const auto in_chest = [&](const HotPart& part) {
      const double up = part.centre.z - bladder_z_, left = part.centre.x - middle_x(part.centre.z);
      return part.organ.empty() && up > 270 && up < 520 && left > -15 && left < 100 &&
             part.centre.y < middle_y(part.centre.z) + 20;
    };
    for (HotPart& part : uptake_.parts)
      if (in_chest(part) && part.volume_ml > 15 && part.volume_ml < 600 &&
          (best == nullptr || part.tlg() > best->tlg()))
        best = &part;
    if (best == nullptr) return;
    best->organ = "heart";
    for (HotPart& part : uptake_.parts)
      if (in_chest(part) && distance(part.centre, best->centre) < 75) part.organ = "heart";
  }

  void name_kidneys() {
    for (HotPart& part : uptake_.parts) {
      if (!part.organ.empty()) continue;
      const double up = part.centre.z - bladder_z_, aside = std::abs(part.centre.x - middle_x(part.centre.z));
      const bool behind = part.centre.y > middle_y(part.centre.z) + 5;
      if (up > 110 && up < 330 && aside > 25 && aside < 115 && behind && part.volume_ml < 250)
        part.organ = "kidney";
      else if (up > -30 && up < 260 && aside > 5 && aside < 75 && part.volume_ml < 6 && part.suv_max > 5)
        part.organ = "ureter";
    }
  }

  Uptake& uptake_;
  std::vector<Outline> slices_;
  double length_mm_ = 0, brain_z_ = 0, bladder_z_ = 0;
};

}  // namespace

void name_organs(const Volume<float>& suv, double threshold_suv, Uptake& uptake) {
  Namer(suv, threshold_suv, uptake).run();
}

}  // namespace penta::pet
