#include "render/key_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace penta::render {

namespace {

/// What all pictures of one image have in common.
struct Scene {
  const LabelMap* labels;
  const Findings& findings;
  const Text& text;
  const KeyPictureStyle& style;
  bool synthetic;
};

std::string captioned(const std::string& what, std::int64_t number, std::int64_t count, const std::string& window) {
  return what + " " + std::to_string(number) + " / " + std::to_string(count) + (window.empty() ? "" : ", " + window);
}

void decorate(Picture& picture, const View& view, const Scene& scene, std::int64_t frame) {
  if (scene.labels != nullptr) draw_labels(picture, *scene.labels, view, scene.style.labels, frame);
  for (const Finding& finding : scene.findings) draw_finding(picture, finding, view, scene.text, frame);
  if (scene.style.letters) draw_letters(picture, view, scene.text);
  if (scene.style.scale_bar) draw_scale_bar(picture, view, scene.text);
  if (scene.synthetic) stamp_synthetic(picture, scene.text);
}

KeyPicture slice_picture(const AnyVolume& volume, KeySlice at, const Window& window, const Scene& scene) {
  const Grid& grid = grid_of(volume);
  const View view = view_of(grid, at.plane, at.slice, scene.style.size);
  KeyPicture key{.picture = picture_of(volume, view, window),
                 .plane = at.plane,
                 .number = at.slice + 1,
                 .count = slice_count(grid, at.plane),
                 .window = window.name};
  decorate(key.picture, view, scene, 0);
  if (at.slice < 0) {
    key.kind = KeyPicture::Kind::projection;
    key.number = key.count = 0;
    key.caption =
        std::string(name_of(at.plane)) + " maximum projection" + (window.name.empty() ? "" : ", " + window.name);
  } else {
    key.caption = captioned(std::string(name_of(at.plane)), key.number, key.count, window.name);
  }
  return key;
}

/// Slices through what is labelled, on the image's grid.
std::vector<KeySlice> chosen_slices(const Grid& grid, const LabelMap* labels) {
  if (labels == nullptr || labels->planar) return key_slices(grid);
  std::vector<KeySlice> slices = key_slices(*labels);
  if (labels->grid().same_as(grid)) return slices;
  // Labels on another grid: the same place in mm.
  const AxisOrder theirs = axis_order(labels->grid()), ours = axis_order(grid);
  std::array<double, 3> index{};
  for (std::size_t k = 0; k < 3; ++k)
    index[static_cast<std::size_t>(theirs.index_axis[2 - k])] = static_cast<double>(slices[k].slice);
  const IndexPoint here = grid.to_index(labels->grid().to_patient({index[0], index[1], index[2]}));
  const std::array<double, 3> at{here.x, here.y, here.z};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto axis = static_cast<std::size_t>(ours.index_axis[2 - k]);
    slices[k].slice = std::clamp<std::int64_t>(std::llround(at[axis]), 0, grid.size()[axis] - 1);
  }
  return slices;
}

std::vector<KeyPicture> volume_pictures(const Image& image, const VolumeSequence& volumes, const Scene& scene) {
  std::vector<KeyPicture> keys;
  if (volumes.empty()) return keys;
  const AnyVolume& volume = volumes[volumes.size() / 2];
  const std::vector<Window> windows = default_windows(image);
  const std::string& modality = image.acquisition.modality;
  const bool emission = modality == "PET" || modality == "SPECT";
  if (emission && slice_count(grid_of(volume), Plane::axial) > 1)
    for (const Plane plane : {Plane::coronal, Plane::sagittal})
      keys.push_back(slice_picture(volume, {plane, -1}, windows.front(), scene));
  const std::vector<KeySlice> slices = chosen_slices(grid_of(volume), scene.labels);
  const Size3& n = grid_of(volume).size();
  for (const KeySlice& at : slices) {
    // A volume of one slice has one picture: across it, its other planes are lines.
    const AxisOrder order = axis_order(grid_of(volume));
    const std::size_t through = at.plane == Plane::axial ? 2 : at.plane == Plane::coronal ? 1 : 0;
    const bool flat = std::min({n[0], n[1], n[2]}) == 1;
    if (flat && n[static_cast<std::size_t>(order.index_axis[through])] != 1) continue;
    keys.push_back(slice_picture(volume, at, windows.front(), scene));
    if (at.plane != Plane::axial || !scene.style.all_windows) continue;
    for (std::size_t w = 1; w < windows.size(); ++w) keys.push_back(slice_picture(volume, at, windows[w], scene));
  }
  return keys;
}

/// `wanted` of 0 .. count - 1, evenly spaced.
std::vector<std::int64_t> spread_numbers(std::int64_t count, int wanted) {
  std::vector<std::int64_t> numbers;
  const auto n = std::min<std::int64_t>(count, wanted);
  for (std::int64_t i = 0; i < n; ++i) numbers.push_back((2 * i + 1) * count / (2 * n));
  return numbers;
}

std::vector<KeyPicture> frame_pictures(const Image& image, const FrameSequence& frames, const Scene& scene) {
  std::vector<KeyPicture> keys;
  const auto count = static_cast<std::int64_t>(frames.size());
  for (const std::int64_t i : spread_numbers(count, scene.style.frames_max)) {
    const Frame2d& frame = frames[static_cast<std::size_t>(i)];
    const View view = view_of(frame, scene.style.size);
    const Window window = default_windows(image, static_cast<int>(i)).front();
    KeyPicture key{
        .picture = picture_of(frame, view, window), .kind = KeyPicture::Kind::frame, .number = i + 1, .count = count};
    decorate(key.picture, view, scene, i);
    key.caption = count == 1 ? std::string() : captioned("frame", i + 1, count, "");
    keys.push_back(std::move(key));
  }
  return keys;
}

std::vector<KeyPicture> stack_pictures(const Image& image, const SliceStack& stack, const Scene& scene) {
  std::vector<KeyPicture> keys;
  const auto count = static_cast<std::int64_t>(stack.slices.size());
  const Window window = default_windows(image).front();
  const View view = view_of(stack, scene.style.size);
  for (const std::int64_t i : spread_numbers(count, scene.style.frames_max)) {
    KeyPicture key{.picture = picture_of(stack, static_cast<std::size_t>(i), view, window),
                   .kind = KeyPicture::Kind::stack_slice,
                   .number = i + 1,
                   .count = count,
                   .window = window.name};
    if (scene.style.scale_bar) draw_scale_bar(key.picture, view, scene.text);
    if (scene.synthetic) stamp_synthetic(key.picture, scene.text);
    key.caption = captioned("slice", i + 1, count, window.name);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

std::vector<KeyPicture> key_pictures(const Image& image, const LabelMap* labels, const Findings& findings,
                                     const Text& text, const KeyPictureStyle& style) {
  const Scene scene{labels, findings, text, style, image.acquisition.synthetic};
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels)) return volume_pictures(image, *volumes, scene);
  if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) return frame_pictures(image, *frames, scene);
  return stack_pictures(image, std::get<SliceStack>(image.pixels), scene);
}

std::vector<KeyPicture> key_pictures(const RawData& raw, const Text& text, const KeyPictureStyle& style) {
  std::vector<KeyPicture> keys;
  const auto* projections = std::get_if<Projections>(&raw.value);
  if (projections == nullptr || projections->layers.empty()) return keys;
  const std::int64_t one = projections->columns * projections->rows;
  const std::int64_t count = one > 0 ? static_cast<std::int64_t>(projections->layers.front().size()) / one : 0;
  const Window window = default_window(*projections, 0);
  const View view = view_of(*projections, style.size);
  for (const std::int64_t i : spread_numbers(count, style.frames_max)) {
    KeyPicture key{.picture = picture_of(*projections, 0, i, view, window),
                   .kind = KeyPicture::Kind::camera_view,
                   .number = i + 1,
                   .count = count};
    if (style.scale_bar) draw_scale_bar(key.picture, view, text);
    if (raw.acquisition.synthetic) stamp_synthetic(key.picture, text);
    key.caption = captioned("camera view", i + 1, count, "");
    keys.push_back(std::move(key));
  }
  return keys;
}

Picture axial_montage(const Image& image, const LabelMap* labels, const Text& text, int count, ViewSize size) {
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  if (volumes == nullptr || volumes->empty())
    throw Error(Code::bad_input, "a sheet of slices needs a volume, and this is " + image.shape_text());
  const AnyVolume& volume = (*volumes)[volumes->size() / 2];
  const Grid& grid = grid_of(volume);
  const bool here = labels != nullptr && !labels->planar && labels->grid().same_as(grid);
  const KeyPictureStyle style{.size = size, .letters = false, .scale_bar = false};
  const Findings none;
  const Scene scene{labels, none, text, style, image.acquisition.synthetic};
  const Window window = default_windows(image).front();
  std::vector<Tile> tiles;
  for (const KeySlice& at :
       here ? spread_slices(*labels, Plane::axial, count) : spread_slices(grid, Plane::axial, count)) {
    KeyPicture key = slice_picture(volume, at, window, scene);
    tiles.push_back({std::move(key.picture), std::to_string(key.number) + " / " + std::to_string(key.count)});
  }
  return montage(tiles, text);
}

}  // namespace penta::render
