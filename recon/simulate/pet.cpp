#include "recon/simulate/pet.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "core/random.h"
#include "image/smooth/gaussian.h"
#include "recon/phantom/voxelise.h"

namespace penta::recon {

namespace {

// White noise of a slice from a stream of its own, so that it does not depend on threads.
Volume<float> white_noise(const Grid& grid, std::uint64_t seed) {
  Volume<float> noise(grid);
  const std::int64_t slice = grid.size()[0] * grid.size()[1];
  parallel_for(grid.size()[2], 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t z = first; z < last; ++z) {
      Random random(seed, static_cast<std::uint64_t>(500000 + z));
      for (std::int64_t i = 0; i < slice; ++i) noise.voxels()[static_cast<std::size_t>(z * slice + i)] = static_cast<float>(random.normal());
    }
  });
  return noise;
}

double deviation(std::span<const float> values) noexcept {
  double square = 0;
  for (const float value : values) square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square / static_cast<double>(values.size()));
}

}  // namespace

Grid pet_grid(const PetProtocol& protocol) {
  const double half_mm = 63.5 * 4;
  return Grid({128, 128, protocol.slices}, {4, 4, 5}, {-half_mm, -half_mm, 200.0 - 5.0 * static_cast<double>(protocol.slices - 1)});
}

double pet_dose_bq(const Patient& patient, const PetProtocol& protocol) noexcept {
  return protocol.dose_bq > 0 ? protocol.dose_bq : std::round(3.5 * patient.weight_kg) * 1e6;
}

Volume<float> simulate_pet(const Patient& patient, const PetProtocol& protocol) {
  TissueValues suv{};
  for (std::size_t k = 0; k < tissue_count; ++k) suv[k] = row_of(static_cast<Tissue>(k)).suv;
  const Grid grid = pet_grid(protocol);
  const Volume<float> sharp = voxelise(patient, grid, suv, 0);
  Volume<float> image = gaussian_smoothed(sharp.view(), protocol.resolution_fwhm_mm);
  const Volume<float> white = white_noise(grid, patient.seed);
  const Volume<float> noise = gaussian_smoothed(white.view(), protocol.resolution_fwhm_mm * 0.9);

  const double decayed_bq = pet_dose_bq(patient, protocol) * std::exp2(-protocol.uptake_s / f18_half_life_s);
  const double bq_per_ml = decayed_bq / (patient.weight_kg * 1000);  // of SUV 1
  constexpr double usual_bq_per_ml = 3.5e3 * 0.68463;                // 3.5 MBq/kg after an hour
  const double liver_suv = row_of(Tissue::liver).suv;
  // Fewer counts: more noise, with the root. Deep bodies are not modelled.
  const double level = 0.10 * liver_suv * std::sqrt(usual_bq_per_ml * 150 / (bq_per_ml * protocol.bed_s)) / deviation(noise.voxels());
  for (std::size_t i = 0; i < image.voxels().size(); ++i) {
    const double value = static_cast<double>(image.voxels()[i]);
    const double noisy = value + level * static_cast<double>(noise.voxels()[i]) * std::sqrt((value + 2e-4) / liver_suv);
    image.voxels()[i] = static_cast<float>(std::max(0.0, noisy) * bq_per_ml);
  }
  return image;
}

}  // namespace penta::recon
