#pragma once

#include <string>

#include "core/acquisition.h"

namespace penta::mr {

/// What a series is weighted by, from its header's timing and sequence, never from its description:
/// "T1", "T2", "PD", "FLAIR", "STIR", "T2*", "EPI", "diffusion", "TOF", "cine", or "" where the header does not say enough
/// or says two things. `why` tells the rule and the numbers.
struct Sequence {
  std::string name, why;
};
[[nodiscard]] Sequence classify(const MrFacts& facts, const std::string& image_type);

}  // namespace penta::mr

namespace penta {

/// mr::classify's name for an MR acquisition; "" for others.
[[nodiscard]] std::string sequence_from_header(const Acquisition& acquisition);

}  // namespace penta
