#include "engine/regions.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "image/rasterize/polygon.h"
#include "image/resample/resample.h"
#include "io/dicom/read_seg.h"

namespace penta::engine {

namespace {

bool drawn_on(const io::Content& other, const Acquisition& acquisition) {
  const auto* contours = std::get_if<Contours>(&other);
  return contours != nullptr && contours->referenced_series_uid == acquisition.series_uid;
}

bool in_same_space(const io::Content& other, const Acquisition& acquisition) {
  const std::string& space = acquisition.frame_of_reference_uid;
  if (space.empty()) return false;
  if (const auto* contours = std::get_if<Contours>(&other)) return contours->frame_of_reference_uid == space;
  const auto* labels = std::get_if<LabelMap>(&other);
  return labels != nullptr && labels->acquisition.frame_of_reference_uid == space;
}

void join(Contours& together, const Contours& more) {
  std::vector<ContourRegion> regions = std::move(together.regions);
  regions.insert(regions.end(), more.regions.begin(), more.regions.end());
  together = more;
  together.regions = std::move(regions);
}

void join(LabelMap& together, LabelMap more) {
  const int first_layer = static_cast<int>(together.layers.size());
  for (auto& layer : more.layers) together.layers.push_back(std::move(layer));
  for (Segment& segment : more.segments) {
    segment.layer += first_layer;
    together.segments.push_back(std::move(segment));
  }
  together.acquisition = more.acquisition;
}

LabelMap on_image(const LabelMap& labels, const Grid& grid, std::vector<Remark>& remarks) {
  try {
    return io::dicom::on_grid(labels, grid);
  } catch (const Error&) {
    remarks.push_back({Severity::warning, "labels_resampled",
                       "the labels' voxels do not lie on this image's: each voxel takes the nearest label"});
  }
  LabelMap near = clone(labels);
  for (auto& layer : near.layers) layer = resample_nearest(std::as_const(layer).view(), grid);
  return near;
}

}  // namespace

std::vector<ContentPtr> regions_for(std::span<const ContentPtr> others, const io::Content& content,
                                    std::vector<Remark>& remarks) {
  const Acquisition& acquisition = acquisition_of(content);
  const auto* image = std::get_if<Image>(&content);
  const bool own = std::any_of(others.begin(), others.end(), [&](const ContentPtr& o) { return drawn_on(*o, acquisition); });
  Contours contours;
  LabelMap labels;
  std::vector<ContentPtr> regions;
  for (const ContentPtr& other : others) {
    const bool is_labels = std::holds_alternative<LabelMap>(*other);
    if (!(own && !is_labels ? drawn_on(*other, acquisition) : in_same_space(*other, acquisition))) continue;
    if (const auto* more = std::get_if<Contours>(other.get())) join(contours, *more);
    else if (image == nullptr || !image->is_volume()) regions.push_back(other);
    else join(labels, on_image(std::get<LabelMap>(*other), grid_of(image->volume()), remarks));
  }
  if (!labels.layers.empty() && !contours.regions.empty()) {
    join(labels, rasterize(contours, grid_of(image->volume()), remarks, BetweenPlanes::nearest));
    contours.regions.clear();
  }
  if (!labels.layers.empty()) regions.push_back(std::make_shared<const io::Content>(std::move(labels)));
  if (!contours.regions.empty()) regions.push_back(std::make_shared<const io::Content>(std::move(contours)));
  return regions;
}

}  // namespace penta::engine
