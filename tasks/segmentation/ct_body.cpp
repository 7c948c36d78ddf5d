#include <algorithm>
#include <array>

#include "image/components/components.h"
#include "image/morphology/morphology.h"
#include "modality/plausible.h"
#include "tasks/ct_input.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr double thinnest_part_mm = 12;  // half of what a separate arm or leg is at its thickest; tables are thinner

Volume<std::uint8_t> denser_than(const Volume<float>& hu, double lower_hu) {
  Volume<std::uint8_t> mask(hu.grid());
  std::transform(hu.voxels().begin(), hu.voxels().end(), mask.voxels().begin(),
                 [&](float v) { return static_cast<std::uint8_t>(static_cast<double>(v) > lower_hu); });
  return mask;
}

Volume<std::uint8_t> inverse_of(const Volume<std::uint8_t>& mask) {
  Volume<std::uint8_t> inverse(mask.grid());
  std::transform(mask.voxels().begin(), mask.voxels().end(), inverse.voxels().begin(), [](auto v) { return v == 0; });
  return inverse;
}

// How far to the front and to the back each part reaches, along the index axis that runs that way: larger is farther back.
std::vector<std::array<std::int64_t, 2>> reach_to_back(const Components& parts, const Grid& grid) {
  const AxisOrder order = axis_order(grid);
  const int axis = order.index_axis[1];
  const std::int64_t sign = order.positive[1] ? 1 : -1;
  std::vector<std::array<std::int64_t, 2>> reach(parts.sizes.size(), {std::int64_t{1} << 40, -(std::int64_t{1} << 40)});
  for (const Run& run : parts.runs) {
    auto& [front, back] = reach[static_cast<std::size_t>(run.component - 1)];
    for (const std::int64_t at : {sign * (axis == 0 ? run.first_x : axis == 1 ? run.y : run.z), sign * (axis == 0 ? run.last_x : axis == 1 ? run.y : run.z)}) {
      front = std::min(front, at);
      back = std::max(back, at);
    }
  }
  return reach;
}

// The cores that are left when `detach_mm` is taken off everywhere: of the largest part and of others as thick as a limb
// that do not lie wholly behind it, as a table does.
Volume<std::uint8_t> thick_cores(const Volume<std::uint8_t>& mask, double detach_mm) {
  const Volume<float> depth2 = squared_distance_mm2(inverse_of(mask).view());
  Volume<std::uint8_t> core(mask.grid());
  const double limit = detach_mm * detach_mm * (1 + 1e-6);
  std::transform(depth2.voxels().begin(), depth2.voxels().end(), core.voxels().begin(),
                 [&](float d) { return static_cast<std::uint8_t>(static_cast<double>(d) > limit); });
  const Components parts = connected_components(core.view(), Connectivity::faces);
  std::vector<float> deepest(parts.sizes.size(), 0);
  for (const Run& run : parts.runs) {
    const float* row = &depth2.at(run.first_x, run.y, run.z);
    auto& deep = deepest[static_cast<std::size_t>(run.component - 1)];
    deep = std::max(deep, *std::max_element(row, row + run.length()));
  }
  std::vector<bool> keep(parts.sizes.size());
  const auto reach = reach_to_back(parts, mask.grid());
  const auto main = static_cast<std::size_t>(std::max(1, parts.largest()) - 1);
  for (std::size_t k = 0; k < keep.size(); ++k)
    keep[k] = k == main || (deepest[k] >= static_cast<float>(thinnest_part_mm * thinnest_part_mm) && reach[k][0] <= reach[main][1]);
  return mask_of(parts, keep, mask.grid());
}

// Does the field of view reach beyond the body at a corner of some axial slice?
bool any_corner_is_air(const Volume<std::uint8_t>& body, int axial) {
  const Size3& size = body.grid().size();
  for (unsigned corner = 0; corner < 4; ++corner)
    for (std::int64_t slice = 0; slice < size[static_cast<std::size_t>(axial)]; ++slice) {
      std::array<std::int64_t, 3> at{};
      unsigned bit = 0;
      for (std::size_t k = 0; k < 3; ++k)
        at[k] = static_cast<int>(k) == axial ? slice : ((corner >> bit++) & 1U) != 0 ? size[k] - 1 : 0;
      if (body.at(at[0], at[1], at[2]) == 0) return true;
    }
  return false;
}

Volume<std::uint8_t> body_of(const Volume<float>& hu, double lower_hu, double detach_mm, const Control& control) {
  control.report(0.1, "body");
  const Volume<std::uint8_t> mask = denser_than(hu, lower_hu);
  const Volume<std::uint8_t> cores = thick_cores(mask, detach_mm);
  control.report(0.5, "body");
  // A little more than was taken off gives creases and the skin back, but not the table.
  Volume<std::uint8_t> body = dilate(cores.view(), detach_mm + 1);
  for (std::size_t i = 0; i < body.voxels().size(); ++i) body.voxels()[i] = body.voxels()[i] & mask.voxels()[i];
  control.report(0.8, "body");
  // Airways open to the outside above or below, but not inside an axial slice; a lung may be cut by the image's side.
  const int axial = axis_order(hu.grid()).index_axis[2];
  body = fill_holes_by_slice(body.view(), axial, any_corner_is_air(body, axial) ? Outside::corners : Outside::border);
  return fill_holes(body.view());
}

void check_values(const Image& image, const Volume<float>& hu, std::vector<Remark>& remarks) {
  need_hounsfield(image, "finding the body in CT");
  const auto [low, high] = std::minmax_element(hu.voxels().begin(), hu.voxels().end());
  if (image.unit.empty() && (*low > -300 || *high < 0))
    throw Error(Code::bad_input, "finding the body in CT: values from " + std::to_string(static_cast<int>(*low)) + " to " +
                                     std::to_string(static_cast<int>(*high)) + " without a unit are not HU");
  if (*low > -300)
    remarks.push_back({Severity::warning, "no_air", "no air in the field of view: all of it is taken as body"});
}

class CtBody final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    Answer answer;
    const Volume<float> hu = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    check_values(image, hu, answer.remarks);
    const Volume<std::uint8_t> body =
        body_of(hu, request.params.number("lower_hu"), request.params.number("detach_mm"), request.control);
    LabelMap labels;
    labels.layers.emplace_back(hu.grid());
    std::copy(body.voxels().begin(), body.voxels().end(), labels.layers[0].voxels().begin());
    labels.segments.push_back({1, 0, "body", {"SCT", "38266002", "Entire body"}, {"SCT", "91723000", "Anatomical Structure"}, Side::none,
                               {120, 190, 255}});
    labels.acquisition = image.acquisition;
    const double ml = volume_ml(labels, labels.segments[0]);
    if (ml == 0) throw Error(Code::bad_input, "finding the body in CT: nothing is denser than the threshold");
    Measurement volume{"volume", ml, "mL", {"SCT", "118565006", "Volume"}, "body", Side::none, "voxels * voxel volume",
                       plausible_range("body volume"), {}};
    answer.artifacts.push_back({"labels", std::move(labels)});
    answer.artifacts.push_back({"measurements", Measurements{std::move(volume)}});
    return answer;
  }

 private:
  Card card_ = built_in_card("segmentation/ct.body");
};

}  // namespace

MethodPtr make_segmentation_ct_body() { return std::make_unique<CtBody>(); }

}  // namespace penta
