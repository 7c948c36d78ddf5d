#include "io/nifti/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/parallel.h"

namespace penta::io::nifti {

namespace {

constexpr std::int64_t grain = 1 << 18;

/// What the stored numbers are, or those of one piece.
template <class S>
struct Survey {
  S low = std::numeric_limits<S>::max(), high = std::numeric_limits<S>::lowest();
  bool finite = true;  ///< no NaN, no infinity
  bool exact = true;   ///< float32 holds every finite one
  bool whole = true;   ///< whole numbers, each in the range of int32

  void add(S value) noexcept {
    if constexpr (std::is_floating_point_v<S>) {
      if (!std::isfinite(value)) {
        finite = false;
        return;
      }
      if constexpr (sizeof(S) > 4) {
        exact = exact && static_cast<S>(static_cast<float>(value)) == value;
        whole = whole && value == std::trunc(value) && value >= -2147483648.0 && value <= 2147483647.0;
      }
    } else {
      low = std::min(low, value);
      high = std::max(high, value);
      // A float32 of 2^63 or more does not come back into the integer type; it is a whole number of itself.
      const auto near = static_cast<float>(value);
      exact = exact && static_cast<long double>(near) == static_cast<long double>(value);
    }
  }
  void add(const Survey& other) noexcept {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
    finite = finite && other.finite;
    exact = exact && other.exact;
    whole = whole && other.whole;
  }
};

/// How far float32 is from the numbers meant.
struct Loss {
  double error = 0;
  std::int64_t beyond = 0;  ///< finite ones beyond the range of float32

  void add(long double meant) noexcept {
    if (!std::isfinite(meant)) return;
    const auto kept = static_cast<float>(meant);
    if (!std::isfinite(kept))
      ++beyond;
    else
      error = std::max(error, static_cast<double>(std::abs(meant - static_cast<long double>(kept))));
  }
  void add(const Loss& other) noexcept {
    error = std::max(error, other.error);
    beyond += other.beyond;
  }
};

/// Adds up `each(sum, stored number)` over fixed pieces.
template <class S, class Sum, class Each>
Sum over(std::span<const std::byte> data, bool swapped, Each each) {
  const auto count = static_cast<std::int64_t>(data.size() / sizeof(S));
  std::vector<Sum> pieces(static_cast<std::size_t>((count + grain - 1) / grain));
  parallel_for(count, grain, [&](std::int64_t first, std::int64_t last) {
    Sum sum;
    const std::byte* at = data.data() + static_cast<std::size_t>(first) * sizeof(S);
    for (std::int64_t i = first; i < last; ++i, at += sizeof(S)) each(sum, load<S>(at, swapped));
    pieces[static_cast<std::size_t>(first / grain)] = sum;
  });
  Sum all;
  for (const Sum& piece : pieces) all.add(piece);
  return all;
}

template <class S>
Survey<S> survey(std::span<const std::byte> data, bool swapped) {
  return over<S, Survey<S>>(data, swapped, [](Survey<S>& sum, S value) { sum.add(value); });
}

template <class S>
Loss loss_of(std::span<const std::byte> data, bool swapped, const Plan& plan) {
  if (!plan.scaled)
    return over<S, Loss>(data, swapped, [](Loss& sum, S value) { sum.add(static_cast<long double>(value)); });
  return over<S, Loss>(data, swapped, [&plan](Loss& sum, S value) {
    sum.add(static_cast<double>(value) * plan.slope + plan.intercept);
  });
}

void say_loss(const Loss& loss, const std::string& what, std::vector<Remark>& remarks) {
  std::array<char, 32> error{};
  std::snprintf(error.data(), error.size(), "%.3g", loss.error);
  remarks.push_back({Severity::note, "precision_lost", what + "; the largest error is " + error.data()});
  if (loss.beyond > 0)
    remarks.push_back({Severity::warning, "range_lost",
                       std::to_string(loss.beyond) + " values beyond the range of float32 became infinite"});
}

std::string name_of(Datatype datatype) {
  switch (datatype) {
    case Datatype::u32:
      return "uint32";
    case Datatype::i64:
      return "int64";
    case Datatype::u64:
      return "uint64";
    case Datatype::f64:
      return "float64";
    case Datatype::c128:
      return "complex128";
    default:
      return "";
  }
}

template <class T>
bool holds(double low, double high) noexcept {
  return low >= static_cast<double>(std::numeric_limits<T>::lowest()) &&
         high <= static_cast<double>(std::numeric_limits<T>::max());
}

/// Where slope and intercept are whole: the first type that holds the results, the stored one before others.
template <class S>
std::optional<Target> whole_target(const Survey<S>& found, const Plan& plan) noexcept {
  // Far below 2^53, so that the products below are exact wherever the result fits int32.
  constexpr double whole_max = 1LL << 40;
  const auto is_whole = [](double v) { return v == std::trunc(v) && std::abs(v) <= whole_max; };
  if (!is_whole(plan.slope) || !is_whole(plan.intercept)) return std::nullopt;
  const double a = static_cast<double>(found.low) * plan.slope + plan.intercept;
  const double b = static_cast<double>(found.high) * plan.slope + plan.intercept;
  const double low = std::min(a, b), high = std::max(a, b);
  if constexpr (std::is_same_v<S, std::uint8_t>)
    if (holds<std::uint8_t>(low, high)) return Target::u8;
  if constexpr (std::is_same_v<S, std::uint16_t>)
    if (holds<std::uint16_t>(low, high)) return Target::u16;
  if constexpr (sizeof(S) < 4) {
    if (holds<std::int16_t>(low, high)) return Target::i16;
    if (holds<std::uint16_t>(low, high)) return Target::u16;
  }
  return holds<std::int32_t>(low, high) ? std::optional(Target::i32) : std::nullopt;
}

template <class S>
void plan_scaled(const Header& h, std::span<const std::byte> data, Plan& plan, std::vector<Remark>& remarks) {
  if constexpr (std::is_integral_v<S>) {
    if (const auto target = whole_target(survey<S>(data, h.swapped), plan)) {
      plan.target = *target;
      return;
    }
    // 16 bits and their scale fit the 24 digits of float32 as well as any number type: nothing to say.
    if (sizeof(S) <= 2) return;
  }
  const Loss loss = loss_of<S>(data, h.swapped, plan);
  if (loss.error > 0 || loss.beyond > 0) say_loss(loss, "scaled values became float32", remarks);
}

template <class S>
void plan_unscaled(const Header& h, std::span<const std::byte> data, Plan& plan, std::vector<Remark>& remarks) {
  const Survey<S> found = survey<S>(data, h.swapped);
  if (!found.finite) remarks.push_back({Severity::note, "values_not_finite", "some voxels are NaN or infinite"});
  if constexpr (std::is_integral_v<S>) {
    if (std::in_range<std::int32_t>(found.low) && std::in_range<std::int32_t>(found.high)) {
      plan.target = Target::i32;
      return;
    }
  } else if (!found.exact && found.whole && found.finite) {
    plan.target = Target::i32;
    return;
  }
  if (!found.exact)
    say_loss(loss_of<S>(data, h.swapped, plan), name_of(h.datatype) + " values became float32", remarks);
}

template <class S>
void plan_for(const Header& h, std::span<const std::byte> data, Plan& plan, std::vector<Remark>& remarks) {
  if (plan.scaled)
    plan_scaled<S>(h, data, plan, remarks);
  else
    plan_unscaled<S>(h, data, plan, remarks);
}

void plan_by_values(const Header& h, std::span<const std::byte> data, Plan& plan, std::vector<Remark>& remarks) {
  switch (h.datatype) {
    case Datatype::u8:
      return plan_for<std::uint8_t>(h, data, plan, remarks);
    case Datatype::i8:
      return plan_for<std::int8_t>(h, data, plan, remarks);
    case Datatype::i16:
      return plan_for<std::int16_t>(h, data, plan, remarks);
    case Datatype::u16:
      return plan_for<std::uint16_t>(h, data, plan, remarks);
    case Datatype::i32:
      return plan_for<std::int32_t>(h, data, plan, remarks);
    case Datatype::u32:
      return plan_for<std::uint32_t>(h, data, plan, remarks);
    case Datatype::i64:
      return plan_for<std::int64_t>(h, data, plan, remarks);
    case Datatype::u64:
      return plan_for<std::uint64_t>(h, data, plan, remarks);
    case Datatype::f32:
      return plan_for<float>(h, data, plan, remarks);
    case Datatype::f64:
      return plan_for<double>(h, data, plan, remarks);
    case Datatype::c128:
      plan.target = Target::c64;
      return say_loss(loss_of<double>(data, h.swapped, plan), "complex128 values became complex64", remarks);
    default:
      break;
  }
}

}  // namespace

Plan scaling_of(const Header& h, std::vector<Remark>& remarks) {
  Plan plan;
  const bool number = h.datatype != Datatype::rgb24 && h.datatype != Datatype::rgba32 && h.datatype != Datatype::binary;
  if (!std::isfinite(h.slope) || !std::isfinite(h.intercept)) {
    remarks.push_back({Severity::warning, "scaling_not_finite",
                       "scl_slope or scl_inter is not finite: stored values are taken as they are"});
  } else if (h.slope != 0 && !(h.slope == 1 && h.intercept == 0) && number) {
    plan.scaled = true;
    plan.slope = h.slope;
    plan.intercept = h.intercept;
  }
  return plan;
}

bool decided_by_type(Datatype datatype, Plan& plan) noexcept {
  const auto decide = [&](Target target) {
    plan.target = target;
    return true;
  };
  if (datatype == Datatype::c64) return decide(Target::c64);
  if (plan.scaled) return false;
  switch (datatype) {
    case Datatype::binary:
    case Datatype::u8:
      return decide(Target::u8);
    case Datatype::i8:
    case Datatype::i16:
      return decide(Target::i16);
    case Datatype::u16:
      return decide(Target::u16);
    case Datatype::i32:
      return decide(Target::i32);
    case Datatype::rgb24:
    case Datatype::rgba32:
      return decide(Target::rgb8);
    default:
      return false;
  }
}

Plan make_plan(const Header& header, std::span<const std::byte> data, std::vector<Remark>& remarks) {
  Plan plan = scaling_of(header, remarks);
  if (!decided_by_type(header.datatype, plan)) plan_by_values(header, data, plan, remarks);
  return plan;
}

}  // namespace penta::io::nifti
