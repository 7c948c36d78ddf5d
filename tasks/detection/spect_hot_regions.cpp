#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "core/image.h"
#include "image/components/components.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

// Four digits, whatever the locale.
std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4).ptr;
  return {text.data(), end};
}

struct HotRegion {
  double counts = 0, maximum = 0;
  double weight[3] = {0, 0, 0};  ///< sum of value x index
  std::int64_t voxels = 0;
  std::array<std::int64_t, 3> low{1LL << 40, 1LL << 40, 1LL << 40}, high{-1, -1, -1};
};

void add_run(HotRegion& region, const Run& run, VolumeView<const float> image) {
  const std::array<std::int64_t, 3> first{run.first_x, run.y, run.z}, last{run.last_x, run.y, run.z};
  for (std::size_t k = 0; k < 3; ++k) {
    region.low[k] = std::min(region.low[k], first[k]);
    region.high[k] = std::max(region.high[k], last[k]);
  }
  region.voxels += run.length();
  for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
    const auto value = static_cast<double>(image.at(x, run.y, run.z));
    region.counts += value;
    region.maximum = std::max(region.maximum, value);
    region.weight[0] += value * static_cast<double>(x);
    region.weight[1] += value * static_cast<double>(run.y);
    region.weight[2] += value * static_cast<double>(run.z);
  }
}

std::vector<HotRegion> regions_above(VolumeView<const float> image, double threshold) {
  Volume<std::uint8_t> mask(image.grid);
  std::transform(image.voxels.begin(), image.voxels.end(), mask.voxels().begin(),
                 [&](float value) -> std::uint8_t { return std::isfinite(value) && static_cast<double>(value) >= threshold ? 1 : 0; });
  const Components components = connected_components(mask.view(), Connectivity::faces);
  std::vector<HotRegion> regions(components.sizes.size());
  for (const Run& run : components.runs) add_run(regions[static_cast<std::size_t>(run.component - 1)], run, image);
  return regions;
}

/// A fraction of the maximum, or so many standard deviations above the mean of what is not empty; of finite values.
double threshold_of(std::span<const float> values, const Params& params) {
  double maximum = -std::numeric_limits<double>::infinity();
  for (const float value : values)
    if (std::isfinite(value)) maximum = std::max(maximum, static_cast<double>(value));
  if (params.text("threshold") == "maximum") return params.number("fraction") * maximum;
  double sum = 0, square = 0, count = 0;
  for (const float value : values)
    if (value > 0 && std::isfinite(value)) {
      sum += static_cast<double>(value);
      square += static_cast<double>(value) * static_cast<double>(value);
      ++count;
    }
  const double mean = sum / std::max(count, 1.0);
  return mean + params.number("deviations") * std::sqrt(std::max(0.0, square / std::max(count, 1.0) - mean * mean));
}

Finding finding_of(const HotRegion& region, const Grid& grid, const std::string& name, double highest) {
  Finding finding;
  finding.label = name;
  finding.score = region.maximum / highest;
  finding.centre = grid.to_patient(
      {region.weight[0] / region.counts, region.weight[1] / region.counts, region.weight[2] / region.counts});
  // From voxel edge to voxel edge, along the patient's axes.
  const std::array<double, 3> low{static_cast<double>(region.low[0]) - 0.5, static_cast<double>(region.low[1]) - 0.5,
                                  static_cast<double>(region.low[2]) - 0.5};
  const std::array<double, 3> high{static_cast<double>(region.high[0]) + 0.5, static_cast<double>(region.high[1]) + 0.5,
                                   static_cast<double>(region.high[2]) + 0.5};
  finding.box = {1e300, 1e300, 1e300, -1e300, -1e300, -1e300};
  for (unsigned corner = 0; corner < 8; ++corner) {
    const PatientPoint p = grid.to_patient({(corner & 1U) != 0 ? high[0] : low[0], (corner & 2U) != 0 ? high[1] : low[1],
                                            (corner & 4U) != 0 ? high[2] : low[2]});
    const std::array<double, 3> at{p.x, p.y, p.z};
    for (std::size_t k = 0; k < 3; ++k) {
      finding.box[k] = std::min(finding.box[k], at[k]);
      finding.box[k + 3] = std::max(finding.box[k + 3], at[k]);
    }
  }
  for (std::size_t k = 0; k < 3; ++k) finding.size = std::max(finding.size, (high[k] - low[k]) * grid.spacing_mm()[k]);
  return finding;
}

Volume<float> summed(const Image& image) {
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  if (volumes == nullptr || volumes->empty())
    throw Error(Code::bad_input, "spect.hot_regions needs a volume, and this is " + image.shape_text());
  Volume<float> sum = to_float(volumes->front());
  for (std::size_t k = 1; k < volumes->size(); ++k) {
    const Volume<float> next = to_float((*volumes)[k]);
    std::transform(sum.voxels().begin(), sum.voxels().end(), next.voxels().begin(), sum.voxels().begin(), std::plus<>());
  }
  return sum;
}

void say_what_is_not_finite(std::span<const float> values, std::vector<Remark>& remarks) {
  const std::int64_t count = count_non_finite(values);
  if (count == static_cast<std::int64_t>(values.size()))
    throw Error(Code::bad_input, "spect.hot_regions: no voxel of the image holds a finite value");
  say_non_finite(count, "of the image", "left out of every region", remarks);
}

/// The regions that are large enough, hottest first and no more than asked for. Says why there is none, or more.
std::vector<HotRegion> hottest(VolumeView<const float> image, double threshold, const Params& params,
                               std::vector<Remark>& remarks) {
  std::vector<HotRegion> regions;
  if (threshold > 0) regions = regions_above(image, threshold);
  const std::size_t found = regions.size();
  const double voxel_ml = image.grid.voxel_volume_ml(), minimum_ml = params.number("minimum_ml");
  std::erase_if(regions, [&](const HotRegion& r) { return static_cast<double>(r.voxels) * voxel_ml < minimum_ml; });
  std::stable_sort(regions.begin(), regions.end(), [](const auto& a, const auto& b) { return a.maximum > b.maximum; });
  const auto most = static_cast<std::size_t>(params.integer("most"));
  if (found == 0) {
    remarks.push_back({Severity::note, "no_hot_region", "nothing lies above the threshold"});
  } else if (regions.empty()) {
    remarks.push_back({Severity::note, "no_hot_region", "only regions below minimum_ml (" + short_number(minimum_ml) +
                       " mL) lie above the threshold: " + std::to_string(found)});
  } else if (regions.size() > most) {
    remarks.push_back({Severity::note, "more_hot_regions", std::to_string(regions.size()) +
                      " hot regions were found; the " + std::to_string(most) + " hottest are listed"});
    regions.resize(most);
  }
  return regions;
}

class SpectHotRegions final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    const Volume<float> volume = summed(image);
    Answer answer;
    say_what_is_not_finite(volume.voxels(), answer.remarks);
    const double threshold = threshold_of(volume.voxels(), request.params);
    const std::string unit = image.unit.empty() ? "1" : image.unit;
    const double voxel_ml = volume.grid().voxel_volume_ml();
    const std::vector<HotRegion> regions = hottest(volume.view(), threshold, request.params, answer.remarks);
    Findings findings;
    Measurements measurements;
    for (std::size_t k = 0; k < regions.size(); ++k) {
      const std::string name = "hot region " + std::to_string(k + 1);
      findings.push_back(finding_of(regions[k], volume.grid(), name, regions.front().maximum));
      describe(regions[k], name, unit, voxel_ml, threshold, measurements);
    }
    answer.artifacts.push_back({"findings", std::move(findings)});
    answer.artifacts.push_back({"measurements", std::move(measurements)});
    return answer;
  }

 private:
  static void describe(const HotRegion& region, const std::string& name, const std::string& unit, double voxel_ml,
                       double threshold, Measurements& out) {
    const std::string where = "voxels >= " + short_number(threshold) + " " + unit;
    const double voxels = static_cast<double>(region.voxels);
    const auto add = [&](const std::string& what, double value, const std::string& in, const std::string& formula) {
      Measurement measurement;
      measurement.name = what;
      measurement.value = value;
      measurement.unit = in;
      measurement.region = name;
      measurement.formula = formula;
      out.push_back(std::move(measurement));
    };
    add(unit == "{counts}" ? "counts" : "sum", region.counts, unit, "sum over " + where);
    add("maximum", region.maximum, unit, "largest voxel");
    add("mean", region.counts / voxels, unit, "mean over " + where);
    add("volume", voxels * voxel_ml, "mL", "volume of " + where);
  }

  Card card_ = built_in_card("detection/spect.hot_regions");
};

}  // namespace

MethodPtr make_detection_spect_hot_regions();
MethodPtr make_detection_spect_hot_regions() { return std::make_unique<SpectHotRegions>(); }

}  // namespace penta
