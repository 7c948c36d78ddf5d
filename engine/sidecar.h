#pragma once

#include "core/image.h"
#include "core/json.h"

namespace penta::engine {

/// What a header said of an image, by the names of BIDS 1.10 (bids-specification, appendix 'Metadata'): seconds,
/// tesla, degrees, Bq. It holds no name, id or birth date. Fields that the header did not say are left out.
[[nodiscard]] Json sidecar_of(const Image& image);

/// The b-values of a diffusion series as FSL writes them (.bval), or empty where the image is none.
[[nodiscard]] std::string b_values_of(const Image& image);
/// Its gradient directions as FSL writes them (.bvec: three lines, x, y and z, a column a volume), or empty where they
/// are not known: along the voxel axes, x turned round where the axes are right-handed in RAS ("What conventions do the
/// bvecs use?", FSL wiki, FDT FAQ).
[[nodiscard]] std::string b_vectors_of(const Image& image);

/// What a BIDS sidecar says of an image that does not say it itself: Modality, and Units where they are UCUM. A remark
/// names `name`, the sidecar.
void apply_sidecar(Image& image, const Json& sidecar, const std::string& name);

}  // namespace penta::engine
