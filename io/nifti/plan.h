#pragma once

#include <span>
#include <vector>

#include "core/remark.h"
#include "core/volume.h"
#include "io/nifti/header.h"

namespace penta::io::nifti {

/// The voxel type that stored numbers become.
enum class Target { u8, i16, u16, i32, f32, c64, rgb8 };

/// How the stored numbers of a whole file become voxels: decided once, so that all volumes have one type.
struct Plan {
  Target target = Target::f32;
  bool scaled = false;
  double slope = 1, intercept = 0;
};

/// Whether slope and intercept change the stored numbers; a remark where they are not finite.
[[nodiscard]] Plan scaling_of(const Header& header, std::vector<Remark>& remarks);
/// True where the stored type alone decides the target, which is then set.
[[nodiscard]] bool decided_by_type(Datatype datatype, Plan& plan) noexcept;
/// Decides by the values; what is lost is a remark with the largest error. `data` holds all volumes.
[[nodiscard]] Plan make_plan(const Header& header, std::span<const std::byte> data, std::vector<Remark>& remarks);

}  // namespace penta::io::nifti
