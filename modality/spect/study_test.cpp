#include "modality/spect/study.h"

#include <gtest/gtest.h>

#include <functional>

namespace penta::spect {

namespace {

struct Case {
  const char *labels, *codes;  ///< joined by " | ", and by blanks
  std::function<void(SpectFacts&, Acquisition&)> make;
};

// A gated stress study with Tc-99m.
void sound(SpectFacts& f, Acquisition& a) {
  f.kind = {"GATED TOMO", ""};
  f.isotope = {"^99m^Technetium", ""};
  f.energy_windows = {{"Tc99m", 126.45, 154.55}};
  f.gates = {8, ""};
  f.collimator = {"LEHR", ""};
  a.series_description = "SGATEGate";
  a.modality = "SPECT";
}

using F = SpectFacts;
using A = Acquisition;

// Published: terms of PS3.3 C.8.4.8 (image type), photon energies by NNDC.
const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {"tomographic projections | gated | Tc-99m | stress", "", [](F&, A&) {}},
      {"tomographic projections | Tc-99m | stress", "", [](F& f, A&) { f.kind.value = "TOMO", f.gates.value = 1; }},
      {"reconstructed | Tc-99m | stress", "", [](F& f, A&) { f.kind.value = "RECON TOMO", f.gates = {}; }},
      {"reconstructed | gated | Tc-99m | stress", "", [](F& f, A&) { f.kind.value = "RECON GATED TOMO"; }},
      {"whole body | Tc-99m", "",
       [](F& f, A& a) { f.kind.value = "WHOLE BODY", f.gates.value = 1, a.series_description = "Bone"; }},
      {"planar | Tc-99m", "",
       [](F& f, A& a) { f.kind.value = "STATIC", f.gates.value = 1, a.series_description = ""; }},
      {"dynamic planar | Tc-99m", "",
       [](F& f, A& a) { f.kind.value = "DYNAMIC", f.gates = {}, a.series_description = "RENOGRAM"; }},
      {"planar | gated | Tc-99m | rest", "",
       [](F& f, A& a) { f.kind.value = "GATED", a.series_description = "MUGA rest"; }},
      {"tomographic projections | gated | Tc-99m | rest", "",
       [](F&, A& a) { a.series_description = "RGATE", a.study_description = "REST STRESS"; }},
      {"tomographic projections | gated | Tc-99m | rest", "",
       [](F&, A& a) { a.series_description = "", a.protocol = "Myo Rest"; }},
      {"tomographic projections | gated | Tc-99m", "",
       [](F&, A& a) { a.series_description = "", a.study_description = "Rest/Stress"; }},
      {"tomographic projections | gated | Tc-99m", "", [](F&, A& a) { a.series_description = "cardiac arrest"; }},
      {"tomographic projections | gated | Tc-99m", "stress_rest_conflict",
       [](F&, A& a) { a.series_description = "REST_STRESS"; }},
      {"gated | Tc-99m | stress", "kind_missing", [](F& f, A&) { f.kind = {}; }},
      {"tomographic projections | gated | Tc-99m | stress", "gate_conflict", [](F& f, A&) { f.gates.value = 1; }},
      {"tomographic projections | gated | Tc-99m | stress", "gate_conflict", [](F& f, A&) { f.kind.value = "TOMO"; }},
      {"tomographic projections | gated | stress", "isotope_missing", [](F& f, A&) { f.isotope = {}; }},
      {"tomographic projections | gated | Tc-99m | stress", "",
       [](F& f, A&) {
         f.isotope = {}, f.tracer = {"Tc-99m Sestamibi", ""}, f.tracer.value = "Tc-99m";
       }},
      {"tomographic projections | gated | Tl-201 | stress", "energy_conflict",
       [](F& f, A&) { f.isotope.value = "^201^Thallium"; }},
      {"tomographic projections | gated | Tl-201 | stress", "",
       [](F& f, A&) {
         f.isotope.value = "^201^Thallium", f.energy_windows = {{"", 60, 80}};
       }},
      {"tomographic projections | gated | I-123 | stress", "",
       [](F& f, A&) {
         f.isotope.value = "^123^Iodine", f.energy_windows = {{"", 143, 175}};
       }},
      {"tomographic projections | gated | Tc-99m | stress", "energy_conflict",
       [](F& f, A&) {
         f.energy_windows = {{"", 320, 400}};
       }},
      {"tomographic projections | gated | Tc-99m | stress", "",
       [](F& f, A&) {
         f.energy_windows = {{"", 100, 120}, {"", 126, 154}};
       }},
      {"tomographic projections | gated | Tc-99m | stress", "energy_window_bad",
       [](F& f, A&) {
         f.energy_windows = {{"", 154, 126}};
       }},
      {"tomographic projections | gated | Tc-99m | stress", "energy_window_bad",
       [](F& f, A&) {
         f.energy_windows = {{"", 0, 0}};
       }},
      {"tomographic projections | gated | Tc-99m | stress", "energy_window_bad",
       [](F& f, A&) {
         f.energy_windows = {{"", 126450, 154550}};
       }},
      {"tomographic projections | gated | Tc-99m | stress", "energy_window_missing",
       [](F& f, A&) { f.energy_windows.clear(); }},
      {"tomographic projections | gated | Tc-99m | stress", "isotope_conflict",
       [](F& f, A&) {
         f.tracer = {"I-123", ""};
       }},
      {"tomographic projections | gated | Ga-68 | stress", "not_spect_nuclide energy_conflict collimator_conflict",
       [](F& f, A&) { f.isotope.value = "^68^Gallium"; }},
      {"tomographic projections | gated | I-131 | stress", "collimator_conflict",
       [](F& f, A&) {
         f.isotope.value = "^131^Iodine", f.energy_windows = {{"", 328, 400}};
       }},
      {"reconstructed | Lu-177", "",
       [](F& f, A& a) {
         f.kind.value = "RECON TOMO", f.gates = {}, f.isotope.value = "^177^Lutetium",
         f.energy_windows = {{"", 187, 229}};
         f.collimator.value = "MEGP", a.series_description = "xSPECT";
       }},
      {"tomographic projections | gated | Tc-99m | stress", "",
       [](F&, A& a) { a.series_description = "Adenosine AC"; }},
  };
  return list;
}

TEST(SpectStudy, PublishedHeadersAndTheirFaults) {
  for (std::size_t i = 0; i < cases().size(); ++i) {
    SpectFacts facts;
    Acquisition acquisition;
    sound(facts, acquisition);
    cases()[i].make(facts, acquisition);
    const Study study = study_of(facts, acquisition);
    std::string labels, codes;
    for (const std::string& label : study.labels) labels += (labels.empty() ? "" : " | ") + label;
    for (const Remark& remark : study.remarks) codes += (codes.empty() ? "" : " ") + remark.code;
    EXPECT_EQ(labels, cases()[i].labels) << "case " << i;
    EXPECT_EQ(codes, cases()[i].codes) << "case " << i;
  }
}

}  // namespace
}  // namespace penta::spect
