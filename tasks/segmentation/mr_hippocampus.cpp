#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "image/components/components.h"
#include "image/resample/reorient.h"
#include "image/resample/resample.h"
#include "nn/bundle.h"
#include "nn/logits.h"
#include "nn/postprocess.h"
#include "nn/preprocess.h"
#include "nn/split.h"
#include "tasks/finite.h"
#include "tasks/methods.h"

namespace penta {

namespace {

// What is smaller was cut around one hippocampus; a head does not fit into it.
constexpr double crop_extent_mm = 100;

constexpr std::array<const char*, 3> region_names{"hippocampus", "anterior hippocampus", "posterior hippocampus"};
constexpr std::array<Side, 3> sides{Side::none, Side::left, Side::right};

/// Where the locator saw one side.
struct Hit {
  PatientPoint centre;  ///< mean, weighted with the probability
  double probability = 0;
  double volume_ml = 0;
};

double largest_extent_mm(const Grid& grid) {
  double extent = 0;
  for (std::size_t k = 0; k < 3; ++k)
    extent = std::max(extent, static_cast<double>(grid.size()[k]) * grid.spacing_mm()[k]);
  return extent;
}

/// The component of a side with the largest summed probability.
std::optional<Hit> hit_of(const nn::Logits& probabilities, VolumeView<const std::uint16_t> labels, std::uint16_t side) {
  Volume<std::uint8_t> mask(labels.grid);
  std::transform(labels.voxels.begin(), labels.voxels.end(), mask.voxels().begin(),
                 [side](std::uint16_t v) { return v == side ? 1 : 0; });
  const Components parts = connected_components(std::as_const(mask).view(), Connectivity::faces);
  if (parts.count() == 0) return std::nullopt;
  struct Sums {
    double mass = 0, x = 0, y = 0, z = 0, highest = 0;
  };
  std::vector<Sums> all(static_cast<std::size_t>(parts.count()));
  for (const Run& run : parts.runs) {
    Sums& s = all[static_cast<std::size_t>(run.component - 1)];
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      const double p = static_cast<double>(probabilities.of_class(side)[labels.grid.offset(x, run.y, run.z)]);
      s.mass += p;
      s.x += p * static_cast<double>(x);
      s.y += p * static_cast<double>(run.y);
      s.z += p * static_cast<double>(run.z);
      s.highest = std::max(s.highest, p);
    }
  }
  const auto best = std::max_element(all.begin(), all.end(), [](const Sums& a, const Sums& b) { return a.mass < b.mass; });
  const auto size = parts.sizes[static_cast<std::size_t>(best - all.begin())];
  return Hit{labels.grid.to_patient({best->x / best->mass, best->y / best->mass, best->z / best->mass}), best->highest,
             static_cast<double>(size) * labels.grid.voxel_volume_ml()};
}

/// The box of `size` voxels of `spacing_mm` in RAS about a centre. Its voxels are those of the image where the image has
/// that spacing, else of a grid that shares the image's outer faces.
Grid box_about(const Grid& image, const PatientPoint& centre, const nn::InputSpec& spec, const Size3& size) {
  const Grid ras = reoriented(image, spec.orientation);
  Vector3 spacing = spec.spacing_mm.value_or(ras.spacing_mm());
  IndexPoint first{};
  bool same = true;
  for (std::size_t k = 0; k < 3; ++k) same = same && std::abs(spacing[k] - ras.spacing_mm()[k]) <= 1e-3 * spacing[k];
  if (same) {
    spacing = ras.spacing_mm();
  } else {
    first = {0.5 * spacing[0] / ras.spacing_mm()[0] - 0.5, 0.5 * spacing[1] / ras.spacing_mm()[1] - 0.5,
             0.5 * spacing[2] / ras.spacing_mm()[2] - 0.5};
  }
  const Grid fine(ras.size(), spacing, ras.to_patient(first), ras.direction());
  const IndexPoint c = fine.to_index(centre);
  const auto start = [](double at, std::int64_t n) { return static_cast<std::int64_t>(std::floor(at + 1)) - n / 2; };
  return fine.cropped({start(c.x, size[0]), start(c.y, size[1]), start(c.z, size[2])}, size);
}

/// First voxel and size of the part of `image` that covers `box`; a size of 0 where they do not meet.
std::pair<Size3, Size3> part_over(const Grid& image, const Grid& box) {
  Vector3 low{1e30, 1e30, 1e30}, high{-1e30, -1e30, -1e30};
  for (int corner = 0; corner < 8; ++corner) {
    const auto at = [&](int axis) {
      return ((corner >> axis) & 1) != 0 ? static_cast<double>(box.size()[static_cast<std::size_t>(axis)]) - 0.5 : -0.5;
    };
    const IndexPoint p = image.to_index(box.to_patient({at(0), at(1), at(2)}));
    const Vector3 v{p.x, p.y, p.z};
    for (std::size_t k = 0; k < 3; ++k) {
      low[k] = std::min(low[k], v[k]);
      high[k] = std::max(high[k], v[k]);
    }
  }
  Size3 first{}, size{};
  for (std::size_t k = 0; k < 3; ++k) {
    first[k] = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(low[k])));
    const auto last = std::min<std::int64_t>(image.size()[k] - 1, static_cast<std::int64_t>(std::ceil(high[k])));
    size[k] = std::max<std::int64_t>(0, last - first[k] + 1);
  }
  return {first, size};
}

/// The volumes of one side (or of a crop) from the numbers of voxels with the values 1 and 2.
void add_volumes(Measurements& to, const std::array<std::int64_t, 2>& counts, double voxel_ml, Side side) {
  const std::array<double, 3> ml{static_cast<double>(counts[0] + counts[1]) * voxel_ml,
                                 static_cast<double>(counts[0]) * voxel_ml, static_cast<double>(counts[1]) * voxel_ml};
  for (std::size_t r = 0; r < 3; ++r) {
    Measurement m;
    m.name = "volume";
    m.value = ml[r];
    m.unit = "mL";
    m.code = {"SCT", "118565006", "Volume"};
    m.region = region_names[r];
    m.side = side;
    m.formula = "number of voxels x volume of a voxel";
    m.plausible_range = r == 0 ? std::array<double, 2>{2, 5} : std::array<double, 2>{0.5, 4};
    to.push_back(std::move(m));
  }
}

LabelMap map_like(const Image& image, const Grid& grid) {
  LabelMap map;
  map.layers.emplace_back(grid);
  map.acquisition = image.acquisition;
  return map;
}

Segment segment(int value, const char* name, Side side) {
  Segment s;
  s.value = value;
  s.name = name;
  s.type = {"SCT", "5366008", "Hippocampus"};
  s.side = side;
  s.colour = label_colour(value);
  return s;
}

class MrHippocampus final : public Method {
 public:
  explicit MrHippocampus(const nn::ModelStore& models) : models_(models) {}
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    std::vector<Remark> remarks;
    const Volume<float> volume = made_finite(to_float(image.volume()), card_.id, remarks);
    const bool crop = largest_extent_mm(volume.grid()) < crop_extent_mm;
    Answer answer = crop ? run_crop(image, volume, request) : run_head(image, volume, request);
    answer.remarks.insert(answer.remarks.begin(), remarks.begin(), remarks.end());
    return answer;
  }

 private:
  const nn::Bundle& crop_bundle() const { return models_.need("mr.hippocampus"); }

  /// The parts meet in a coronal plane, as the manual labels do, where the card says so.
  Volume<std::uint16_t> labels_of(const nn::Logits& logits, const Grid& grid) const {
    const nn::Bundle& bundle = crop_bundle();
    const Json* const split = bundle.card.whole.at("network").find("split");
    if (split == nullptr) return nn::labels_on(logits, grid);
    return nn::labels_split(logits, nn::plane_split_from(*split, bundle.network.classes), grid);
  }

  Answer run_crop(const Image& image, const Volume<float>& volume, const Request& request) const {
    request.control.report(0, "labelling the crop");
    const nn::Bundle& bundle = crop_bundle();
    const Volume<float> seen = nn::prepared(volume.view(), bundle.network.input);
    const nn::Logits logits = nn::infer(models_.network(bundle), seen.view(), bundle.network);
    LabelMap labels = map_like(image, volume.grid());
    labels.segments = {segment(1, region_names[1], Side::none), segment(2, region_names[2], Side::none)};
    labels.layers.front() = labels_of(logits, volume.grid());
    if (bundle.network.largest_component) nn::keep_largest(labels.layers.front(), bundle.network.fill_holes);
    std::array<std::int64_t, 2> counts{};
    for (const std::uint16_t v : std::as_const(labels.layers.front()).voxels())
      if (v != 0) ++counts[v - 1U];
    Side side = Side::none;
    if (request.params.is_set("side")) side = request.params.text("side") == "left" ? Side::left : Side::right;
    Measurements volumes;
    add_volumes(volumes, counts, volume.grid().voxel_volume_ml(), side);
    Answer answer;
    answer.artifacts.push_back({"labels", std::move(labels)});
    answer.artifacts.push_back({"volumes", std::move(volumes)});
    answer.remarks.push_back({Severity::note, "taken_as_a_crop",
                              "the field of view is below 100 mm: taken as a crop around one hippocampus, unchecked"});
    return answer;
  }

  std::array<std::optional<Hit>, 3> located(const Volume<float>& volume) const {
    const nn::Bundle& bundle = models_.need("mr.hippocampus_locator");
    const Volume<float> seen = nn::prepared(volume.view(), bundle.network.input);
    nn::Logits logits = nn::infer(models_.network(bundle), seen.view(), bundle.network);
    const Volume<std::uint16_t> labels = nn::labels_on(logits, logits.grid);
    nn::to_probabilities(logits);
    const double minimum_ml = bundle.card.whole.at("network").at("minimum_ml").number();
    std::array<std::optional<Hit>, 3> hits;
    for (const std::uint16_t side : {std::uint16_t{1}, std::uint16_t{2}}) {
      const auto hit = hit_of(logits, labels.view(), side);
      if (hit && hit->probability >= bundle.network.threshold && hit->volume_ml >= minimum_ml) hits[side] = hit;
    }
    return hits;
  }

  /// Labels of the part of the image around one side; the first voxel of that part.
  std::pair<Size3, Volume<std::uint16_t>> labelled(const Volume<float>& volume, const PatientPoint& centre) const {
    const nn::Bundle& bundle = crop_bundle();
    const auto& mm = bundle.card.whole.at("network").at("crop_mm").items();
    const Size3 size{static_cast<std::int64_t>(mm.at(0).number()), static_cast<std::int64_t>(mm.at(1).number()),
                     static_cast<std::int64_t>(mm.at(2).number())};
    const Grid box = box_about(volume.grid(), centre, bundle.network.input, size);
    Volume<float> crop = resample_linear_held(volume.view(), box);
    nn::normalise(crop.voxels(), bundle.network.input.normalise);
    const nn::Logits logits = nn::infer(models_.network(bundle), std::as_const(crop).view(), bundle.network);
    const auto [first, part] = part_over(volume.grid(), box);
    Volume<std::uint16_t> labels = labels_of(logits, volume.grid().cropped(first, part));
    nn::keep_largest(labels, false);
    return {first, std::move(labels)};
  }

  Answer run_head(const Image& image, const Volume<float>& volume, const Request& request) const {
    request.control.report(0, "looking for the hippocampi");
    const auto hits = located(volume);
    if (!hits[1] && !hits[2])
      throw Error(Code::bad_input, "mr.hippocampus: no T1-weighted head: no hippocampus was found in this image");
    LabelMap labels = map_like(image, volume.grid()), side_map = map_like(image, volume.grid());
    labels.segments = {segment(1, region_names[1], Side::none), segment(2, region_names[2], Side::none)};
    side_map.segments = {segment(1, "left hippocampus", Side::left), segment(2, "right hippocampus", Side::right)};
    Measurements volumes;
    Answer answer;
    for (const std::uint16_t side : {std::uint16_t{1}, std::uint16_t{2}}) {
      const std::string name(name_of(sides[side]));
      if (!hits[side]) {
        answer.remarks.push_back({Severity::warning, "side_not_found", "no " + name + " hippocampus was found"});
        continue;
      }
      request.control.report(0.4 * side, "labelling the " + name + " hippocampus");
      const auto [first, part] = labelled(volume, hits[side]->centre);
      std::array<std::int64_t, 2> counts{};
      paste(part, first, side, labels.layers.front(), side_map.layers.front(), counts);
      add_volumes(volumes, counts, volume.grid().voxel_volume_ml(), sides[side]);
    }
    answer.artifacts.push_back({"labels", std::move(labels)});
    answer.artifacts.push_back({"sides", std::move(side_map)});
    answer.artifacts.push_back({"volumes", std::move(volumes)});
    return answer;
  }

  /// The two boxes may meet in a small head: what the first side took stays.
  static void paste(const Volume<std::uint16_t>& part, const Size3& first, std::uint16_t side,
                    Volume<std::uint16_t>& labels, Volume<std::uint16_t>& side_map, std::array<std::int64_t, 2>& counts) {
    const Size3& size = part.grid().size();
    for (std::int64_t z = 0; z < size[2]; ++z)
      for (std::int64_t y = 0; y < size[1]; ++y)
        for (std::int64_t x = 0; x < size[0]; ++x) {
          const std::uint16_t v = part.at(x, y, z);
          std::uint16_t& to = labels.at(first[0] + x, first[1] + y, first[2] + z);
          if (v == 0 || to != 0) continue;
          to = v;
          side_map.at(first[0] + x, first[1] + y, first[2] + z) = side;
          ++counts[v - 1U];
        }
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("segmentation/mr.hippocampus");
};

}  // namespace

MethodPtr make_segmentation_mr_hippocampus(const nn::ModelStore& models);
MethodPtr make_segmentation_mr_hippocampus(const nn::ModelStore& models) { return std::make_unique<MrHippocampus>(models); }

}  // namespace penta
