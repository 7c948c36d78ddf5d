#include "tasks/heat.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "image/resample/resample.h"
#include "render/window.h"

namespace penta {

namespace {

/// The heat laid over a picture: grey where there is none, towards hot iron where there is.
Picture overlay(VolumeView<const float> picture, VolumeView<const float> heat) {
  const render::Window window = render::robust_window(picture.voxels);
  Picture out(picture.grid.size()[0], picture.grid.size()[1]);
  for (std::size_t i = 0; i < out.pixels.size(); ++i) {
    const Rgb8 grey = window.colour(picture.voxels[i]);
    const Rgb8 hot = render::colour_of(render::Palette::hot_iron, static_cast<std::uint8_t>(255 * heat.voxels[i]));
    const float share = 0.6F * heat.voxels[i];
    const auto mixed = [&](std::uint8_t a, std::uint8_t b) {
      return static_cast<std::uint8_t>(static_cast<float>(a) * (1 - share) + static_cast<float>(b) * share);
    };
    out.pixels[i] = {mixed(grey.red, hot.red), mixed(grey.green, hot.green), mixed(grey.blue, hot.blue)};
  }
  return out;
}

}  // namespace

Volume<float> picture_volume(const Frame2d& frame) {
  Volume<float> volume(Grid({frame.width, frame.height, 1}, {1, 1, 1}));
  const std::vector<float> grey = frame.grey();
  std::copy(grey.begin(), grey.end(), volume.voxels().begin());
  return volume;
}

Volume<float> heat_on(const nn::Judgement& judgement, std::size_t label, const Grid& grid) {
  const Size3& size = judgement.heat_size;
  const auto count = static_cast<std::size_t>(size[0] * size[1] * size[2]);
  // A single class has one map: "other" is seen where the class is.
  const std::size_t row = std::min(label, judgement.heat.size() / count - 1);
  const std::span<const float> one(judgement.heat.data() + row * count, count);
  Volume<float> heat = resample_linear({*judgement.heat_grid, one}, grid, 0.F);
  const float top = *std::max_element(one.begin(), one.end());
  for (float& v : heat.voxels()) v = top > 0 ? std::clamp(v / top, 0.F, 1.F) : 0.F;
  return heat;
}

std::vector<Artifact> heat_artifacts(const nn::Judgement& judgement, std::size_t label, const Volume<float>& picture) {
  const Volume<float> map = heat_on(judgement, label, picture.grid());
  Frame2d frame;
  frame.width = picture.grid().size()[0];
  frame.height = picture.grid().size()[1];
  std::vector<std::uint8_t> grey(map.voxels().size());
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<std::uint8_t>(std::lround(255 * map.voxels()[i]));
  frame.pixels = std::move(grey);
  Image image;
  FrameSequence sequence;
  sequence.push_back(std::move(frame));
  image.pixels = std::move(sequence);
  std::vector<Artifact> out;
  out.push_back({"heat_map", std::move(image)});
  out.push_back({"heat_overlay", overlay(picture.view(), map.view())});
  return out;
}

}  // namespace penta
