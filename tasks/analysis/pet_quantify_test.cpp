#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_analysis_pet_quantify();

namespace {

Image suv_image(Volume<float> volume) {
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "g/mL";
  return image;
}

template <class Labels>
Answer run(const Image& image, const Labels& labels) {
  const auto method = make_analysis_pet_quantify();
  const Input inputs[] = {{"pet", &image}, {"labels", &labels}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

double value_of(const Answer& answer, std::string_view name, std::string_view region) {
  for (const auto& m : std::get<Measurements>(answer.artifacts.at(0).value))
    if (m.name == name && m.region == region) return m.value;
  ADD_FAILURE() << "no " << name;
  return 0;
}

template <class Visit>
void each(const Grid& grid, Visit visit) {
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x) visit(x, y, z);
}

TEST(PetQuantify, PhantomSphereOfEightGramsAMillilitre) {
  const Grid grid({40, 40, 40}, {3, 3, 3});
  Volume<float> suv(grid);
  LabelMap labels;
  labels.layers.emplace_back(grid);
  labels.segments.push_back({1, 0, "ball", {}, {}, Side::none, {}});
  each(grid, [&](auto x, auto y, auto z) {
    const double r = distance(grid.to_patient({double(x), double(y), double(z)}), PatientPoint{60, 60, 60});
    suv.at(x, y, z) = r <= 20 ? 8.F : 1.F;
    labels.layers[0].at(x, y, z) = r <= 20 ? 1 : 0;
  });
  suv.at(20, 20, 20) = 12;
  const Answer answer = run(suv_image(std::move(suv)), labels);
  const double ml = 4.0 / 3 * std::numbers::pi * 8;
  EXPECT_DOUBLE_EQ(value_of(answer, "SUVmax", "ball"), 12);
  EXPECT_NEAR(value_of(answer, "SUVmean", "ball"), 8, 0.01);
  EXPECT_NEAR(value_of(answer, "MTV", "ball"), ml, 0.02 * ml);
  EXPECT_NEAR(value_of(answer, "TLG", "ball"), 8 * value_of(answer, "MTV", "ball"), 0.2);
  // The hot voxel of 27 mm^3 lies in a ball of 1000 mm^3 (to the definition, 0.5 %).
  EXPECT_NEAR(value_of(answer, "SUVpeak", "ball"), 8 + 4 * 0.027, 0.005 * 8);
}

// The mean of a linear ramp over any ball inside it is its value at the centre.
TEST(PetQuantify, PhantomPeakOfARamp) {
  const Grid grid({30, 30, 12}, {2, 2.5, 4});
  Volume<float> suv(grid);
  each(grid, [&](auto x, auto y, auto z) { suv.at(x, y, z) = static_cast<float>(x); });
  LabelMap labels;
  labels.layers.emplace_back(grid);
  labels.segments.push_back({7, 0, "one voxel", {}, {}, Side::left, {}});
  labels.layers[0].at(14, 15, 6) = 7;
  const Answer answer = run(suv_image(std::move(suv)), labels);
  EXPECT_NEAR(value_of(answer, "SUVpeak", "one voxel"), 14, 1e-6);
  EXPECT_EQ(std::get<Measurements>(answer.artifacts[0].value)[0].side, Side::left);
}

TEST(PetQuantify, ContoursAreRasterisedAndEmptyRegionsSaid) {
  const Grid grid({20, 20, 4}, {4, 4, 4});
  Volume<float> suv(grid);
  each(grid, [&](auto x, auto y, auto z) { suv.at(x, y, z) = 2; });
  Contours contours;
  ContourRegion square;
  square.name = "GTV_Mass";
  square.contours.push_back({{{-2, -2, 4}, {38, -2, 4}, {38, 38, 4}, {-2, 38, 4}}});
  ContourRegion nowhere;
  nowhere.name = "nowhere";
  contours.regions = {square, nowhere};
  const Answer answer = run(suv_image(std::move(suv)), contours);
  EXPECT_NEAR(value_of(answer, "MTV", "GTV_Mass"), 100 * 0.064, 1e-9);
  const auto said = std::count_if(answer.remarks.begin(), answer.remarks.end(), [](const Remark& r) { return r.code == "region_not_measured"; });
  EXPECT_EQ(said, 1);
}

TEST(PetQuantify, LabelsOfAnotherGridAreTakenToThePet) {
  const Grid grid({20, 20, 20}, {4, 4, 4}), fine({80, 80, 80}, {1, 1, 1}, {-1.5, -1.5, -1.5});
  Volume<float> suv(grid);
  each(grid, [&](auto x, auto y, auto z) { suv.at(x, y, z) = 3; });
  LabelMap labels;
  labels.layers.emplace_back(fine);
  labels.segments.push_back({1, 0, "cube", {}, {}, Side::none, {}});
  for (int x = 20; x < 40; ++x)
    for (int y = 20; y < 40; ++y)
      for (int z = 20; z < 40; ++z) labels.layers[0].at(x, y, z) = 1;
  const Answer answer = run(suv_image(std::move(suv)), labels);
  EXPECT_NEAR(value_of(answer, "MTV", "cube"), 8, 1e-9);
}

const Remark* said(const Answer& answer, std::string_view code, std::string_view part = "") {
  for (const Remark& remark : answer.remarks)
    if (remark.code == code && remark.text.find(part) != std::string::npos) return &remark;
  return nullptr;
}

// A cube of 3 with one NaN and one infinite voxel, a cube of NaN alone, and NaN beside the first within the ball's reach.
TEST(PetQuantify, NonFiniteVoxelsAreLeftOutAndSaid) {
  const Grid grid({20, 20, 20}, {2, 2, 2});
  Volume<float> suv(grid);
  LabelMap labels;
  labels.layers.emplace_back(grid);
  labels.segments.push_back({1, 0, "hot", {}, {}, Side::none, {}});
  labels.segments.push_back({2, 0, "void", {}, {}, Side::none, {}});
  each(grid, [&](auto x, auto y, auto z) {
    suv.at(x, y, z) = x >= 8 ? std::numeric_limits<float>::quiet_NaN() : 3.F;
    if (x >= 4 && x < 8 && y < 4 && z < 4) labels.layers[0].at(x, y, z) = 1;
    if (x >= 12 && y < 4 && z < 4) labels.layers[0].at(x, y, z) = 2;
  });
  suv.at(5, 1, 1) = std::numeric_limits<float>::quiet_NaN();
  suv.at(6, 2, 2) = std::numeric_limits<float>::infinity();
  const Answer answer = run(suv_image(std::move(suv)), labels);
  for (const auto* name : {"SUVmax", "SUVmean", "SUVpeak"}) EXPECT_NEAR(value_of(answer, name, "hot"), 3, 1e-6) << name;
  EXPECT_NEAR(value_of(answer, "MTV", "hot"), 62 * 0.008, 1e-9);
  EXPECT_EQ(std::get<Measurements>(answer.artifacts.at(0).value).size(), 5U);  // none of the void
  ASSERT_NE(said(answer, "non_finite_voxels", "2 voxels of region 'hot'"), nullptr);
  EXPECT_EQ(said(answer, "non_finite_voxels")->severity, Severity::warning);
  EXPECT_NE(said(answer, "non_finite_voxels", "128 voxels of region 'void'"), nullptr);
  EXPECT_NE(said(answer, "region_not_measured", "'void'"), nullptr);
  EXPECT_EQ(said(answer, "empty_labels"), nullptr);
}

TEST(PetQuantify, AnEmptyLabelMapIsSaid) {
  const Grid grid({4, 4, 4}, {2, 2, 2});
  LabelMap labels;
  labels.layers.emplace_back(grid);
  const Answer answer = run(suv_image(Volume<float>(grid)), labels);
  EXPECT_TRUE(std::get<Measurements>(answer.artifacts.at(0).value).empty());
  EXPECT_NE(said(answer, "empty_labels"), nullptr);
}

}  // namespace
}  // namespace penta
