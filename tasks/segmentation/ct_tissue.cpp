#include <algorithm>
#include <array>
#include <cmath>

#include "core/parallel.h"
#include "image/components/components.h"
#include "image/morphology/morphology.h"
#include "image/smooth/gaussian.h"
#include "modality/ct/hounsfield.h"
#include "modality/ct/lungs.h"
#include "modality/plausible.h"
#include "tasks/ct_input.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr auto* doing = "splitting CT into tissues";

using Mask = Volume<std::uint8_t>;

struct Tissue {
  int value;
  std::string_view name, code, meaning, category, category_meaning;
  std::array<std::uint8_t, 3> colour;
};
constexpr std::array<Tissue, 5> tissues{{
    {1, "air", "15158005", "Air", "105590001", "Substance", {90, 90, 255}},
    {2, "lung", "39607008", "Lung", "91723000", "Anatomical Structure", {110, 220, 255}},
    {3, "fat", "55603005", "Fat", "85756007", "Tissue", {255, 225, 110}},
    {4, "soft tissue", "87784001", "Soft tissue", "85756007", "Tissue", {225, 90, 80}},
    {5, "bone", "3138006", "Bone", "85756007", "Tissue", {245, 245, 235}},
}};

constexpr double smallest_bone_ml = 0.2;
constexpr double rib_edge_hu = 140, smallest_rib_ml = 0.25, deepest_rib_mm = 35;
constexpr double spongy_gap_mm = 8, spongy_above_hu = 80;  // muscle and discs are thinner than 80 HU after smoothing
constexpr double shell_above_hu = 100;
constexpr double widest_marrow_mm2 = 1500;  // of a vertebral body or the head of a femur in one slice

template <class Choose>
Mask where(const Volume<float>& hu, const Mask& body, Choose choose) {
  Mask mask(hu.grid());
  const auto from = hu.voxels();
  const auto inside = body.voxels();
  for (std::size_t i = 0; i < from.size(); ++i)
    mask.voxels()[i] = inside[i] != 0 && choose(static_cast<double>(from[i])) ? 1 : 0;
  return mask;
}

// Air spaces that hold tissue between the air; vessels in them are closed over.
Mask lungs_of(const Volume<float>& hu, const Mask& body) {
  Mask lungs = ct::aerated_spaces(hu, body);
  if (std::none_of(lungs.voxels().begin(), lungs.voxels().end(), [](auto v) { return v != 0; })) return lungs;
  lungs = fill_holes(close(lungs.view(), 4).view());
  for (std::size_t i = 0; i < lungs.voxels().size(); ++i) lungs.voxels()[i] = lungs.voxels()[i] & body.voxels()[i];
  return lungs;
}

// Fills the holes of one slice that are marrow by size and density: the spinal canal (about 30 HU) and the skull's
// inside stay open.
void fill_marrow(VolumeView<std::uint8_t> bone, VolumeView<const float> hu, double pixel_mm2) {
  Mask holes = fill_holes_by_slice(bone, 2);
  for (std::size_t i = 0; i < bone.voxels.size(); ++i) holes.voxels()[i] = holes.voxels()[i] != 0 && bone.voxels[i] == 0;
  const Components parts = connected_components(holes.view(), Connectivity::faces);
  std::vector<double> sum(parts.sizes.size(), 0);
  for (const Run& run : parts.runs)
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x)
      sum[static_cast<std::size_t>(run.component - 1)] += static_cast<double>(hu.at(x, run.y, 0));
  for (const Run& run : parts.runs) {
    const auto k = static_cast<std::size_t>(run.component - 1);
    const double mean = sum[k] / static_cast<double>(parts.sizes[k]), area_mm2 = static_cast<double>(parts.sizes[k]) * pixel_mm2;
    const bool marrow = mean >= 55 || (mean <= -10 && mean >= ct::fat.lower);
    if (area_mm2 <= widest_marrow_mm2 && marrow) std::fill_n(&bone.at(run.first_x, run.y, 0), run.length(), std::uint8_t{1});
  }
}

// The same for every slice across one axis.
void fill_marrow_across(Mask& bones, const Volume<float>& hu, std::size_t axis) {
  const Size3& size = hu.grid().size();
  const std::size_t a = axis == 0 ? 1 : 0, b = axis == 2 ? 1 : 2;
  const Vector3& mm = hu.grid().spacing_mm();
  parallel_for(size[axis], 4, [&](std::int64_t first, std::int64_t last) {
    Mask bone(Grid({size[a], size[b], 1}, {mm[a], mm[b], 1}));
    Volume<float> values(bone.grid());
    std::array<std::int64_t, 3> at{};
    const auto each = [&](auto visit) {
      for (at[b] = 0; at[b] < size[b]; ++at[b])
        for (at[a] = 0; at[a] < size[a]; ++at[a]) visit(hu.grid().offset(at[0], at[1], at[2]), bone.grid().offset(at[a], at[b], 0));
    };
    for (at[axis] = first; at[axis] < last; ++at[axis]) {
      each([&](std::int64_t from, std::int64_t to) {
        bone.voxels()[static_cast<std::size_t>(to)] = bones.voxels()[static_cast<std::size_t>(from)];
        values.voxels()[static_cast<std::size_t>(to)] = hu.voxels()[static_cast<std::size_t>(from)];
      });
      fill_marrow(bone.view(), values.view(), mm[a] * mm[b]);
      each([&](std::int64_t to, std::int64_t from) {
        bones.voxels()[static_cast<std::size_t>(to)] = bone.voxels()[static_cast<std::size_t>(from)];
      });
    }
  });
}

// Parts that hold a core of bone.
Mask parts_with_core(const Volume<float>& hu, const Mask& body) {
  const Mask dense = where(hu, body, [](double v) { return v >= ct::bone_edge; });
  const Components parts = connected_components(dense.view(), Connectivity::faces);
  std::vector<std::int64_t> core(parts.sizes.size(), 0);
  for (const Run& run : parts.runs) {
    const float* row = &hu.at(run.first_x, run.y, run.z);
    core[static_cast<std::size_t>(run.component - 1)] +=
        std::count_if(row, row + run.length(), [](float v) { return static_cast<double>(v) >= ct::bone_core; });
  }
  std::vector<bool> keep(parts.sizes.size());
  for (std::size_t k = 0; k < keep.size(); ++k)
    keep[k] = static_cast<double>(core[k]) * hu.grid().voxel_volume_ml() >= smallest_bone_ml;
  return mask_of(parts, keep, hu.grid());
}

// Dense parts near the skin: ribs that a thick slice has thinned below a core. Contrast agent lies deeper.
Mask parts_near_skin(const Volume<float>& hu, const Mask& body) {
  Mask outside(body.grid());
  std::transform(body.voxels().begin(), body.voxels().end(), outside.voxels().begin(), [](auto v) { return v == 0; });
  const Volume<float> depth2 = squared_distance_mm2(outside.view());
  const Mask dense = where(hu, body, [](double v) { return v >= rib_edge_hu; });
  const Components parts = connected_components(dense.view(), Connectivity::faces);
  std::vector<double> depth(parts.sizes.size(), 0);
  for (const Run& run : parts.runs)
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x)
      depth[static_cast<std::size_t>(run.component - 1)] += std::sqrt(static_cast<double>(depth2.at(x, run.y, run.z)));
  std::vector<bool> keep(parts.sizes.size());
  for (std::size_t k = 0; k < keep.size(); ++k) {
    const auto voxels = static_cast<double>(parts.sizes[k]);
    keep[k] = voxels * hu.grid().voxel_volume_ml() >= smallest_rib_ml && depth[k] / voxels <= deepest_rib_mm;
  }
  return mask_of(parts, keep, hu.grid());
}

// Spongy bone: what lies between parts of bone and is denser than muscle, and the shell that shares voxels with the rest.
void add_spongy(Mask& bones, const Volume<float>& hu) {
  const Mask closed = close(bones.view(), spongy_gap_mm);
  const Volume<float> smooth = gaussian_smoothed(hu.view(), 3);
  for (std::size_t i = 0; i < bones.voxels().size(); ++i)
    if (closed.voxels()[i] != 0 && static_cast<double>(smooth.voxels()[i]) > spongy_above_hu) bones.voxels()[i] = 1;
  const Vector3& mm = hu.grid().spacing_mm();
  const Mask shell = dilate(bones.view(), std::min(3.0, std::max({mm[0], mm[1], mm[2]})));
  for (std::size_t i = 0; i < bones.voxels().size(); ++i)
    if (shell.voxels()[i] != 0 && static_cast<double>(hu.voxels()[i]) > shell_above_hu) bones.voxels()[i] = 1;
}

// Bone: dense parts closed by 3 mm, and marrow and spongy bone inside them.
Mask bones_of(const Volume<float>& hu, const Mask& body) {
  Mask bones = parts_with_core(hu, body);
  const Mask ribs = parts_near_skin(hu, body);
  for (std::size_t i = 0; i < bones.voxels().size(); ++i) bones.voxels()[i] |= ribs.voxels()[i];
  if (std::none_of(bones.voxels().begin(), bones.voxels().end(), [](auto v) { return v != 0; })) return bones;
  bones = close(bones.view(), 3);
  for (const std::size_t axis : {2, 1, 0, 2}) fill_marrow_across(bones, hu, axis);
  add_spongy(bones, hu);
  for (std::size_t i = 0; i < bones.voxels().size(); ++i) bones.voxels()[i] = bones.voxels()[i] & body.voxels()[i];
  return bones;
}

LabelMap split(const Volume<float>& hu, const Mask& body, const Control& control) {
  const Mask lungs = lungs_of(hu, body);
  control.report(0.5, "tissues");
  const Mask bones = bones_of(hu, body);
  LabelMap labels;
  labels.layers.emplace_back(hu.grid());
  const auto out = labels.layers[0].voxels();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (body.voxels()[i] == 0) continue;
    const auto v = static_cast<double>(hu.voxels()[i]);
    // Between air and fat lie only voxels that are part air, part tissue: they belong to none.
    out[i] = lungs.voxels()[i] != 0       ? 2
             : bones.voxels()[i] != 0     ? 5
             : v < ct::air_below          ? 1
             : v < ct::fat.lower          ? 0
             : v < ct::fat.upper          ? 3
                                          : 4;
  }
  for (const Tissue& t : tissues)
    labels.segments.push_back({t.value, 0, std::string(t.name), {"SCT", std::string(t.code), std::string(t.meaning)},
                               {"SCT", std::string(t.category), std::string(t.category_meaning)}, Side::none, t.colour});
  return labels;
}

Measurements volumes_of(const LabelMap& labels) {
  std::array<std::int64_t, 6> counts{};
  for (const std::uint16_t v : labels.layers[0].voxels()) ++counts[v];
  Measurements out;
  for (const Segment& segment : labels.segments)
    if (counts[static_cast<std::size_t>(segment.value)] > 0)
      out.push_back({"volume", static_cast<double>(counts[static_cast<std::size_t>(segment.value)]) * labels.grid().voxel_volume_ml(), "mL",
                     {"SCT", "118565006", "Volume"}, segment.name, Side::none, "voxels * voxel volume",
                     plausible_range(segment.name + " volume"), {}});
  return out;
}

class CtTissue final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    need_hounsfield(image, doing);
    Answer answer;
    const Volume<float> hu = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    const Mask body = mask_on(request.need<LabelMap>("body"), hu.grid(), std::string(doing) + ": the body is");
    LabelMap labels = split(hu, body, request.control);
    labels.acquisition = image.acquisition;
    const auto* facts = facts_of<CtFacts>(image.acquisition);
    if (facts != nullptr && facts->contrast_agent && !facts->contrast_agent->empty())
      answer.remarks.push_back({Severity::warning, "contrast_agent", "the header says that a contrast agent was given: enhanced vessels, "
                                                                     "kidneys and bowel of more than 250 HU count as bone"});
    Measurements volumes = volumes_of(labels);
    answer.artifacts.push_back({"labels", std::move(labels)});
    answer.artifacts.push_back({"measurements", std::move(volumes)});
    return answer;
  }

 private:
  Card card_ = built_in_card("segmentation/ct.tissue");
};

}  // namespace

MethodPtr make_segmentation_ct_tissue() { return std::make_unique<CtTissue>(); }

}  // namespace penta
