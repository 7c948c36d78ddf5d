#include "modality/spect/study.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <optional>

#include "modality/nuclides.h"

namespace penta::spect {

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string short_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.5g", value);
  return text.data();
}

enum class State { unknown, stress, rest, both };

// Words of people ("TC STRESS GATED") and of makers (GE names gated stress and rest SGATE and RGATE).
State state_in(std::string_view text) {
  const std::string all = upper(text);
  const auto any = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return all.find(word) != std::string::npos; });
  };
  const bool stress =
      any({"STRESS", "SGATE", "EXERCISE", "ADENOSINE", "DIPYRIDAMOLE", "REGADENOSON", "DOBUTAMINE", "EFFORT"});
  bool rest = any({"RGATE", "REDIST", "REPOS"});
  for (std::size_t at = all.find("REST"); at != std::string::npos && !rest; at = all.find("REST", at + 1))
    rest = at == 0 || std::isalpha(static_cast<unsigned char>(all[at - 1])) == 0;  // not in "ARREST"
  return stress && rest ? State::both : stress ? State::stress : rest ? State::rest : State::unknown;
}

class Reader {
 public:
  Reader(const SpectFacts& facts, const Acquisition& acquisition) : facts_(facts), acquisition_(acquisition) {}

  Study read() {
    read_kind();
    read_isotope();
    read_windows();
    read_state();
    return std::move(study_);
  }

 private:
  void warn(const char* code, std::string text) {
    study_.remarks.push_back({Severity::warning, code, std::move(text)});
  }
  void note(const char* code, std::string text) { study_.remarks.push_back({Severity::note, code, std::move(text)}); }

  void read_kind() {
    const std::string kind = upper(facts_.kind ? *facts_.kind : acquisition_.image_type);
    const auto has = [&](const char* word) { return kind.find(word) != std::string::npos; };
    if (has("RECON"))
      study_.labels.emplace_back("reconstructed");
    else if (has("TOMO"))
      study_.labels.emplace_back("tomographic projections");
    else if (has("WHOLE BODY"))
      study_.labels.emplace_back("whole body");
    else if (has("DYNAMIC"))
      study_.labels.emplace_back("dynamic planar");
    else if (has("STATIC") || has("GATED"))
      study_.labels.emplace_back("planar");
    else
      note("kind_missing", "the third value of image type (0008,0008) does not say what was acquired");
    const bool many = facts_.gates && *facts_.gates > 1;
    if (has("GATED") || many) study_.labels.emplace_back("gated");
    if (has("GATED") && facts_.gates && *facts_.gates < 2)
      warn("gate_conflict", "image type (0008,0008) says gated, and there is one time slot (0054,0070) only");
    else if (many && !has("GATED") && !kind.empty())
      warn("gate_conflict", "there are " + std::to_string(*facts_.gates) +
                                " time slots (0054,0070), and image type (0008,0008) does not say gated");
  }

  void read_isotope() {
    const Nuclide* named = facts_.isotope ? nuclide_by_text(*facts_.isotope) : nullptr;
    const Nuclide* in_tracer = facts_.tracer ? nuclide_by_text(*facts_.tracer) : nullptr;
    if (named != nullptr && in_tracer != nullptr && named != in_tracer)
      warn("isotope_conflict", "the radiopharmaceutical names " + std::string(in_tracer->name) +
                                   ", the radionuclide (0054,0300) " + std::string(named->name));
    nuclide_ = named != nullptr ? named : in_tracer;
    if (nuclide_ == nullptr)
      return note("isotope_missing",
                  "neither radionuclide (0054,0300) nor radiopharmaceutical says which isotope it is");
    study_.isotope = nuclide_->name;
    study_.labels.push_back(study_.isotope);
    if (nuclide_->energies_kev[0] == 511 && study_.isotope != "F-18")
      warn("not_spect_nuclide", study_.isotope + " is imaged by PET, and this is a gamma camera");
  }

  void read_windows() {
    if (facts_.energy_windows.empty()) return note("energy_window_missing", "there is no energy window (0054,0012)");
    std::vector<EnergyWindow> sound;
    for (const EnergyWindow& window : facts_.energy_windows) {
      if (window.lower_kev > 0 && window.upper_kev > window.lower_kev && window.upper_kev < 2000)
        sound.push_back(window);
      else
        warn("energy_window_bad", "an energy window (0054,0013) of " + short_text(window.lower_kev) + " to " +
                                      short_text(window.upper_kev) + " keV cannot be");
    }
    if (nuclide_ != nullptr && !sound.empty() && !energies_fit(*nuclide_, sound))
      warn("energy_conflict", "no energy window (0054,0013) holds a photon of " + study_.isotope);
    read_collimator();
  }

  // Above 200 keV photons go through the septa of low-energy collimators.
  void read_collimator() {
    if (!facts_.collimator || nuclide_ == nullptr) return;
    const std::string name = upper(*facts_.collimator);
    const bool low = name.find("LEHR") != std::string::npos || name.find("LEAP") != std::string::npos ||
                     name.find("LEGP") != std::string::npos || name.find("LOW ENERGY") != std::string::npos ||
                     name.find("LEUHR") != std::string::npos;
    const bool high_photon =
        nuclide_->energies_kev[0] > 300 || study_.isotope == "Lu-177" || study_.isotope == "In-111";
    if (low && high_photon)
      warn("collimator_conflict",
           "the collimator (0018,1180) is " + *facts_.collimator + ", too thin for " + study_.isotope);
  }

  void read_state() {
    // What names the series goes before what names the whole visit, which often holds both.
    for (const std::string* text :
         {&acquisition_.series_description, &acquisition_.protocol, &acquisition_.study_description}) {
      const State state = state_in(*text);
      if (state == State::unknown) continue;
      if (state == State::both && text != &acquisition_.study_description) {
        note("stress_rest_conflict", "'" + *text + "' names both stress and rest");
        return;
      }
      if (state != State::both) study_.labels.emplace_back(state == State::stress ? "stress" : "rest");
      return;
    }
  }

  const SpectFacts& facts_;
  const Acquisition& acquisition_;
  const Nuclide* nuclide_ = nullptr;
  Study study_;
};

}  // namespace

Study study_of(const SpectFacts& facts, const Acquisition& acquisition) { return Reader(facts, acquisition).read(); }

}  // namespace penta::spect
