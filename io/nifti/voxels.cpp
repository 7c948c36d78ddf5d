#include "io/nifti/voxels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"

namespace penta::io::nifti {

namespace {

constexpr std::int64_t grain = 1 << 18;

struct Source {
  std::span<const std::byte> data;  ///< of one time point
  bool swapped;
};

/// Stored numbers of type S through `change` into voxels of type T.
template <class S, Voxel T, class Change>
AnyVolume fill(const Grid& grid, const Source& source, Change change) {
  Volume<T> volume(grid);
  const std::span<T> out = volume.voxels();
  parallel_for(grid.count(), grain, [&](std::int64_t first, std::int64_t last) {
    const std::byte* at = source.data.data() + static_cast<std::size_t>(first) * sizeof(S);
    if (source.swapped)
      for (std::int64_t i = first; i < last; ++i, at += sizeof(S))
        out[static_cast<std::size_t>(i)] = change(load<S>(at, true));
    else
      for (std::int64_t i = first; i < last; ++i, at += sizeof(S))
        out[static_cast<std::size_t>(i)] = change(load<S>(at, false));
  });
  return volume;
}

/// How the stored numbers of a whole file become voxels: decided once, so that all time points have one type.
struct Plan {
  bool scaled = false;
  double slope = 1, intercept = 0;
  bool whole_fits = false;  ///< every stored number is a whole one in the range of int32
  bool exact = true;        ///< float32 holds every stored number
  bool finite = true;
};

template <class S>
void survey(std::span<const std::byte> data, bool swapped, Plan& plan) {
  const std::size_t count = data.size() / sizeof(S);
  S low = std::numeric_limits<S>::max(), high = std::numeric_limits<S>::lowest();
  for (std::size_t i = 0; i < count; ++i) {
    const S value = load<S>(data.data() + i * sizeof(S), swapped);
    if constexpr (std::is_floating_point_v<S>) {
      if (!std::isfinite(value))
        plan.finite = false;
      else if (static_cast<S>(static_cast<float>(value)) != value)
        plan.exact = false;
    } else {
      low = std::min(low, value);
      high = std::max(high, value);
      // 2^24: up to there float32 holds every whole number; beyond, ask the number itself.
      if (const auto f = static_cast<double>(static_cast<float>(value)); f != static_cast<double>(value))
        plan.exact = false;
    }
  }
  if constexpr (std::is_integral_v<S>)
    plan.whole_fits = std::cmp_greater_equal(low, std::numeric_limits<std::int32_t>::min()) &&
                      std::cmp_less_equal(high, std::numeric_limits<std::int32_t>::max());
}

Plan make_plan(const Header& h, std::span<const std::byte> data, std::vector<Remark>& remarks) {
  Plan plan;
  const bool colour = h.datatype == Datatype::rgb24 || h.datatype == Datatype::rgba32;
  if (!std::isfinite(h.slope) || !std::isfinite(h.intercept)) {
    remarks.push_back({Severity::warning, "scaling_not_finite",
                       "scl_slope or scl_inter is not finite: stored values are taken as they are"});
  } else if (h.slope != 0 && !(h.slope == 1 && h.intercept == 0) && !colour) {
    plan.scaled = true;
    plan.slope = h.slope;
    plan.intercept = h.intercept;
  }
  switch (h.datatype) {
    case Datatype::u32:
      survey<std::uint32_t>(data, h.swapped, plan);
      break;
    case Datatype::i64:
      survey<std::int64_t>(data, h.swapped, plan);
      break;
    case Datatype::u64:
      survey<std::uint64_t>(data, h.swapped, plan);
      break;
    case Datatype::f32:
      survey<float>(data, h.swapped, plan);
      break;
    case Datatype::f64:
      survey<double>(data, h.swapped, plan);
      break;
    default:
      break;
  }
  return plan;
}

template <class S>
AnyVolume real(const Grid& grid, const Source& source, const Plan& plan) {
  if (plan.scaled)
    return fill<S, float>(grid, source, [&plan](S v) {
      return static_cast<float>(static_cast<double>(v) * plan.slope + plan.intercept);
    });
  if constexpr (std::is_same_v<S, std::int8_t>)
    return fill<S, std::int16_t>(grid, source, [](S v) { return static_cast<std::int16_t>(v); });
  else if constexpr (std::is_same_v<S, std::uint32_t> || std::is_same_v<S, std::int64_t> ||
                     std::is_same_v<S, std::uint64_t>) {
    if (plan.whole_fits) return fill<S, std::int32_t>(grid, source, [](S v) { return static_cast<std::int32_t>(v); });
    return fill<S, float>(grid, source, [](S v) { return static_cast<float>(v); });
  } else if constexpr (std::is_same_v<S, double>)
    return fill<S, float>(grid, source, [](S v) { return static_cast<float>(v); });
  else
    return fill<S, S>(grid, source, [](S v) { return v; });
}

template <class Part>
AnyVolume complex(const Grid& grid, const Source& source, const Plan& plan) {
  Volume<std::complex<float>> volume(grid);
  const auto out = volume.voxels();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::byte* at = source.data.data() + 2 * i * sizeof(Part);
    const auto re = static_cast<double>(load<Part>(at, source.swapped));
    const auto im = static_cast<double>(load<Part>(at + sizeof(Part), source.swapped));
    // nifti1.h: the intercept is added to the real part and to the imaginary part.
    const double shift = plan.scaled ? plan.intercept : 0.0;
    out[i] = {static_cast<float>(re * plan.slope + shift), static_cast<float>(im * plan.slope + shift)};
  }
  return volume;
}

AnyVolume colour(const Grid& grid, const Source& source, std::size_t stride) {
  Volume<Rgb8> volume(grid);
  const auto out = volume.voxels();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::byte* at = source.data.data() + i * stride;
    out[i] = {std::to_integer<std::uint8_t>(at[0]), std::to_integer<std::uint8_t>(at[1]),
              std::to_integer<std::uint8_t>(at[2])};
  }
  return volume;
}

AnyVolume decode_one(Datatype type, const Grid& grid, const Source& source, const Plan& plan) {
  switch (type) {
    case Datatype::u8:
      return real<std::uint8_t>(grid, source, plan);
    case Datatype::i8:
      return real<std::int8_t>(grid, source, plan);
    case Datatype::i16:
      return real<std::int16_t>(grid, source, plan);
    case Datatype::u16:
      return real<std::uint16_t>(grid, source, plan);
    case Datatype::i32:
      return real<std::int32_t>(grid, source, plan);
    case Datatype::u32:
      return real<std::uint32_t>(grid, source, plan);
    case Datatype::i64:
      return real<std::int64_t>(grid, source, plan);
    case Datatype::u64:
      return real<std::uint64_t>(grid, source, plan);
    case Datatype::f32:
      return real<float>(grid, source, plan);
    case Datatype::f64:
      return real<double>(grid, source, plan);
    case Datatype::c64:
      return complex<float>(grid, source, plan);
    case Datatype::c128:
      return complex<double>(grid, source, plan);
    case Datatype::rgb24:
      return colour(grid, source, 3);
    case Datatype::rgba32:
      return colour(grid, source, 4);
  }
  throw Error(Code::internal, "a NIfTI datatype without a decoder");
}

void say_losses(const Header& h, const Plan& plan, std::vector<Remark>& remarks) {
  const auto say = [&](const char* code, const char* text) { remarks.push_back({Severity::note, code, text}); };
  const bool wide = h.datatype == Datatype::u32 || h.datatype == Datatype::i64 || h.datatype == Datatype::u64;
  if (wide && !plan.whole_fits && !plan.exact)
    say("precision_lost", "whole numbers beyond int32 became float32, and some do not fit it exactly");
  if (h.datatype == Datatype::f64 && !plan.exact && !plan.scaled)
    say("precision_lost", "float64 values became float32, and some do not fit it exactly");
  if (h.datatype == Datatype::c128) say("precision_lost", "complex128 values became complex64");
  if (h.datatype == Datatype::rgba32) say("alpha_dropped", "the alpha of RGBA voxels was dropped");
  if (!plan.finite) say("values_not_finite", "some voxels are NaN or infinite");
}

}  // namespace

std::vector<AnyVolume> decode(const Header& header, const Grid& grid, std::span<const std::byte> data,
                              std::vector<Remark>& remarks) {
  const Plan plan = make_plan(header, data, remarks);
  say_losses(header, plan, remarks);
  const std::size_t one = data.size() / static_cast<std::size_t>(header.dim[4]);
  std::vector<AnyVolume> volumes;
  for (std::size_t t = 0; t < static_cast<std::size_t>(header.dim[4]); ++t)
    volumes.push_back(decode_one(header.datatype, grid, {data.subspan(t * one, one), header.swapped}, plan));
  return volumes;
}

}  // namespace penta::io::nifti
