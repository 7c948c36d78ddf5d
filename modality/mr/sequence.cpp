#include "modality/mr/sequence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>

namespace penta::mr {

namespace {

bool has_word(const std::string& list, std::string_view word) {
  std::size_t at = 0;
  while (at <= list.size()) {
    const std::size_t end = std::min(list.find('\\', at), list.size());
    if (std::string_view(list).substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

bool contains(std::string text, std::string_view part) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text.find(part) != std::string::npos;
}

// The facts in one place; absent numbers are empty, absent texts "".
struct Timing {
  std::optional<double> te, tr, ti, flip;
  std::string scanning, variant, name;

  [[nodiscard]] bool spin() const { return has_word(scanning, "SE"); }
  [[nodiscard]] bool gradient() const { return has_word(scanning, "GR"); }
  [[nodiscard]] bool planar() const { return has_word(scanning, "EP"); }
  [[nodiscard]] bool inversion() const { return has_word(scanning, "IR") || (ti && *ti > 0); }

  [[nodiscard]] Sequence is(const char* what, const std::string& rule) const {
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), "TR %.5g, TE %.4g, TI %.5g ms, flip %.4g deg, ", tr.value_or(0), te.value_or(0),
                  ti.value_or(0), flip.value_or(0));
    return {what, rule + " (" + text.data() + (scanning.empty() ? "sequence unknown" : scanning) + ")"};
  }
};

Timing timing_of(const MrFacts& f) {
  const auto positive = [](const Fact<double>& fact) { return fact && *fact > 0 ? fact.value : std::nullopt; };
  return {positive(f.echo_time_ms), positive(f.repetition_time_ms), positive(f.inversion_time_ms), positive(f.flip_angle_deg),
          f.scanning_sequence.value.value_or(""), f.sequence_variant.value.value_or(""), f.sequence_name.value.value_or("")};
}

std::optional<Sequence> by_diffusion(const MrFacts& facts, const Timing& t, const std::string& image_type) {
  if (facts.b_value_s_per_mm2 && *facts.b_value_s_per_mm2 > 0) return t.is("diffusion", "a b-value above 0");
  for (const char* word : {"DIFFUSION", "ADC", "TRACEW", "FA", "TENSOR"})
    if (has_word(image_type, word)) return t.is("diffusion", std::string("image type ") + word);
  if (contains(t.name, "ep_b") || contains(t.name, "dwi") || contains(t.name, "dti")) return t.is("diffusion", "sequence name " + t.name);
  return {};
}

std::optional<Sequence> by_inversion(const Timing& t) {
  if (!t.inversion() || t.planar()) return {};
  const bool long_echo = t.te && *t.te >= 60, long_repeat = t.tr && *t.tr >= 4000;
  if (t.ti && *t.ti >= 1500 && *t.ti <= 3200 && long_echo && long_repeat) return t.is("FLAIR", "inversion that nulls fluid, late echo");
  if (!t.ti && has_word(t.scanning, "IR") && long_echo && t.tr && *t.tr >= 6000) return t.is("FLAIR", "inversion recovery, late echo");
  if (t.ti && *t.ti >= 80 && *t.ti <= 300 && !t.gradient() && t.tr && *t.tr >= 1500) return t.is("STIR", "inversion that nulls fat");
  if (t.te && *t.te <= 30 && (!t.ti || (*t.ti >= 300 && *t.ti <= 1500))) return t.is("T1", "inversion recovery, early echo");
  return Sequence{};
}

Sequence by_gradient_echo(const Timing& t, const std::string& image_type) {
  // Siemens names the pulse whose angle grows along the slab (TONE), which only time of flight has: fl3d1r_t70.
  const bool tone = contains(t.name, "fl3d") && contains(t.name, "r_t");
  if (has_word(t.variant, "TOF") || contains(t.name, "tof") || tone) return t.is("TOF", "time of flight");
  if (has_word(image_type, "PROJECTION IMAGE") && t.te && *t.te <= 10) return t.is("angiography", "projection of gradient echoes, early echo");
  if (!t.te) return {};
  if (has_word(t.variant, "SS") && !has_word(t.variant, "SP") && t.flip && *t.flip >= 35 && t.tr && *t.tr <= 60 && *t.te <= 4)
    return t.is("cine", "balanced steady state");
  if (*t.te >= 12) return t.is("T2*", "gradient echo, late echo");
  if (*t.te <= 8 && t.tr && *t.tr <= 800 && (!t.flip || *t.flip >= 6)) return t.is("T1", "spoiled gradient echo, early echo");
  return {};
}

Sequence by_spin_echo(const Timing& t) {
  if (!t.te || !t.tr) return {};
  if (*t.te <= 40 && *t.tr <= 1200) return t.is("T1", "short TR, early echo");
  if (*t.te <= 50 && *t.tr >= 1500) return t.is("PD", "long TR, early echo");
  if (*t.te >= 60 && *t.tr >= 1500) return t.is("T2", "long TR, late echo");
  return {};
}

/// The image flavour of an enhanced image (PS3.3 C.8.13.3.1.1, value 3 of Image Type), where timing says nothing.
Sequence by_flavour(const Timing& t, const std::string& image_type) {
  constexpr std::array<std::array<const char*, 2>, 7> flavours{{{"T1", "T1"}, {"T2", "T2"}, {"T2_STAR", "T2*"}, {"PROTON_DENSITY", "PD"},
                                                               {"FLUID_ATTENUATED", "FLAIR"}, {"STIR", "STIR"}, {"TOF", "TOF"}}};
  for (const auto& [word, name] : flavours)
    if (has_word(image_type, word)) return t.is(name, std::string("image flavour ") + word);
  return {};
}

Sequence by_timing(const Timing& t, const std::string& image_type) {
  if (t.planar()) return t.is("EPI", "echo planar without a b-value");
  if (t.gradient() && !t.spin()) return by_gradient_echo(t, image_type);
  if (t.spin() && !t.gradient()) return by_spin_echo(t);
  // Timing alone tells only what no gradient echo has: a long repetition, or a short one with a late echo.
  if (t.scanning.empty() || t.scanning == "RM") return t.tr && *t.tr >= 300 ? by_spin_echo(t) : Sequence{};
  return {};
}

}  // namespace

Sequence classify(const MrFacts& facts, const std::string& image_type) {
  const Timing t = timing_of(facts);
  if (const auto diffusion = by_diffusion(facts, t, image_type)) return *diffusion;
  if (const auto inversion = by_inversion(t)) return *inversion;
  const Sequence timed = by_timing(t, image_type);
  return timed.name.empty() ? by_flavour(t, image_type) : timed;
}

std::string plane_of(const Grid& grid) {
  const Vector3& spacing = grid.spacing_mm();
  const auto coarsest = std::max_element(spacing.begin(), spacing.end());
  const auto finest = std::min_element(spacing.begin(), spacing.end());
  if (*coarsest <= 1.1 * *finest) return "isotropic";
  const Vector3 normal = grid.axis(static_cast<int>(coarsest - spacing.begin()));
  constexpr std::array<const char*, 3> names{"sagittal", "coronal", "axial"};
  constexpr double near = 0.9397;  // the cosine of 20 degrees
  for (std::size_t k = 0; k < 3; ++k)
    if (std::abs(normal[k]) >= near) return names[k];
  return "oblique";
}

}  // namespace penta::mr

namespace penta {

std::string sequence_from_header(const Acquisition& acquisition) {
  const auto* facts = facts_of<MrFacts>(acquisition);
  return facts == nullptr ? std::string() : mr::classify(*facts, acquisition.image_type).name;
}

}  // namespace penta
