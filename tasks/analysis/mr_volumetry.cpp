#include <string>
#include <utility>

#include "tasks/methods.h"

namespace penta {

namespace {

/// Millilitres of each segment that has voxels, and of all together.
Measurements volumes_of(const LabelMap& labels) {
  Measurements all;
  double sum = 0;
  const auto add = [&](const std::string& region, Side side, double ml) {
    Measurement m;
    m.name = "volume";
    m.value = ml;
    m.unit = "mL";
    m.code = {"SCT", "118565006", "Volume"};
    m.region = region;
    m.side = side;
    m.formula = "number of voxels x volume of a voxel";
    all.push_back(std::move(m));
  };
  for (const Segment& segment : labels.segments) {
    const double ml = volume_ml(labels, segment);
    if (ml > 0) add(segment.name, segment.side, ml);
    sum += ml;
  }
  if (all.size() > 1) add("all segments", Side::none, sum);
  return all;
}

class MrVolumetry final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const LabelMap& labels = request.need<LabelMap>("labels");
    Answer answer;
    Measurements volumes = volumes_of(labels);
    if (volumes.empty())
      answer.remarks.push_back({Severity::warning, "empty_labels", "the label map has no labelled voxel"});
    answer.artifacts.push_back({"volumes", std::move(volumes)});
    return answer;
  }

 private:
  Card card_ = built_in_card("analysis/mr.volumetry");
};

}  // namespace

MethodPtr make_analysis_mr_volumetry();
MethodPtr make_analysis_mr_volumetry() { return std::make_unique<MrVolumetry>(); }

}  // namespace penta
