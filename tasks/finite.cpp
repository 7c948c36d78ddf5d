#include "tasks/finite.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"

namespace penta {

std::int64_t count_non_finite(std::span<const float> values) noexcept {
  return std::count_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
}

std::int64_t replace_non_finite(std::span<float> values, const std::string& method) {
  const std::int64_t count = count_non_finite(values);
  if (count == 0) return 0;
  if (count == static_cast<std::int64_t>(values.size()))
    throw Error(Code::bad_input, method + ": no voxel of the image holds a finite value");
  float smallest = std::numeric_limits<float>::max();
  for (const float v : values)
    if (std::isfinite(v)) smallest = std::min(smallest, v);
  for (float& v : values)
    if (!std::isfinite(v)) v = smallest;
  return count;
}

void say_non_finite(std::int64_t count, const std::string& where, const std::string& done, std::vector<Remark>& remarks) {
  if (count == 0) return;
  remarks.push_back({Severity::warning, "non_finite_voxels",
                     std::to_string(count) + (count == 1 ? " voxel " : " voxels ") + where +
                         (count == 1 ? " is" : " are") + " not finite (NaN or infinite): " + done});
}

Volume<float> made_finite(Volume<float> volume, const std::string& method, std::vector<Remark>& remarks) {
  const std::int64_t count = replace_non_finite(volume.voxels(), method);
  say_non_finite(count, "of the image", "the smallest finite value is taken there", remarks);
  return volume;
}

}  // namespace penta
