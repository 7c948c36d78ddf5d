#include "engine/pictures.h"

#include <algorithm>
#include <utility>

#include "image/rasterize/polygon.h"
#include "render/key_pictures.h"

namespace penta::engine {

namespace {

// Names of the segments, so that colours in the picture can be read (the first eight).
std::string legend(const LabelMap* labels) {
  if (labels == nullptr) return {};
  std::string text;
  int shown = 0;
  for (const Segment& segment : labels->segments) {
    if (shown == 8) return text + ", ...";
    text += (shown++ > 0 ? ", " : ": ") + segment.name;
    if (segment.side != Side::none) text += " " + std::string(name_of(segment.side));
  }
  return text;
}

bool unsure_of_sides(const Image& image) {
  return std::any_of(image.remarks.begin(), image.remarks.end(),
                     [](const Remark& r) { return r.code == "orientation_unknown"; });
}

// One sheet a call: the key pictures side by side, each with its caption.
class Sheets {
 public:
  explicit Sheets(SeriesReport& report) : report_(report) {}

  void image(const Image& image, const LabelMap* labels, const Findings& findings, const std::string& caption) {
    render::KeyPictureStyle style;
    const bool one_frame = image.is_frames() && image.frames().size() == 1;
    style.size = {one_frame ? 640 : 340, one_frame ? 4.0 : 8.0};
    style.frames_max = labels == nullptr ? 6 : 3;
    style.all_windows = labels == nullptr;
    style.letters = !unsure_of_sides(image);
    sheet(render::key_pictures(image, labels, findings, text_, style), caption);
  }

  void raw(const RawData& raw) {
    render::KeyPictureStyle style;
    style.size = {220, 8};
    sheet(render::key_pictures(raw, text_, style), "camera views");
  }

 private:
  void sheet(std::vector<render::KeyPicture> pictures, const std::string& caption) {
    if (pictures.empty()) return;
    std::vector<render::Tile> tiles;
    for (render::KeyPicture& picture : pictures) tiles.push_back({std::move(picture.picture), picture.caption});
    const int columns = tiles.size() == 4 ? 4 : std::min<int>(3, static_cast<int>(tiles.size()));
    report_.pictures.push_back({"key-" + std::to_string(report_.pictures.size() + 1) + ".png", caption,
                                render::montage(tiles, text_, {columns, 6, 13, {}})});
  }

  SeriesReport& report_;
  render::Text text_;
};

// Regions that came with the study, over the image that they were drawn on.
void add_given(const Image& image, const io::Content& supply, Sheets& sheets) {
  if (!image.is_volume()) return;
  if (const auto* labels = std::get_if<LabelMap>(&supply)) sheets.image(image, labels, {}, "given labels" + legend(labels));
  const auto* contours = std::get_if<Contours>(&supply);
  if (contours == nullptr) return;
  std::vector<Remark> remarks;
  const LabelMap labels = rasterize(*contours, grid_of(image.volume()), remarks, BetweenPlanes::nearest);
  sheets.image(image, &labels, {}, "given regions" + legend(&labels));
}

// Labels and findings of one step over the image they lie on, and the first new image.
void add_step(const Produced& step, const Image*& image, Sheets& sheets) {
  const LabelMap* labels = nullptr;
  Findings findings;
  for (const Artifact& artifact : step.answer.artifacts) {
    const auto* made = std::get_if<Image>(&artifact.value);
    if (made != nullptr && image == nullptr) {
      // What was reconstructed stands for the raw data from here on.
      image = made;
      sheets.image(*made, nullptr, {}, step.method->card().id);
    }
    if (const auto* map = std::get_if<LabelMap>(&artifact.value); map != nullptr && labels == nullptr && !map->segments.empty())
      labels = map;
    if (const auto* list = std::get_if<Findings>(&artifact.value)) findings.insert(findings.end(), list->begin(), list->end());
  }
  if (image != nullptr && (labels != nullptr || !findings.empty()))
    sheets.image(*image, labels, findings, step.method->card().id + legend(labels));
}

}  // namespace

std::vector<ReportPicture> key_pictures(const io::Content& content) {
  SeriesReport report;
  Sheets sheets(report);
  if (const auto* image = std::get_if<Image>(&content)) sheets.image(*image, nullptr, {}, "key images");
  if (const auto* raw = std::get_if<RawData>(&content)) sheets.raw(*raw);
  return std::move(report.pictures);
}

void add_pictures(const io::Content& content, const Runner& runner, SeriesReport& report) {
  report.pictures = key_pictures(content);
  Sheets sheets(report);
  const auto* image = std::get_if<Image>(&content);
  if (image != nullptr)
    for (const Supply& supply : runner.supplies())
      if (supply.content.get() != &content) add_given(*image, *supply.content, sheets);
  for (const auto& step : runner.steps()) add_step(*step, image, sheets);
}

}  // namespace penta::engine
