#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recon/phantom/solid.h"
#include "recon/phantom/tissue.h"

namespace penta::recon {

struct Part {
  Tissue tissue = Tissue::muscle;
  Solid solid;
};

/// A drawn trunk: solids painted one over the other, the later over the earlier. LPS mm; z = 0 at the diaphragm, the
/// body's long axis at x = y = 0. It is a drawing with adult proportions, not a person's anatomy.
struct Patient {
  std::uint64_t seed = 0;
  double weight_kg = 70, height_m = 1.7, age_years = 60;
  char sex = 'F';
  std::vector<Part> parts;
};

/// The patient of a seed: sizes and places of all organs vary about an adult's. `lesions` balls of 6 to 14 mm radius lie in
/// lungs and liver. The same seed gives the same body whatever the number of lesions.
[[nodiscard]] Patient digital_patient(std::uint64_t seed, int lesions = 0);

/// The tissue at a place; none in the air around.
[[nodiscard]] std::optional<Tissue> tissue_at(const Patient& patient, const PatientPoint& point) noexcept;

}  // namespace penta::recon
