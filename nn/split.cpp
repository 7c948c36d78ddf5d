#include "nn/split.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"

namespace penta::nn {

namespace {

int class_named(const Json& json, const char* side, const std::vector<std::string>& classes) {
  const std::string name = json.at(side).text();
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found == classes.end() || found == classes.begin())
    throw Error(Code::bad_input, "reading a card: 'network.split' names '" + name + "', which is no class of its output but background");
  return static_cast<int>(found - classes.begin());
}

double log_sum(double a, double b) { return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b))); }

/// Background, and the two classes together.
Logits joined(const Logits& logits, const PlaneSplit& split) {
  const auto count = static_cast<std::size_t>(logits.grid.count());
  Logits out{logits.grid, 2, {logits.values.begin(), logits.values.begin() + static_cast<std::ptrdiff_t>(count)}};
  out.values.resize(2 * count);
  const float *a = logits.of_class(split.low), *b = logits.of_class(split.high);
  for (std::size_t i = 0; i < count; ++i)
    out.values[count + i] = static_cast<float>(log_sum(static_cast<double>(a[i]), static_cast<double>(b[i])));
  return out;
}

}  // namespace

PlaneSplit plane_split_from(const Json& json, const std::vector<std::string>& classes) {
  const std::string axis = json.at("axis").text();
  const std::size_t at = std::string("xyz").find(axis);
  if (axis.size() != 1 || at == std::string::npos)
    throw Error(Code::bad_input, "reading a card: 'network.split.axis' is x, y or z, not '" + axis + "'");
  return {at, class_named(json, "low", classes), class_named(json, "high", classes)};
}

std::int64_t split_at(const Logits& logits, const PlaneSplit& split) {
  Logits likely{logits.grid, logits.classes, logits.values};
  to_probabilities(likely);
  const Size3& size = logits.grid.size();
  std::vector<double> high_less_low(static_cast<std::size_t>(size[split.axis]));
  const float *low = likely.of_class(split.low), *high = likely.of_class(split.high);
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const std::int64_t i = logits.grid.offset(x, y, z);
        const Size3 at{x, y, z};
        high_less_low[static_cast<std::size_t>(at[split.axis])] += static_cast<double>(high[i]) - static_cast<double>(low[i]);
      }
  double gain = 0, best = 0;  // of a plane before index k, beside one before all
  std::int64_t first = 0;
  for (std::size_t k = 0; k < high_less_low.size(); ++k)
    if (gain -= high_less_low[k]; gain > best) {
      best = gain;
      first = static_cast<std::int64_t>(k) + 1;
    }
  return first;
}

Volume<std::uint16_t> labels_split(const Logits& logits, const PlaneSplit& split, const Grid& grid) {
  Volume<std::uint16_t> labels = labels_on(joined(logits, split), grid);
  const double plane = static_cast<double>(split_at(logits, split)) - 0.5;
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x) {
        std::uint16_t& label = labels.at(x, y, z);
        if (label == 0) continue;
        const PatientPoint p = grid.to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        const IndexPoint seen = logits.grid.to_index(p);
        const Vector3 at{seen.x, seen.y, seen.z};
        label = static_cast<std::uint16_t>(at[split.axis] > plane ? split.high : split.low);
      }
  return labels;
}

}  // namespace penta::nn
