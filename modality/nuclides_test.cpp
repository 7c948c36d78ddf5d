#include "modality/nuclides.h"

#include <gtest/gtest.h>

#include "modality/plausible.h"

namespace penta {
namespace {

std::string_view name_by_text(std::string_view text) {
  const Nuclide* nuclide = nuclide_by_text(text);
  return nuclide == nullptr ? "" : nuclide->name;
}

TEST(Nuclides, PublishedNamesAsHeadersWriteThem) {
  for (const char* text : {"^99m^Technetium", "Tc-99m", "TC99M", "99mTc", "Technetium Tc^99m^", "Technetium 99m"})
    EXPECT_EQ(name_by_text(text), "Tc-99m") << text;
  for (const char* text : {"^18^Fluorine", "F-18", "18F", "Fluorine F^18^", "FLUORINE^18^"})
    EXPECT_EQ(name_by_text(text), "F-18") << text;
  EXPECT_EQ(name_by_text("^177^Lutetium"), "Lu-177");
  EXPECT_EQ(name_by_text("^123^Iodine"), "I-123");
  EXPECT_EQ(name_by_text("^68^Gallium"), "Ga-68");
  EXPECT_FALSE(nuclide_by_text("Technetium"));
  EXPECT_FALSE(nuclide_by_text(""));
}

TEST(Nuclides, HalfLivesAndEnergies) {
  EXPECT_EQ(nuclide_by_half_life(6588)->name, "F-18");
  EXPECT_EQ(nuclide_by_half_life(4057.74)->name, "Ga-68");
  EXPECT_FALSE(nuclide_by_half_life(5000));
  const EnergyWindow tc[] = {{"", 126.5, 154.5}}, iodine[] = {{"", 143, 175}};
  EXPECT_TRUE(energies_fit(*nuclide_by_text("Tc-99m"), tc));
  EXPECT_FALSE(energies_fit(*nuclide_by_text("I-131"), tc));
  EXPECT_TRUE(energies_fit(*nuclide_by_text("I-123"), iodine));
  EXPECT_TRUE(energies_fit(*nuclide_by_text("I-131"), {}));
}

TEST(Plausible, RangesAreFoundByName) {
  EXPECT_LT((*plausible_range("SUVmax"))[0], 7.91);
  EXPECT_GT((*plausible_range("SUVmax"))[1], 7.91);
  EXPECT_FALSE(plausible_range("beauty"));
}

}  // namespace
}  // namespace penta
