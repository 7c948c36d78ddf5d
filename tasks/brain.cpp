#include "tasks/brain.h"

#include <algorithm>

#include "nn/logits.h"
#include "nn/preprocess.h"

namespace penta {

float value_at_share(std::span<const float> values, double share) {
  std::vector<float> sorted(values.begin(), values.end());
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

std::vector<std::string> brain_classes(const nn::ModelStore& models, const std::string& output) {
  std::vector<std::string> names;
  for (const Json& name : models.need("mr.brain").card.whole.at("network").at("heads").at(output).items())
    names.push_back(name.text());
  return names;
}

Volume<std::uint16_t> brain_labels(const nn::ModelStore& models, const Volume<float>& t1, const std::string& output,
                                   const Grid& grid) {
  constexpr double air_share = 0.10;  // of the 99th percentile: what is below is taken for air
  constexpr double head_margin_mm = 8;
  const nn::Bundle& bundle = models.need("mr.brain");
  nn::NetworkSpec spec = bundle.network;
  const double air = air_share * static_cast<double>(value_at_share(t1.voxels(), 0.99));
  spec.input.body_box = nn::BodyBox{nn::BodyBox::Kind::above, air, head_margin_mm};
  spec.classes = brain_classes(models, output);
  spec.outputs.logits = output;
  const Volume<float> seen = nn::prepared(t1.view(), spec.input);
  return nn::labels_on(nn::infer(models.network(bundle), seen.view(), spec), grid);
}

}  // namespace penta
