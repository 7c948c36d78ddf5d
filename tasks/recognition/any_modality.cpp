#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/methods.h"
#include "tasks/raw_values.h"
#include "tasks/slices.h"

namespace penta {

namespace {

constexpr double conflict_min = 0.9;  // of the pixels' probability

// Planar pictures of a gamma camera are SPECT's to the eye.
std::string as_class(const std::string& modality) { return modality == "NM" ? "SPECT" : modality; }

std::vector<CutSlice> slices_of(const Request& request) {
  if (const auto* image = request.find<Image>("image")) return standing_slices(*image);
  const auto* raw = request.find<RawData>("raw");
  if (raw == nullptr) throw Error(Code::bad_input, "recognising the modality: neither an image nor projections were given");
  const auto* projections = std::get_if<Projections>(&raw->value);
  if (projections == nullptr) throw Error(Code::bad_input, "recognising the modality: of raw data only projections can be looked at");
  return standing_slices(*projections);
}

// Limits of the rules, those of train/any.modality/train.py. A flat top above clipped_min no image has that taught another
// modality than CT (0.0115 at most).
constexpr double clipped_min = 0.012, ring_min = 0.45, filled_min = 0.8, colour_min = 0.01;
constexpr float bone_grey = 216.75F, body_grey = 24;

/// What values, storage and grid say besides the pictures.
struct Facts {
  bool in_hu = false, clipped = false, skull = false, stack = false, bytes = true, filled = false, coloured = false, cube = true;
};

/// Whether an image is slices of a body rather than a picture.
bool is_stack(const Image& image) {
  if (const auto* slices = std::get_if<SliceStack>(&image.pixels)) return slices->slices.size() > 1;
  if (!image.is_volume()) return false;
  const auto size = grid_of(image.volume()).size();
  return *std::min_element(size.begin(), size.end()) > 1;
}

/// Facts of an image (null for projections), and its slices made grey.
Facts facts_and_grey(const Image* image, std::vector<CutSlice>& slices) {
  Facts facts;
  facts.in_hu = in_hounsfield_units(slices);
  facts.stack = image != nullptr && is_stack(*image);
  facts.coloured = image != nullptr && image->is_frames() && colour_share(image->frames()) >= colour_min;
  facts.cube = image == nullptr || !image->is_volume() || is_cube(grid_of(image->volume()).spacing_mm());
  double clipped = 0, filled = 0;
  std::size_t rings = 0;
  for (CutSlice& slice : slices) {
    const auto [low, high] = std::minmax_element(slice.picture.voxels().begin(), slice.picture.voxels().end());
    facts.bytes = facts.bytes && *low >= 0 && *high <= 255;
    clipped += clipped_share(slice);
    to_grey(slice.picture);
    filled += edges_filled(slice);
    rings += bone_ring(slice, bone_grey, body_grey) >= ring_min ? 1 : 0;
  }
  const auto n = static_cast<double>(slices.size());
  facts.clipped = clipped / n >= clipped_min;
  facts.filled = filled / n >= filled_min;
  facts.skull = !facts.stack && 2 * rings >= slices.size();
  return facts;
}

/// What facts say (ruled() of train/any.modality/train.py). CT: values in HU, the flat top of a display window, in a picture
/// a closed skull; a stack without is hardly CT. Ultrasound is 8-bit and hardly a stack; an 8-bit picture with tissue up to
/// its edges is hardly MR, which has the air about the patient; CT, MR and PET are stored grey (PS3.3 C.8.2.1, C.8.3.1,
/// C.8.9.4). Where a voxel is no cube, what the head gives to SPECT is PET's.
void apply_rules(const std::vector<std::string>& classes, const Facts& facts, std::vector<double>& p) {
  const auto of = [&](const char* name) -> double& {
    return p.at(static_cast<std::size_t>(std::find(classes.begin(), classes.end(), name) - classes.begin()));
  };
  const bool picture = !facts.stack;
  if (facts.in_hu || facts.clipped || facts.skull) {
    const double sure = facts.in_hu ? 0.99 : 0.95, rest = std::max(1 - of("CT"), 1e-12);
    for (double& v : p) v *= (1 - sure) / rest;
    of("CT") = sure;
  } else {
    if (facts.stack) of("CT") *= 0.05;
    if (facts.bytes && picture && facts.filled) of("MR") *= 0.1;
    if (!facts.bytes || facts.stack) of("US") *= 0.1;
    if (facts.coloured)
      for (const char* grey : {"CT", "MR", "PET"}) of(grey) *= 0.05;
    double sum = 0;
    for (const double v : p) sum += v;
    for (double& v : p) v /= sum;
  }
  if (facts.cube) return;
  const double both = of("PET") + of("SPECT");
  of("PET") = 0.95 * both;
  of("SPECT") = 0.05 * both;
}

/// What the header says against what the pixels look like.
void compare(const std::string& header, const Score& top, Answer& answer) {
  if (header.empty() || top.probability.value_or(0) < conflict_min || as_class(header) == top.label) return;
  std::array<char, 32> p{};
  std::snprintf(p.data(), p.size(), "%.2f", *top.probability);
  answer.remarks.push_back({Severity::warning, "modality_conflict", "the header says " + header + ", and the pixels look like " +
                                                                        top.label + " (probability " + p.data() + ")"});
}

class AnyModality final : public Method {
 public:
  explicit AnyModality(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    std::vector<CutSlice> slices = slices_of(request);
    const auto* image = request.find<Image>("image");
    const Facts facts = facts_and_grey(image, slices);
    const nn::Bundle& bundle = models_.need("any.modality");
    nn::Judgement judgement = judge_together(models_, bundle, slices);
    apply_rules(bundle.network.classes, facts, judgement.probabilities);
    const auto abstained = nn::abstention(bundle.network, judgement);
    Answer answer;
    if (facts.in_hu) answer.remarks.push_back({Severity::note, "hounsfield_units", "air near -1000 and soft tissue near 0: the values are Hounsfield units"});
    Scores scores = scores_of(bundle.network.classes, judgement.probabilities, !abstained && bundle.network.temperature);
    if (abstained) {
      answer.remarks.push_back({Severity::warning, abstained->code, abstained->why});
    } else {
      const Acquisition& acquisition = image != nullptr ? image->acquisition : request.need<RawData>("raw").acquisition;
      compare(acquisition.modality, scores.front(), answer);
    }
    answer.artifacts.push_back({"scores", std::move(scores)});
    return answer;
  }

 private:
  const nn::ModelStore& models_;
  Card card_ = built_in_card("recognition/any.modality");
};

}  // namespace

MethodPtr make_recognition_any_modality(const nn::ModelStore& models) { return std::make_unique<AnyModality>(models); }

}  // namespace penta
