#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "image/components/components.h"
#include "tasks/finite.h"
#include "tasks/methods.h"

namespace penta {

namespace {

/// One connected part of the labels: where it lies, and how bright it is against what is around it.
struct Part {
  std::array<double, 3> sum{};
  std::array<std::int64_t, 3> low{1LL << 40, 1LL << 40, 1LL << 40}, high{-1, -1, -1};
  std::int64_t voxels = 0;
  double inside = 0;
};

std::vector<Part> parts_of(const Components& components, VolumeView<const float> image) {
  std::vector<Part> parts(components.sizes.size());
  for (const Run& run : components.runs) {
    Part& part = parts[static_cast<std::size_t>(run.component - 1)];
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      const std::array<std::int64_t, 3> at{x, run.y, run.z};
      for (std::size_t k = 0; k < 3; ++k) {
        part.sum[k] += static_cast<double>(at[k]);
        part.low[k] = std::min(part.low[k], at[k]);
        part.high[k] = std::max(part.high[k], at[k]);
      }
      part.inside += static_cast<double>(image.at(x, run.y, run.z));
      ++part.voxels;
    }
  }
  return parts;
}

/// Mean of the image, off every label, in the box of a part grown by about 4 mm; the part's own mean where there is none.
double surroundings(const Part& part, VolumeView<const float> image, VolumeView<const std::uint8_t> mask) {
  std::array<std::int64_t, 3> first{}, last{};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto margin = static_cast<std::int64_t>(std::ceil(4 / image.grid.spacing_mm()[k]));
    first[k] = std::max<std::int64_t>(0, part.low[k] - margin);
    last[k] = std::min(image.grid.size()[k] - 1, part.high[k] + margin);
  }
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t z = first[2]; z <= last[2]; ++z)
    for (std::int64_t y = first[1]; y <= last[1]; ++y)
      for (std::int64_t x = first[0]; x <= last[0]; ++x)
        if (mask.at(x, y, z) == 0) {
          sum += static_cast<double>(image.at(x, y, z));
          ++count;
        }
  return count > 0 ? sum / static_cast<double>(count) : part.inside / static_cast<double>(part.voxels);
}

/// Size counts most (a ball of 5 mm half), then how much brighter it is: no probability.
double score_of(double across_mm, double inside, double outside) {
  const double brighter = outside > 0 ? std::clamp(inside / outside - 1, 0.0, 1.0) : 0.5;
  return across_mm / (across_mm + 5) * (0.5 + 0.5 * brighter);
}

class MrWhiteMatterLesionFindings final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    const LabelMap& labels = request.need<LabelMap>("labels");
    Answer answer;
    const Volume<float> flair = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    if (!labels.grid().same_as(flair.grid()))
      throw Error(Code::bad_input, card_.id + ": the labels do not lie on the image's grid");
    answer.artifacts.push_back({"findings", findings(flair.view(), labels)});
    return answer;
  }

 private:
  static Findings findings(VolumeView<const float> flair, const LabelMap& labels) {
    Volume<std::uint8_t> mask(flair.grid);
    std::transform(labels.layers.front().voxels().begin(), labels.layers.front().voxels().end(), mask.voxels().begin(),
                   [](std::uint16_t v) -> std::uint8_t { return v != 0 ? 1 : 0; });
    const auto view = std::as_const(mask).view();
    Findings found;
    for (const Part& part : parts_of(connected_components(view, Connectivity::corners), flair))
      found.push_back(finding(part, flair, view));
    std::stable_sort(found.begin(), found.end(), [](const Finding& a, const Finding& b) { return a.score > b.score; });
    return found;
  }

  static Finding finding(const Part& part, VolumeView<const float> flair, VolumeView<const std::uint8_t> mask) {
    const Grid& grid = flair.grid;
    const auto n = static_cast<double>(part.voxels);
    const double across = std::cbrt(6 * n * grid.voxel_volume_ml() * 1000 / 3.141592653589793);
    Finding f;
    f.label = "white matter lesion";
    f.centre = grid.to_patient({part.sum[0] / n, part.sum[1] / n, part.sum[2] / n});
    f.size = across;
    f.score = score_of(across, part.inside / n, surroundings(part, flair, mask));
    std::array<double, 3> low{1e30, 1e30, 1e30}, high{-1e30, -1e30, -1e30};
    for (int corner = 0; corner < 8; ++corner) {
      const auto at = [&](std::size_t k) {
        return ((corner >> k) & 1) != 0 ? static_cast<double>(part.high[k]) + 0.5 : static_cast<double>(part.low[k]) - 0.5;
      };
      const PatientPoint p = grid.to_patient({at(0), at(1), at(2)});
      const std::array<double, 3> v{p.x, p.y, p.z};
      for (std::size_t k = 0; k < 3; ++k) {
        low[k] = std::min(low[k], v[k]);
        high[k] = std::max(high[k], v[k]);
      }
    }
    f.box = {low[0], low[1], low[2], high[0], high[1], high[2]};
    return f;
  }

  Card card_ = built_in_card("detection/mr.white_matter_lesion");
};

}  // namespace

MethodPtr make_detection_mr_white_matter_lesion();
MethodPtr make_detection_mr_white_matter_lesion() { return std::make_unique<MrWhiteMatterLesionFindings>(); }

}  // namespace penta
