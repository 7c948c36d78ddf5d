#include "engine/gate.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/json.h"
#include "engine/open.h"
#include "modality/mr/sequence.h"

namespace penta::engine {

namespace {

constexpr std::array<std::string_view, 5> all_modalities{"CT", "MR", "US", "PET", "SPECT"};

std::string kind_of(const io::Content& content) {
  if (const auto* image = std::get_if<Image>(&content)) {
    if (image->is_frames()) return "frames";
    return image->is_volume() ? "volume" : "volumes";
  }
  if (std::holds_alternative<RawData>(content)) return "raw";
  if (std::holds_alternative<StructuredReport>(content)) return "report";
  if (std::holds_alternative<Table>(content)) return "table";
  return std::holds_alternative<LabelMap>(content) ? "labels" : "contours";
}

double coarsest_mm(const Grid& grid) { return *std::max_element(grid.spacing_mm().begin(), grid.spacing_mm().end()); }

std::string why_grid_shut(const Gate& gate, const Grid& grid) {
  std::array<double, 3> extent{};
  for (std::size_t k = 0; k < 3; ++k) extent[k] = static_cast<double>(grid.size()[k]) * grid.spacing_mm()[k];
  if (gate.spacing_max_mm && coarsest_mm(grid) > *gate.spacing_max_mm) return "voxels are coarser than the method takes";
  if (gate.extent_min_mm && *std::min_element(extent.begin(), extent.end()) < *gate.extent_min_mm)
    return "the field of view is smaller than the method needs";
  if (gate.extent_max_mm && *std::max_element(extent.begin(), extent.end()) > *gate.extent_max_mm)
    return "the field of view is larger than the method takes";
  return {};
}

bool has(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

bool takes_modality(const Card& card, const InputRole& role, const std::string& modality) noexcept {
  return has(role.modalities.empty() ? card.modalities : role.modalities, modality);
}

bool takes_every_modality(const Card& card) noexcept {
  return std::all_of(all_modalities.begin(), all_modalities.end(),
                     [&](std::string_view modality) { return has(card.modalities, std::string(modality)); });
}

std::string why_unfit(const Card& card, const io::Content& content) {
  const Gate& gate = card.gate;
  if (!gate.kinds.empty() && !has(gate.kinds, kind_of(content))) return "it needs " + gate.kinds.front();
  if (!gate.sequences.empty()) {
    // A header that does not say its sequence leaves the decision to the method's own check.
    const std::string sequence = sequence_from_header(acquisition_of(content));
    if (!sequence.empty() && !has(gate.sequences, sequence)) return "the header says a " + sequence + " sequence";
  }
  const auto* image = std::get_if<Image>(&content);
  return image != nullptr && image->is_volume() ? why_grid_shut(gate, grid_of(image->volume())) : std::string();
}

void check_meaningful(const Card& card, const io::Content& content) {
  // Beyond this an answer would be drawn, not seen: a method for 1 mm voxels knows nothing of slices of 1 cm.
  constexpr double far_out = 3;
  const auto* image = std::get_if<Image>(&content);
  if (image == nullptr || !image->is_volume() || !card.gate.spacing_max_mm) return;
  const double coarsest = coarsest_mm(grid_of(image->volume()));
  if (coarsest <= far_out * *card.gate.spacing_max_mm) return;
  throw Error(Code::bad_input, "'" + card.id + "' takes voxels of up to " + Json(*card.gate.spacing_max_mm).dump() +
                                   " mm, and these have " + Json(coarsest).dump() + " mm: it abstains");
}

std::string why_shut(const Card& card, const io::Content& content) {
  if (!card.gate.in_report) return "runs only when called by name";
  const Acquisition& acquisition = acquisition_of(content);
  const bool fits = (acquisition.modality.empty() && takes_every_modality(card)) || std::any_of(card.inputs.begin(), card.inputs.end(), [&](const InputRole& role) {
    return takes_modality(card, role, acquisition.modality);
  });
  return fits ? why_unfit(card, content) : "another modality";
}

}  // namespace penta::engine
