#include "modality/mr/sequence.h"

#include <gtest/gtest.h>

namespace penta {
namespace {

struct Row {
  const char* expected;
  double tr, te, ti, flip;
  const char *scanning, *variant, *name;
  double b;
};

// Published: protocols of common sequences (ADNI, HCP, BraTS sites, vendors' brain and knee protocols).
constexpr Row rows[] = {
    {"T1", 2300, 2.98, 900, 9, "GR\\IR", "SP\\MP", "*tfl3d1_16ns", -1},   // MPRAGE
    {"T1", 8.2, 3.2, 450, 12, "GR", "SS\\SP", "", -1},                     // BRAVO
    {"T1", 6.8, 3.1, 0, 9, "GR", "MP", "", -1},                            // TFE
    {"T1", 500, 12, 0, 90, "SE", "SK", "se2d1", -1},                       // spin echo
    {"T1", 700, 11, 0, 120, "SE", "SK\\SP", "*spc", -1},                   // SPACE T1
    {"T1", 2500, 9, 860, 90, "SE\\IR", "SK", "", -1},                      // T1 FLAIR
    {"T1", 250, 2.5, 0, 70, "GR", "SP", "*fl2d1", -1},
    {"T2", 4000, 100, 0, 150, "SE", "SK\\SP\\OSP", "*tse2d1_15", -1},
    {"T2", 3200, 408, 0, 120, "SE", "SK\\SP", "*spc_282ns", -1},
    {"T2", 3000, 90, 0, 0, "", "", "", -1},
    {"PD", 2800, 30, 0, 180, "SE", "SK", "", -1},
    {"FLAIR", 9000, 120, 2500, 150, "SE\\IR", "SK\\SP\\MP", "*tir2d1_21", -1},
    {"FLAIR", 5000, 390, 1800, 120, "SE\\IR", "SK\\SP\\MP", "*spcir_278ns", -1},
    {"FLAIR", 11000, 140, 0, 90, "SE\\IR", "SK", "", -1},
    {"STIR", 4500, 40, 150, 150, "SE\\IR", "SK", "", -1},
    {"STIR", 4414, 64, 140, 90, "IR", "OTHER", "", -1},                    // WG04 MR4
    {"TOF", 22, 3.66, 0, 18, "GR", "SP\\OSP", "*fl3d1r_t70", -1},          // TONE
    {"diffusion", 8000, 90, 0, 90, "EP", "SK\\SP", "*ep_b1000#4", 1000},
    {"diffusion", 8000, 90, 0, 90, "EP", "SK\\SP", "*ep_b0", 0},
    {"EPI", 2000, 30, 0, 80, "EP\\GR", "SK", "epfid2d1_64", -1},
    {"T2*", 650, 20, 0, 20, "GR", "SP", "*fl2d1", -1},
    {"T2*", 28, 20, 0, 15, "GR", "SP", "*swi3d1r", -1},
    {"TOF", 22, 3.7, 0, 18, "GR", "SP\\TOF", "", -1},
    {"TOF", 22, 3.7, 0, 18, "GR", "SP", "*tof3d", -1},
    {"cine", 45, 1.3, 0, 60, "GR", "SK\\SS", "*tfi2d1_15", -1},
    {"", 0, 0, 0, 0, "", "", "", -1},
    {"", 8, 3, 0, 10, "", "", "", -1},          // no sequence and a short TR: could be anything
    {"", 1300, 50, 0, 90, "SE", "SK", "", -1},  // between T1 and PD
};

TEST(MrSequence, PublishedProtocols) {
  for (const Row& row : rows) {
    MrFacts facts;
    facts.repetition_time_ms = {row.tr, ""};
    facts.echo_time_ms = {row.te, ""};
    if (row.ti > 0) facts.inversion_time_ms = {row.ti, ""};
    facts.flip_angle_deg = {row.flip, ""};
    facts.scanning_sequence = {row.scanning, ""};
    facts.sequence_variant = {row.variant, ""};
    facts.sequence_name = {row.name, ""};
    if (row.b >= 0) facts.b_value_s_per_mm2 = {row.b, ""};
    const auto found = mr::classify(facts, "ORIGINAL\\PRIMARY\\M");
    EXPECT_EQ(found.name, row.expected) << "TR " << row.tr << " TE " << row.te << " " << row.scanning << ": " << found.why;
  }
}

TEST(MrSequence, DerivedDiffusionMapsAndOtherModalities) {
  EXPECT_EQ(mr::classify({}, "DERIVED\\PRIMARY\\DIFFUSION\\ADC").name, "diffusion");
  EXPECT_EQ(mr::classify({}, "ORIGINAL\\PRIMARY\\T1\\NONE").name, "T1");
  EXPECT_EQ(mr::classify({}, "ORIGINAL\\PRIMARY\\FLUID_ATTENUATED\\NONE").name, "FLAIR");
  MrFacts angio;
  angio.scanning_sequence = {"GR", ""};
  angio.echo_time_ms = {6, ""};
  EXPECT_EQ(mr::classify(angio, "DERIVED\\SECONDARY\\PROJECTION IMAGE").name, "angiography");
  Acquisition ct;
  ct.facts = CtFacts{};
  EXPECT_EQ(sequence_from_header(ct), "");
  EXPECT_EQ(sequence_from_header({}), "");
}

TEST(MrSequence, PhantomPlanes) {
  EXPECT_EQ(mr::plane_of(Grid({64, 64, 20}, {1, 1, 5})), "axial");
  EXPECT_EQ(mr::plane_of(Grid({20, 64, 64}, {5, 1, 1})), "sagittal");
  EXPECT_EQ(mr::plane_of(Grid({64, 64, 20}, {1, 1, 5}, {}, {{{1, 0, 0}, {0, 0, 1}, {0, -1, 0}}})), "coronal");
  const double c = 0.70710678118654752;
  EXPECT_EQ(mr::plane_of(Grid({64, 64, 20}, {1, 1, 5}, {}, {{{1, 0, 0}, {0, c, c}, {0, -c, c}}})), "oblique");
  EXPECT_EQ(mr::plane_of(Grid({64, 64, 64}, {1, 1, 1})), "isotropic");
}

}  // namespace
}  // namespace penta
