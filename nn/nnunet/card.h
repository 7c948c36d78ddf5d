#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "nn/nnunet/plans.h"

namespace penta::nn::nnunet {

/// What a card says of an imported network besides its plans.
struct CardFacts {
  std::string id, modality, licence, trainer, precision = "f32";
  std::vector<int> mirror_axes;              ///< of the patch, 0 the slowest
  std::vector<std::string> files, sha256;    ///< one a fold
  Json origin;                               ///< the files that were read, with their hashes
};

/// "CT", "MR", "US", "PET" or "SPECT" as channel names and normalisation tell, or empty.
[[nodiscard]] std::string modality_of(const Plan& plan);
/// "mr.hippocampus" of Dataset004_Hippocampus.
[[nodiscard]] std::string id_of(const Plan& plan, const std::string& modality);

/// The card of an imported network: `network` says in the words of nn/network_spec.h what nnU-Net does with an image.
/// Throws Error{bad_input} where the plans ask for what these words cannot say.
[[nodiscard]] Json card_of(const Plan& plan, const CardFacts& facts);

}  // namespace penta::nn::nnunet
