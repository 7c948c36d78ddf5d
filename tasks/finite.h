#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/remark.h"
#include "core/volume.h"

namespace penta {

/// Number of values that are NaN or infinite.
[[nodiscard]] std::int64_t count_non_finite(std::span<const float> values) noexcept;

/// Puts the smallest finite value in place of each NaN or infinite one; returns how many these were. `method` names who
/// asks. Throws Error{bad_input} where values has none that is finite.
[[nodiscard]] std::int64_t replace_non_finite(std::span<float> values, const std::string& method);

/// Warning remark 'non_finite_voxels': "<count> voxels <where> are not finite (NaN or infinite): <done>". None for 0.
void say_non_finite(std::int64_t count, const std::string& where, const std::string& done, std::vector<Remark>& remarks);

/// replace_non_finite over a volume, said in the remarks.
[[nodiscard]] Volume<float> made_finite(Volume<float> volume, const std::string& method, std::vector<Remark>& remarks);

}  // namespace penta
