#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {
namespace {

/// A frame in which a dark disc lies in speckle-free tissue: something for the network to look at.
Image picture() {
  Frame2d frame;
  frame.width = 320;
  frame.height = 240;
  std::vector<float> pixels(320 * 240);
  for (int y = 0; y < 240; ++y)
    for (int x = 0; x < 320; ++x) {
      const bool dark = (x - 160) * (x - 160) + (y - 120) * (y - 120) < 30 * 30;
      pixels[static_cast<std::size_t>(y * 320 + x)] = dark ? 5.F : 60.F + static_cast<float>((x * 7 + y * 13) % 41);
    }
  frame.pixels = std::move(pixels);
  Image image;
  image.pixels = FrameSequence{std::move(frame)};
  image.acquisition.modality = "US";
  return image;
}

Answer run(const Method& method, const Image& image, const std::map<std::string, std::string>& settings) {
  const Params params(method.card(), settings);
  Workspace workspace;
  Control control;
  const std::vector<Input> inputs{{"image", &image}};
  return method.run({inputs, {}, params, workspace, control});
}

// Twin: the boxes of vessels are those of the parts of label 2 that segmentation/us.nerve_vessel gives.
TEST(UsNerveVessel, BoxesCoverTheVesselsOfTheLabelMapTwin) {
  const nn::ModelStore models({repository_root() / "models"});
  if (models.find("us.nerve_vessel") == nullptr) GTEST_SKIP() << "the model us.nerve_vessel is not here";
  const std::vector<MethodPtr> methods = all_methods(models);
  const auto with_key = [&](const std::string& key) -> const Method& {
    return **std::find_if(methods.begin(), methods.end(), [&](const MethodPtr& m) { return m->card().key() == key; });
  };
  const Image image = picture();
  const Answer boxes = run(with_key("detection/us.nerve_vessel"), image, {{"share_min", "0"}, {"most", "1000"}});
  const Answer labels = run(with_key("segmentation/us.nerve_vessel"), image, {});
  const auto& map = std::get<LabelMap>(labels.artifacts.at(0).value).layers.at(0);
  const auto& found = std::get<Findings>(boxes.artifacts.at(0).value);
  std::int64_t vessel = 0, outside = 0;
  for (std::int64_t y = 0; y < 240; ++y)
    for (std::int64_t x = 0; x < 320; ++x) {
      if (map.at(x, y, 0) != 2) continue;
      ++vessel;
      const auto px = static_cast<double>(x), py = static_cast<double>(y);
      outside += std::none_of(found.begin(), found.end(), [&](const Finding& f) {
        return px > f.box[0] && px < f.box[3] && py > f.box[1] && py < f.box[4];
      });
    }
  EXPECT_EQ(outside, 0);
  EXPECT_EQ(vessel == 0, found.empty());
  for (const Finding& finding : found) {
    EXPECT_GT(finding.score, 1.0 / 3);
    EXPECT_LE(finding.score, 1.0);
  }
}

}  // namespace
}  // namespace penta
