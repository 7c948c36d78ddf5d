#include "io/dicom/write_sr_places.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "io/dicom/write_sr_tree.h"

namespace penta::io::dicom {

namespace {

struct Mass {
  double count = 0;
  Vector3 sum{}, nearest{};
  double distance2_mm2 = std::numeric_limits<double>::infinity();
};

// Calls act(mass of the voxel's segment, its index) for each labelled voxel.
template <typename Act>
void for_labelled(const LabelMap& labels, std::vector<Mass>& masses, const Act& act) {
  const Size3 size = labels.grid().size();
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<int> rows = rows_by_value(labels, layer, "placing measurements");
    const std::uint16_t* voxel = labels.layers[layer].voxels().data();
    for (std::int64_t z = 0; z < size[2]; ++z)
      for (std::int64_t y = 0; y < size[1]; ++y)
        for (std::int64_t x = 0; x < size[0]; ++x, ++voxel)
          if (*voxel != 0 && rows[*voxel] >= 0)
            act(masses[static_cast<std::size_t>(rows[*voxel])],
                Vector3{static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
  }
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string words_of(const MeasurementGroup& group) {
  std::string text = group.tracking_id;
  const char* separator = ": ";
  for (const Quantity& quantity : group.quantities) {
    if (!quantity.value) continue;
    text += separator + (quantity.label.empty() ? quantity.name.meaning : quantity.label) + " " + number_text(*quantity.value);
    if (quantity.unit.value != "1") text += " " + quantity.unit.value;
    separator = ", ";
  }
  return text;
}

}  // namespace

std::vector<std::optional<PatientPoint>> inner_points(const LabelMap& labels) {
  std::vector<Mass> masses(labels.segments.size());
  for_labelled(labels, masses, [](Mass& mass, const Vector3& at) {
    ++mass.count;
    for (std::size_t k = 0; k < 3; ++k) mass.sum[k] += at[k];
  });
  const Vector3& spacing_mm = labels.grid().spacing_mm();
  for_labelled(labels, masses, [&](Mass& mass, const Vector3& at) {
    double distance2_mm2 = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const double step_mm = (at[k] - mass.sum[k] / mass.count) * spacing_mm[k];
      distance2_mm2 += step_mm * step_mm;
    }
    if (distance2_mm2 < mass.distance2_mm2) mass.distance2_mm2 = distance2_mm2, mass.nearest = at;
  });
  std::vector<std::optional<PatientPoint>> points(masses.size());
  for (std::size_t s = 0; s < masses.size(); ++s)
    if (masses[s].count > 0)
      points[s] = labels.grid().to_patient({masses[s].nearest[0], masses[s].nearest[1], masses[s].nearest[2]});
  return points;
}

MeasurementGroup place_group(const MeasurementGroup& group, const PatientPoint& point_mm,
                             const std::string& frame_of_reference_uid) {
  MeasurementGroup place;
  place.template_id = "1410";
  place.tracking_id = group.tracking_id, place.tracking_uid = group.tracking_uid;
  place.finding = group.finding, place.site = group.site, place.side = group.side;
  SpatialRegion point;
  point.shape = SpatialRegion::Shape::point;
  point.frame_of_reference_uid = frame_of_reference_uid;
  point.points_mm = {point_mm};
  place.spatial = {point};
  place.evaluations = {{tree::dcm("121106", "Comment"), {}, words_of(group)}};
  return place;
}

bool is_place(const MeasurementGroup& group, const StructuredReport& report) {
  if (!group.quantities.empty() || !group.planar.empty() || group.spatial.size() != 1 || group.tracking_uid.empty() ||
      group.spatial.front().shape != SpatialRegion::Shape::point)
    return false;
  return std::any_of(report.groups.begin(), report.groups.end(), [&](const MeasurementGroup& other) {
    return &other != &group && other.tracking_uid == group.tracking_uid;
  });
}

}  // namespace penta::io::dicom
