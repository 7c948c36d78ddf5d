#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "image/rasterize/polygon.h"
#include "image/resample/resample.h"
#include "modality/pet/suv.h"
#include "modality/plausible.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

/// One voxel of the 1 mL ball around a voxel: how far it is and how much of it lies inside the ball.
struct BallVoxel {
  std::int64_t dx = 0, dy = 0, dz = 0;
  double share = 0;
};

// Shares by 8 x 8 x 8 sub-voxels: the volume of the ball is right to 0.5 % (test).
std::vector<BallVoxel> ball_of(const Grid& grid, double volume_ml) {
  constexpr int parts = 8;
  const double radius_mm = std::cbrt(volume_ml * 1000 * 3 / (4 * std::numbers::pi));
  const Vector3& step = grid.spacing_mm();
  std::array<std::int64_t, 3> reach{};
  for (std::size_t k = 0; k < 3; ++k) reach[k] = static_cast<std::int64_t>(std::ceil(radius_mm / step[k] + 0.5));
  std::vector<BallVoxel> ball;
  for (std::int64_t z = -reach[2]; z <= reach[2]; ++z)
    for (std::int64_t y = -reach[1]; y <= reach[1]; ++y)
      for (std::int64_t x = -reach[0]; x <= reach[0]; ++x) {
        int inside = 0;
        for (int part = 0; part < parts * parts * parts; ++part) {
          const auto at = [&](std::int64_t i, int p, std::size_t k) {
            return step[k] * (static_cast<double>(i) - 0.5 + (p + 0.5) / parts);
          };
          const Vector3 d{at(x, part % parts, 0), at(y, part / parts % parts, 1), at(z, part / parts / parts, 2)};
          inside += dot(d, d) <= radius_mm * radius_mm ? 1 : 0;
        }
        if (inside > 0) ball.push_back({x, y, z, static_cast<double>(inside) / (parts * parts * parts)});
      }
  return ball;
}

// Mean over the ball about a finite voxel; what of it lies outside the image or is not finite is left out.
double ball_mean(VolumeView<const float> suv, const std::vector<BallVoxel>& ball, std::int64_t x, std::int64_t y, std::int64_t z) {
  const Size3& size = suv.grid.size();
  double sum = 0, share = 0;
  for (const BallVoxel& v : ball) {
    const std::int64_t i = x + v.dx, j = y + v.dy, k = z + v.dz;
    if (i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2]) continue;
    const auto value = static_cast<double>(suv.at(i, j, k));
    if (!std::isfinite(value)) continue;
    sum += v.share * value;
    share += v.share;
  }
  return sum / share;
}

struct Uptake {
  std::int64_t voxels = 0, non_finite = 0;  // voxels: the finite ones
  double maximum = -1e300, sum = 0, peak = -1e300;
};

Uptake measure(VolumeView<const float> suv, const Volume<std::uint16_t>& layer, int value, const std::vector<BallVoxel>& ball) {
  Uptake uptake;
  const Size3& size = suv.grid.size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        if (layer.at(x, y, z) != value) continue;
        const auto here = static_cast<double>(suv.at(x, y, z));
        if (!std::isfinite(here)) {
          ++uptake.non_finite;
          continue;
        }
        ++uptake.voxels;
        uptake.sum += here;
        uptake.maximum = std::max(uptake.maximum, here);
        uptake.peak = std::max(uptake.peak, ball_mean(suv, ball, x, y, z));
      }
  return uptake;
}

std::string prefix(pet::SuvType type) {
  if (type == pet::SuvType::bsa) return "SUVbsa ";
  if (type == pet::SuvType::ibw) return "SUVibw ";
  return type == pet::SuvType::bw ? "SUV" : "SUL";
}

void add_measurements(const Uptake& uptake, const Segment& segment, double voxel_ml, pet::SuvType type, Measurements& out) {
  const pet::SuvTypeRow& row = pet::row_of(type);
  const std::string unit(row.unit), name = prefix(type);
  const CodedConcept suv{"DCM", std::string(row.code), std::string(row.meaning)};
  const double mean = uptake.sum / static_cast<double>(uptake.voxels), volume = static_cast<double>(uptake.voxels) * voxel_ml;
  const auto add = [&](std::string what, double value, std::string in, CodedConcept code, std::string formula, std::string_view range) {
    Measurement m{std::move(what), value, std::move(in), std::move(code), segment.name, segment.side, std::move(formula),
                  plausible_range(range), {}};
    out.push_back(std::move(m));
  };
  add(name + "max", uptake.maximum, unit, suv, "highest voxel of the region", "SUVmax");
  add(name + "mean", mean, unit, suv, "mean of the region's voxels", "SUVmean");
  add(name + "peak", uptake.peak, unit, suv,
      "highest mean over a 1 mL ball (radius 6.2 mm, partial voxels counted) centred on a voxel of the region (PERCIST 1.0, "
      "doi:10.2967/jnumed.108.057307)",
      "SUVpeak");
  add("MTV", volume, "mL", {"DCM", "126032", "Metabolic Volume"}, "voxels * voxel volume", "MTV");
  add("TLG", volume * mean, type == pet::SuvType::bsa ? "cm2" : "g", {"DCM", "126033", "Total Lesion Glycolysis"},
      "MTV * " + name + "mean", "TLG");
}

// The regions on the image's own grid.
LabelMap labels_on(const Request& request, const Grid& grid, std::vector<Remark>& remarks) {
  if (const auto* contours = request.find<Contours>("labels")) return rasterize(*contours, grid, remarks, BetweenPlanes::nearest);
  const LabelMap& given = request.need<LabelMap>("labels");
  if (given.planar) throw Error(Code::bad_input, "the labels are of a plain picture and have no place in the PET image");
  if (given.grid().same_as(grid)) return clone(given);
  LabelMap labels;
  for (const auto& layer : given.layers) labels.layers.push_back(resample_nearest(layer.view(), grid));
  labels.segments = given.segments;
  remarks.push_back({Severity::note, "labels_resampled", "the labels are on another grid; each PET voxel takes the nearest label"});
  return labels;
}

// What of a region could not be measured.
void say_left_out(const Uptake& uptake, const std::string& name, std::vector<Remark>& remarks) {
  say_non_finite(uptake.non_finite, "of region '" + name + "'", "left out of its measurements", remarks);
  if (uptake.voxels == 0)
    remarks.push_back({Severity::warning, "region_not_measured",
                       "region '" + name + "' has no voxel " + (uptake.non_finite > 0 ? "with a finite value " : "") + "in the PET image"});
}

class PetQuantify final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    Answer answer;
    const Image& given = request.need<Image>("pet");
    std::optional<Image> made;
    if (!pet::is_suv(given)) made = pet::suv_image(given, pet::SuvType::bw, request.params.flag("assume_suv"), answer.remarks);
    const Image& image = made ? *made : given;
    const Volume<float> suv = to_float(image.volume());
    const LabelMap labels = labels_on(request, suv.grid(), answer.remarks);
    const auto ball = ball_of(suv.grid(), 1.0);
    Measurements measurements;
    double done = 0;
    std::int64_t labelled = 0;
    for (const Segment& segment : labels.segments) {
      request.control.report(done++ / static_cast<double>(labels.segments.size()), segment.name);
      const Uptake uptake = measure(suv.view(), labels.layers[static_cast<std::size_t>(segment.layer)], segment.value, ball);
      say_left_out(uptake, segment.name, answer.remarks);
      labelled += uptake.voxels + uptake.non_finite;
      if (uptake.voxels > 0)
        add_measurements(uptake, segment, suv.grid().voxel_volume_ml(), pet::suv_type_of(image), measurements);
    }
    if (labelled == 0)
      answer.remarks.push_back({Severity::warning, "empty_labels", "the label map has no labelled voxel in the PET image"});
    answer.artifacts.push_back({"measurements", std::move(measurements)});
    return answer;
  }

 private:
  Card card_ = built_in_card("analysis/pet.quantify");
};

}  // namespace

MethodPtr make_analysis_pet_quantify() { return std::make_unique<PetQuantify>(); }

}  // namespace penta
