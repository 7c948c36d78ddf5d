#include "engine/pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "image/rasterize/polygon.h"
#include "render/montage.h"
#include "render/overlay.h"
#include "render/slice.h"
#include "render/window.h"

namespace penta::engine {

namespace {

using render::Plane;
using render::Text;
using render::View;
using render::Window;

constexpr render::ViewSize key_size{340, 8};
constexpr int frames_shown = 6;

void finish(Picture& picture, const View& view, const Text& text, bool synthetic) {
  render::draw_letters(picture, view, text);
  render::draw_scale_bar(picture, view, text);
  if (synthetic) render::stamp_synthetic(picture, text);
}

std::string caption_of(const render::KeySlice& key, const Window& window) {
  std::string text = std::string(name_of(key.plane)) + " " + std::to_string(key.slice + 1);
  return window.name.empty() ? text : text + ", " + window.name;
}

// What is drawn over a slice: the labels and findings of one step.
struct Overlay {
  const LabelMap* labels = nullptr;
  const Findings* findings = nullptr;
};

class SeriesPictures {
 public:
  SeriesPictures(const io::Content& content, SeriesReport& report) : content_(content), report_(report) {}

  void plain() {
    if (const auto* image = std::get_if<Image>(&content_)) plain(*image);
    if (const auto* raw = std::get_if<RawData>(&content_))
      if (const auto* projections = std::get_if<Projections>(&raw->value)) plain(*projections);
  }

  // Regions that came with the study, over the image that they were drawn on.
  void given(const io::Content& supply) {
    const auto* image = std::get_if<Image>(&content_);
    if (image == nullptr || !image->is_volume()) return;
    if (const auto* labels = std::get_if<LabelMap>(&supply)) overlaid("given labels", {labels, nullptr});
    const auto* contours = std::get_if<Contours>(&supply);
    if (contours == nullptr) return;
    std::vector<Remark> remarks;
    const LabelMap labels = rasterize(*contours, grid_of(image->volume()), remarks);
    overlaid("given regions", {&labels, nullptr});
  }

  // Labels, findings and new volumes of one step.
  void step(const Produced& produced) {
    const std::string& id = produced.method->card().id;
    Overlay overlay;
    const Image* made = nullptr;
    for (const Artifact& artifact : produced.answer.artifacts) {
      if (const auto* labels = std::get_if<LabelMap>(&artifact.value); labels != nullptr && overlay.labels == nullptr)
        overlay.labels = labels;
      if (const auto* found = std::get_if<Findings>(&artifact.value)) overlay.findings = found;
      if (const auto* image = std::get_if<Image>(&artifact.value)) made = image;
    }
    if (made != nullptr && std::holds_alternative<RawData>(content_)) {
      reconstructed_ = made;
      plain(*made, id + ": ");
    }
    const bool something = (overlay.labels != nullptr && !overlay.labels->segments.empty()) ||
                           (overlay.findings != nullptr && !overlay.findings->empty());
    if (something) overlaid(id, overlay);
  }

 private:
  bool synthetic() const { return report_.acquisition.synthetic; }

  void add(Picture picture, const std::string& caption) {
    report_.pictures.push_back({"key-" + std::to_string(report_.pictures.size() + 1) + ".png", caption, std::move(picture)});
  }

  void plain(const Image& image, const std::string& before = "") {
    if (image.is_frames()) return frames(image, {}, before);
    if (const auto* stack = std::get_if<SliceStack>(&image.pixels)) return this->stack(*stack, image);
    const auto& volumes = std::get<VolumeSequence>(image.pixels);
    if (volumes.empty()) return;
    const AnyVolume& volume = volumes[volumes.size() / 2];
    const std::vector<Window> windows = render::default_windows(image);
    add(slices(volume, render::key_slices(grid_of(volume)), windows.front(), {}), before + "key slices" + window_text(windows.front()));
    if (report_.modality == "PET" || report_.modality == "SPECT") projections_of(volume, windows.front(), {}, before);
    if (report_.modality == "CT" && windows.size() > 1)
      add(slices(volume, render::key_slices(grid_of(volume)), windows[1], {}), before + "key slices" + window_text(windows[1]));
  }

  static std::string window_text(const Window& window) { return window.name.empty() ? "" : " (" + window.name + ")"; }

  Picture slices(const AnyVolume& volume, const std::vector<render::KeySlice>& keys, const Window& window,
                 const Overlay& overlay) {
    std::vector<render::Tile> tiles;
    for (const render::KeySlice& key : keys) {
      const View view = render::view_of(grid_of(volume), key.plane, key.slice, key_size);
      Picture picture = render::picture_of(volume, view, window);
      lay(picture, view, overlay);
      finish(picture, view, text_, synthetic());
      tiles.push_back({std::move(picture), caption_of(key, window)});
    }
    return render::montage(tiles, text_, {static_cast<int>(tiles.size()), 6, 13, {}});
  }

  void lay(Picture& picture, const View& view, const Overlay& overlay, std::int64_t frame = 0) {
    if (overlay.labels != nullptr) render::draw_labels(picture, *overlay.labels, view, {}, frame);
    if (overlay.findings != nullptr)
      for (const Finding& finding : *overlay.findings) (void)render::draw_finding(picture, finding, view, text_, frame);
  }

  void projections_of(const AnyVolume& volume, const Window& window, const Overlay& overlay, const std::string& before) {
    if (grid_of(volume).size()[2] < 4) return;
    std::vector<render::Tile> tiles;
    for (const Plane plane : {Plane::coronal, Plane::sagittal}) {
      const View view = render::view_of(grid_of(volume), plane, -1, key_size);
      Picture picture = render::picture_of(volume, view, window);
      lay(picture, view, overlay);
      finish(picture, view, text_, synthetic());
      tiles.push_back({std::move(picture), std::string(name_of(plane)) + " maximum intensity"});
    }
    add(render::montage(tiles, text_, {2, 6, 13, {}}), before + "maximum intensity projections" + window_text(window));
  }

  void frames(const Image& image, const Overlay& overlay, const std::string& before) {
    const FrameSequence& list = image.frames();
    const auto count = static_cast<int>(list.size());
    const int shown = overlay.labels != nullptr || overlay.findings != nullptr ? std::min(count, 3) : std::min(count, frames_shown);
    std::vector<render::Tile> tiles;
    for (int i = 0; i < shown; ++i) {
      const int index = shown == 1 ? 0 : i * (count - 1) / (shown - 1);
      const Frame2d& frame = list[static_cast<std::size_t>(index)];
      const View view = render::view_of(frame, {count == 1 ? 640 : 340, 4});
      Picture picture = render::picture_of(frame, view, render::default_windows(image, index).front());
      lay(picture, view, overlay, index);
      finish(picture, view, text_, synthetic());
      tiles.push_back({std::move(picture), count == 1 ? "" : "frame " + std::to_string(index + 1) + " of " + std::to_string(count)});
    }
    add(render::montage(tiles, text_, {std::min(3, shown), 6, 13, {}}), before + (count == 1 ? "image" : "frames"));
  }

  void stack(const SliceStack& stack, const Image& image) {
    const std::vector<Window> windows = render::default_windows(image);
    std::vector<render::Tile> tiles;
    const std::size_t count = stack.slices.size();
    const std::size_t shown = std::min<std::size_t>(count, 3);
    for (std::size_t i = 0; i < shown; ++i) {
      const std::size_t index = shown == 1 ? 0 : i * (count - 1) / (shown - 1);
      const View view = render::view_of(stack, key_size);
      Picture picture = render::picture_of(stack, index, view, windows.front());
      finish(picture, view, text_, synthetic());
      tiles.push_back({std::move(picture), "slice " + std::to_string(index + 1)});
    }
    add(render::montage(tiles, text_, {static_cast<int>(shown), 6, 13, {}}), "slices" + window_text(windows.front()));
  }

  void plain(const Projections& projections) {
    const Window window = render::default_window(projections, 0);
    const auto views = static_cast<std::int64_t>(projections.angle_deg.size());
    std::vector<render::Tile> tiles;
    for (int i = 0; i < 4 && i < views; ++i) {
      const std::int64_t index = i * std::max<std::int64_t>(views - 1, 0) / 3;
      const View view = render::view_of(projections, {220, 8});
      Picture picture = render::picture_of(projections, 0, index, view, window);
      finish(picture, view, text_, synthetic());
      tiles.push_back({std::move(picture), "view " + std::to_string(index + 1) + " of " + std::to_string(views)});
    }
    add(render::montage(tiles, text_, {4, 6, 13, {}}), "projections");
  }

  void overlaid(const std::string& id, const Overlay& overlay) {
    const auto* image = std::get_if<Image>(&content_);
    if (image == nullptr) image = reconstructed_;
    if (image == nullptr) return;
    if (image->is_frames()) return frames(*image, overlay, id + ": ");
    const auto* volumes = std::get_if<VolumeSequence>(&image->pixels);
    if (volumes == nullptr || volumes->empty()) return;
    const AnyVolume& volume = (*volumes)[volumes->size() / 2];
    const Window window = render::default_windows(*image).front();
    add(slices(volume, keys_of(volume, overlay), window, overlay), id + legend(overlay));
    if (report_.modality == "PET" && overlay.labels != nullptr) projections_of(volume, window, overlay, id + ": ");
  }

  static std::vector<render::KeySlice> keys_of(const AnyVolume& volume, const Overlay& overlay) {
    if (overlay.labels != nullptr && overlay.labels->grid().same_as(grid_of(volume))) return render::key_slices(*overlay.labels);
    std::vector<render::KeySlice> keys = render::key_slices(grid_of(volume));
    if (overlay.findings == nullptr || overlay.findings->empty()) return keys;
    // Through the first finding: the method puts the most important one first.
    const IndexPoint at = grid_of(volume).to_index(overlay.findings->front().centre);
    const std::array<double, 3> place{at.x, at.y, at.z};
    for (render::KeySlice& key : keys) {
      const View view = render::view_of(grid_of(volume), key.plane, 0, key_size);
      const auto axis = static_cast<std::size_t>(view.axes[2]);
      key.slice = std::clamp<std::int64_t>(std::lround(place[axis]), 0, grid_of(volume).size()[axis] - 1);
    }
    return keys;
  }

  // Names of the segments, so that colours in the picture can be read (the first eight).
  static std::string legend(const Overlay& overlay) {
    if (overlay.labels == nullptr) return {};
    std::string text = ": ";
    int shown = 0;
    for (const Segment& segment : overlay.labels->segments) {
      if (shown == 8) return text + ", ...";
      text += (shown++ > 0 ? ", " : "") + segment.name + (segment.side == Side::none ? "" : " " + std::string(name_of(segment.side)));
    }
    return text;
  }

  const io::Content& content_;
  SeriesReport& report_;
  const Image* reconstructed_ = nullptr;
  Text text_;
};

}  // namespace

std::vector<ReportPicture> key_pictures(const io::Content& content) {
  SeriesReport report;
  report.acquisition = acquisition_of(content);
  report.modality = report.acquisition.modality;
  SeriesPictures(content, report).plain();
  return std::move(report.pictures);
}

void add_pictures(const io::Content& content, const Runner& runner, SeriesReport& report) {
  SeriesPictures pictures(content, report);
  pictures.plain();
  for (const Supply& supply : runner.supplies())
    if (supply.content.get() != &content) pictures.given(*supply.content);
  for (const auto& step : runner.steps()) pictures.step(*step);
}

}  // namespace penta::engine
