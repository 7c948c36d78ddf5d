#pragma once

#include <string>

#include "core/acquisition.h"
#include "core/grid.h"

namespace penta::mr {

/// What a series is weighted by, from its header's timing and sequence, never from its description:
/// "T1", "T2", "PD", "FLAIR", "STIR", "T2*", "EPI", "diffusion", "TOF", "angiography", "cine", or "" where the header does not say enough
/// or says two things. `why` tells the rule and the numbers.
struct Sequence {
  std::string name, why;
};
[[nodiscard]] Sequence classify(const MrFacts& facts, const std::string& image_type);

/// How the slices of a volume lie: "axial", "coronal" or "sagittal" where the normal of the slices is within 20 degrees of
/// that patient axis, else "oblique". The slices are those across the axis of the coarsest spacing; "isotropic" where no
/// axis is coarser than the others by a tenth.
[[nodiscard]] std::string plane_of(const Grid& grid);

}  // namespace penta::mr

namespace penta {

/// mr::classify's name for an MR acquisition; "" for others.
[[nodiscard]] std::string sequence_from_header(const Acquisition& acquisition);

}  // namespace penta
