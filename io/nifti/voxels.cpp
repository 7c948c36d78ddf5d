#include "io/nifti/voxels.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "io/nifti/plan.h"

namespace penta::io::nifti {

namespace {

constexpr std::int64_t grain = 1 << 18;

struct Source {
  std::span<const std::byte> data;  ///< of one volume
  bool swapped;
};

/// Stored numbers of type S through `change` into voxels of type T.
template <class S, class T, class Change>
void fill(Volume<T>& volume, const Source& source, Change change) {
  const std::span<T> out = volume.voxels();
  parallel_for(volume.grid().count(), grain, [&](std::int64_t first, std::int64_t last) {
    const std::byte* at = source.data.data() + static_cast<std::size_t>(first) * sizeof(S);
    if (source.swapped)
      for (std::int64_t i = first; i < last; ++i, at += sizeof(S))
        out[static_cast<std::size_t>(i)] = change(load<S>(at, true));
    else
      for (std::int64_t i = first; i < last; ++i, at += sizeof(S))
        out[static_cast<std::size_t>(i)] = change(load<S>(at, false));
  });
}

/// The same bytes, which is all where nothing changes.
template <class T>
void copy(Volume<T>& volume, std::span<const std::byte> data) {
  const std::span<std::byte> out = std::as_writable_bytes(volume.voxels());
  parallel_for(static_cast<std::int64_t>(out.size()), 8 * grain, [&](std::int64_t first, std::int64_t last) {
    std::memcpy(out.data() + first, data.data() + first, static_cast<std::size_t>(last - first));
  });
}

template <class S, class T>
void real_into(Volume<T>& volume, const Source& source, const Plan& plan) {
  if (!plan.scaled) {
    if constexpr (std::is_same_v<S, T>)
      if (!source.swapped || sizeof(S) == 1) return copy(volume, source.data);
    return fill<S>(volume, source, [](S v) { return static_cast<T>(v); });
  }
  if constexpr (std::is_same_v<T, float>) {
    fill<S>(volume, source,
            [&plan](S v) { return static_cast<float>(static_cast<double>(v) * plan.slope + plan.intercept); });
  } else {
    // Whole and within int32 by the plan; float64 holds every step of it exactly.
    fill<S>(volume, source,
            [&plan](S v) { return static_cast<T>(static_cast<double>(v) * plan.slope + plan.intercept); });
  }
}

template <class S>
void real(AnyVolume& volume, const Source& source, const Plan& plan) {
  std::visit(
      [&](auto& out) {
        using T = std::decay_t<decltype(out.voxels()[0])>;
        if constexpr (std::is_arithmetic_v<T>) real_into<S>(out, source, plan);
      },
      volume);
}

template <class Part>
void complex(Volume<std::complex<float>>& volume, const Source& source, const Plan& plan) {
  if constexpr (std::is_same_v<Part, float>)
    if (!plan.scaled && !source.swapped) return copy(volume, source.data);
  const auto out = volume.voxels();
  parallel_for(volume.grid().count(), grain, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const std::byte* at = source.data.data() + 2 * i * sizeof(Part);
      const Part re = load<Part>(at, source.swapped), im = load<Part>(at + sizeof(Part), source.swapped);
      // nifti1.h: the intercept is added to the real part and to the imaginary part.
      if (plan.scaled)
        out[i] = {static_cast<float>(static_cast<double>(re) * plan.slope + plan.intercept),
                  static_cast<float>(static_cast<double>(im) * plan.slope + plan.intercept)};
      else
        out[i] = {static_cast<float>(re), static_cast<float>(im)};
    }
  });
}

void colour_with_alpha(Volume<Rgb8>& volume, std::span<const std::byte> data) {
  const auto out = volume.voxels();
  for (std::size_t i = 0; i < out.size(); ++i) std::memcpy(&out[i], data.data() + 4 * i, 3);
}

void bits(Volume<std::uint8_t>& volume, std::span<const std::byte> data, std::size_t first_bit) {
  const auto out = volume.voxels();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t bit = first_bit + i;
    out[i] = std::to_integer<std::uint8_t>(data[bit / 8] >> (bit % 8) & std::byte{1});
  }
}

AnyVolume made(Target target, const Grid& grid) {
  switch (target) {
    case Target::u8:
      return Volume<std::uint8_t>(grid);
    case Target::i16:
      return Volume<std::int16_t>(grid);
    case Target::u16:
      return Volume<std::uint16_t>(grid);
    case Target::i32:
      return Volume<std::int32_t>(grid);
    case Target::f32:
      return Volume<float>(grid);
    case Target::c64:
      return Volume<std::complex<float>>(grid);
    case Target::rgb8:
      return Volume<Rgb8>(grid);
  }
  throw Error(Code::internal, "a voxel type without a volume");
}

void decode_one(Datatype type, AnyVolume& volume, const Source& source, const Plan& plan) {
  switch (type) {
    case Datatype::u8:
      return real<std::uint8_t>(volume, source, plan);
    case Datatype::i8:
      return real<std::int8_t>(volume, source, plan);
    case Datatype::i16:
      return real<std::int16_t>(volume, source, plan);
    case Datatype::u16:
      return real<std::uint16_t>(volume, source, plan);
    case Datatype::i32:
      return real<std::int32_t>(volume, source, plan);
    case Datatype::u32:
      return real<std::uint32_t>(volume, source, plan);
    case Datatype::i64:
      return real<std::int64_t>(volume, source, plan);
    case Datatype::u64:
      return real<std::uint64_t>(volume, source, plan);
    case Datatype::f32:
      return real<float>(volume, source, plan);
    case Datatype::f64:
      return real<double>(volume, source, plan);
    case Datatype::c64:
      return complex<float>(std::get<Volume<std::complex<float>>>(volume), source, plan);
    case Datatype::c128:
      return complex<double>(std::get<Volume<std::complex<float>>>(volume), source, plan);
    case Datatype::rgb24:
      return copy(std::get<Volume<Rgb8>>(volume), source.data);
    case Datatype::rgba32:
      return colour_with_alpha(std::get<Volume<Rgb8>>(volume), source.data);
    case Datatype::binary:
      break;  // volumes do not start at whole bytes
  }
  throw Error(Code::internal, "a NIfTI datatype without a decoder");
}

void say_alpha(std::span<const std::byte> data, std::vector<Remark>& remarks) {
  for (std::size_t i = 3; i < data.size(); i += 4)
    if (data[i] != std::byte{255}) {
      remarks.push_back({Severity::warning, "alpha_dropped", "the alpha of RGBA voxels, not all 255, was dropped"});
      return;
    }
}

}  // namespace

std::vector<AnyVolume> room_for(const Header& header, const Grid& grid) {
  std::vector<Remark> unsaid;
  Plan plan = scaling_of(header, unsaid);
  std::vector<AnyVolume> room;
  // float32 stays float32 whatever its values are; they are only looked through for what is not finite.
  const bool decided = decided_by_type(header.datatype, plan) || header.datatype == Datatype::f32;
  for (std::int64_t t = 0; decided && t < header.dim[4]; ++t) room.push_back(made(plan.target, grid));
  return room;
}

std::vector<AnyVolume> decode(const Header& header, const Grid& grid, std::span<const std::byte> data,
                              std::vector<Remark>& remarks, std::vector<AnyVolume> room) {
  const Plan plan = make_plan(header, data, remarks);
  if (header.datatype == Datatype::rgba32) say_alpha(data, remarks);
  const auto count = static_cast<std::size_t>(header.dim[4]);
  if (room.empty())
    for (std::size_t t = 0; t < count; ++t) room.push_back(made(plan.target, grid));
  const std::size_t one = data.size() / count, voxels = static_cast<std::size_t>(grid.count());
  for (std::size_t t = 0; t < count; ++t) {
    if (header.datatype == Datatype::binary)
      bits(std::get<Volume<std::uint8_t>>(room[t]), data, t * voxels);
    else
      decode_one(header.datatype, room[t], {data.subspan(t * one, one), header.swapped}, plan);
  }
  return room;
}

}  // namespace penta::io::nifti
