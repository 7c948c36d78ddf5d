#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "render/key_pictures.h"

namespace penta::render {
namespace {

/// All six orders of index axes, with either direction of each: 48 grids that hold the same patient.
std::vector<Grid> all_grids() {
  const std::array<std::array<std::size_t, 3>, 6> orders{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  const Vector3 spacing_patient{1, 2, 4};
  const Size3 size_patient{40, 20, 10};  // 40 mm each way
  std::vector<Grid> grids;
  for (const auto& order : orders)
    for (int signs = 0; signs < 8; ++signs) {
      Size3 size{};
      Vector3 spacing{};
      Matrix3 direction{};
      std::array<double, 3> origin{};
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t r = order[c];
        const bool falling = (signs >> c & 1) != 0;
        size[c] = size_patient[r];
        spacing[c] = spacing_patient[r];
        direction[r][c] = falling ? -1 : 1;
        const double half = spacing_patient[r] * static_cast<double>(size_patient[r] - 1) / 2;
        origin[r] = falling ? half : -half;
      }
      grids.emplace_back(size, spacing, PatientPoint{origin[0], origin[1], origin[2]}, direction);
    }
  return grids;
}

/// 1 where the patient place lies within `half_mm` of `centre` on each axis.
Volume<float> cube(const Grid& grid, PatientPoint centre, double half_mm) {
  Volume<float> volume(grid);
  const Size3& n = grid.size();
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x) {
        const PatientPoint p =
            grid.to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        if (std::abs(p.x - centre.x) < half_mm && std::abs(p.y - centre.y) < half_mm &&
            std::abs(p.z - centre.z) < half_mm)
          volume.at(x, y, z) = 1;
      }
  return volume;
}

/// Centre of brightness, 0..1 across and down.
std::array<double, 2> centre_of(const Picture& picture) {
  double x_sum = 0, y_sum = 0, sum = 0;
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::int64_t x = 0; x < picture.width; ++x) {
      const double level = picture.at(x, y).green;
      x_sum += level * (static_cast<double>(x) + 0.5);
      y_sum += level * (static_cast<double>(y) + 0.5);
      sum += level;
    }
  return {x_sum / sum / static_cast<double>(picture.width), y_sum / sum / static_cast<double>(picture.height)};
}

bool differs(const Picture& a, const Picture& b) { return a.pixels != b.pixels; }

// Phantom: a cube at the patient's left, back and head, in each of the 48 orders of axes.
TEST(View, PhantomCubeLiesWhereARadiologistLooksForIt) {
  const Window window = Window::between(0, 1);
  for (const Grid& grid : all_grids()) {
    const AnyVolume volume = cube(grid, {10, 10, 10}, 6);
    const auto axial = centre_of(picture_of(volume, view_of(grid, Plane::axial, -1), window));
    EXPECT_NEAR(axial[0], 0.75, 0.03);  // left of the patient is right in the picture
    EXPECT_NEAR(axial[1], 0.75, 0.03);  // back is down
    const auto coronal = centre_of(picture_of(volume, view_of(grid, Plane::coronal, -1), window));
    EXPECT_NEAR(coronal[0], 0.75, 0.03);
    EXPECT_NEAR(coronal[1], 0.25, 0.03);  // head is up
    const auto sagittal = centre_of(picture_of(volume, view_of(grid, Plane::sagittal, -1), window));
    EXPECT_NEAR(sagittal[0], 0.75, 0.03);  // front is left
    EXPECT_NEAR(sagittal[1], 0.25, 0.03);
  }
}

TEST(View, PhantomSliceMeetsTheCubeAndTheNextDoesNot) {
  const Grid grid({40, 20, 10}, {1, 2, 4}, {-19.5, -19, -18});
  const AnyVolume volume = cube(grid, {10, 10, 10}, 3);  // slice 7 alone
  const Window window = Window::between(0, 1);
  EXPECT_GT(centre_of(picture_of(volume, view_of(grid, Plane::axial, 7), window))[0], 0.7);
  const Picture empty = picture_of(volume, view_of(grid, Plane::axial, 3), window);
  EXPECT_TRUE(std::all_of(empty.pixels.begin(), empty.pixels.end(), [](Rgb8 p) { return p == Rgb8{}; }));
  EXPECT_THROW((void)view_of(grid, Plane::axial, 10), Error);
}

TEST(View, PixelsAreSquareInMillimetres) {
  const Grid grid({40, 20, 10}, {1, 2, 4});
  for (const Plane plane : {Plane::axial, Plane::coronal, Plane::sagittal}) {
    const View view = view_of(grid, plane, 0, {.longest_px = 200, .zoom_max = 100});
    EXPECT_EQ(view.width, 200);
    EXPECT_EQ(view.height, 200);
    EXPECT_DOUBLE_EQ(view.pixel_mm, 0.2);
  }
  const View wide = view_of(Grid({100, 50, 5}, {1, 1, 3}), Plane::coronal, 0, {.longest_px = 500, .zoom_max = 100});
  EXPECT_EQ(wide.width, 500);
  EXPECT_EQ(wide.height, 75);
  Frame2d frame;
  frame.width = 100, frame.height = 100;
  frame.pixels = std::vector<std::uint8_t>(10000);
  frame.spacing_mm = {{0.5, 0.25}};
  EXPECT_EQ(view_of(frame, {.longest_px = 200, .zoom_max = 8}).height, 100);
}

TEST(View, InverseOfPixelIsIndex) {
  for (const Grid& grid : all_grids()) {
    const View view = view_of(grid, Plane::coronal, 5);
    const auto p = view.pixel_of(view.index_of(31, 77));
    EXPECT_NEAR(p[0], 31, 1e-9);
    EXPECT_NEAR(p[1], 77, 1e-9);
    EXPECT_NEAR(view.slices_away(grid.to_patient(view.index_of(31, 77))), 0, 1e-9);
  }
}

TEST(Slice, AveragesWhereThePictureIsCoarser) {
  Volume<std::uint8_t> checker(Grid({64, 64, 1}, {1, 1, 1}));
  for (std::int64_t y = 0; y < 64; ++y)
    for (std::int64_t x = 0; x < 64; ++x) checker.at(x, y, 0) = (x + y) % 2 == 0 ? 200 : 0;
  const View view = view_of(checker.grid(), Plane::axial, 0, {.longest_px = 32, .zoom_max = 8});
  const auto values = values_of(AnyVolume(std::move(checker)), view);
  for (const float v : values) EXPECT_NEAR(v, 100, 1);
}

TEST(Slice, LabelsFollowTheImageAlsoOnAnotherGrid) {
  const std::vector<Grid> grids = all_grids();
  const AnyVolume image = cube(grids[0], {10, 10, 10}, 6);
  const View view = view_of(grids[0], Plane::axial, 7);
  const Picture shown = picture_of(image, view, Window::between(0, 1));
  for (const Grid& grid : grids) {
    LabelMap labels;
    labels.layers.emplace_back(grid);
    const Volume<float> there = cube(grid, {10, 10, 10}, 6);
    std::transform(there.voxels().begin(), there.voxels().end(), labels.layers[0].voxels().begin(),
                   [](float v) { return static_cast<std::uint16_t>(v); });
    const auto values = labels_of(labels, 0, view);
    double wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) wrong += (values[i] != 0) != (shown.pixels[i].green > 127);
    EXPECT_LT(wrong / static_cast<double>(values.size()), 0.01);
  }
}

// Published: PS3.3 C.11.2.1.2.1 (linear), up to the half level of its "- 0.5 ... - 1" for integers.
TEST(Window, LevelsOfALinearWindow) {
  const Window window{40, 400};
  EXPECT_EQ(window.level(-160), 0);
  EXPECT_EQ(window.level(-1000), 0);
  EXPECT_EQ(window.level(40), 128);
  EXPECT_EQ(window.level(240), 255);
  EXPECT_EQ(window.level(std::nanf("")), 0);
}

TEST(Window, DefaultsByModality) {
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(cube(Grid({40, 20, 10}, {1, 2, 4}), {10, 10, 10}, 6));
  image.pixels = std::move(volumes);
  image.acquisition.modality = "CT";
  image.unit = "[hnsf'U]";
  EXPECT_EQ(default_windows(image).size(), 3U);
  EXPECT_EQ(default_windows(image)[0].width, 400);
  image.acquisition.modality = "PET";
  image.unit = "g/mL";
  EXPECT_EQ(default_windows(image)[0].name, "SUV 0 to 5");
  image.acquisition.modality = "MR";
  image.unit = "";
  EXPECT_EQ(default_windows(image)[0].width, 1);
}

TEST(Text, DrawsLatinAndChinese) {
  const Text text;
  Picture blank(200, 30), latin = blank, chinese = blank;
  text.draw(latin, 2, 2, "SYNTHETIC");
  EXPECT_TRUE(differs(latin, blank));  // with or without fonts
  if (!text.has_font() || !text.remarks().empty())
    GTEST_SKIP() << "fonts not here: fonts-dejavu-core, fonts-wqy-zenhei";
  text.draw(chinese, 2, 2, "\xE8\x82\x9D\xE8\x84\x8F");  // liver
  EXPECT_TRUE(differs(chinese, blank));
  EXPECT_GT(text.width_px("wide text", 14), text.width_px("text", 14));
  text.draw(latin, -50, 25, "over the edge \xFF\xE8", {.anchor = Anchor::bottom_right});
}

TEST(Draw, LineBoxAndEllipseStayInside) {
  Picture picture(50, 50);
  draw_line(picture, {10, 10}, {20, 10}, {{255, 0, 0}, 1});
  EXPECT_EQ(picture.at(15, 10), (Rgb8{255, 0, 0}));
  draw_box(picture, {-100, -100}, {1e12, 30}, {{0, 255, 0}, 1});
  EXPECT_EQ(picture.at(25, 30), (Rgb8{0, 255, 0}));
  draw_ellipse(picture, {25, 25}, 20, 10, 0, {{0, 0, 255}, 1});
  EXPECT_EQ(picture.at(45, 25), (Rgb8{0, 0, 255}));
  EXPECT_EQ(picture.at(25, 35), (Rgb8{0, 0, 255}));
  draw_line(picture, {std::nan(""), 0}, {1, 1});
  draw_point(picture, {25, 25});
  EXPECT_EQ(picture.at(25, 25), Rgb8{});
}

TEST(Overlay, LettersScaleBarAndFindings) {
  const Grid grid({40, 20, 10}, {1, 2, 4}, {-19.5, -19, -18});
  const View view = view_of(grid, Plane::axial, 7);
  const Text text;
  const Picture blank(view.width, view.height);
  Picture lettered = blank, barred = blank, found = blank, stamped = blank;
  draw_letters(lettered, view, text);
  draw_scale_bar(barred, view, text);
  stamp_synthetic(stamped, text);
  EXPECT_TRUE(differs(lettered, blank));
  EXPECT_TRUE(differs(barred, blank));
  EXPECT_TRUE(differs(stamped, blank));
  Finding finding;
  finding.label = "lesion";
  finding.box = {4, 4, 4, 16, 16, 16};
  EXPECT_TRUE(draw_finding(found, finding, view, text));
  EXPECT_TRUE(differs(found, blank));
  EXPECT_FALSE(draw_finding(found, finding, view_of(grid, Plane::axial, 0), text));
}

TEST(Montage, KeySlicesMeetTheLabels) {
  for (const Grid& grid : all_grids()) {
    LabelMap labels;
    labels.layers.emplace_back(grid);
    const Volume<float> there = cube(grid, {10, 10, 10}, 6);
    std::transform(there.voxels().begin(), there.voxels().end(), labels.layers[0].voxels().begin(),
                   [](float v) { return static_cast<std::uint16_t>(v); });
    for (const KeySlice& key : key_slices(labels))
      EXPECT_NEAR(view_of(grid, key.plane, key.slice).slices_away({10, 10, 10}), 0, 1);
    const auto slices = spread_slices(labels, Plane::axial, 2);
    ASSERT_EQ(slices.size(), 2U);
    const auto height = [&](const KeySlice& k) {
      return grid.to_patient(view_of(grid, k.plane, k.slice).index_of(0, 0)).z;
    };
    EXPECT_LT(height(slices[0]), height(slices[1]));
  }
}

TEST(Montage, SizesAndThumbnails) {
  const Text text;
  std::vector<Tile> tiles;
  for (int i = 0; i < 5; ++i)
    tiles.push_back({Picture(40, 30, {200, 0, 0}), "a caption that is far too long for its cell"});
  const Picture sheet = montage(tiles, text, {.columns = 3});
  EXPECT_EQ(sheet.width, 3 * 46 + 6);
  EXPECT_GT(sheet.height, 2 * 30);
  const Picture small = thumbnail(sheet, 50);
  EXPECT_EQ(std::max(small.width, small.height), 50);
  EXPECT_EQ(montage({}, text).width, 1);
}

TEST(KeyPictures, OfAVolumeAreThreePlanesStampedWhenSynthetic) {
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(cube(Grid({40, 20, 10}, {1, 2, 4}), {10, 10, 10}, 6));
  image.pixels = std::move(volumes);
  const Text text;
  const auto plain = key_pictures(image, nullptr, {}, text);
  ASSERT_EQ(plain.size(), 3U);
  EXPECT_EQ(plain[0].caption, "axial 6 / 10");
  image.acquisition.synthetic = true;
  EXPECT_TRUE(differs(plain[0].picture, key_pictures(image, nullptr, {}, text)[0].picture));
}

}  // namespace
}  // namespace penta::render
