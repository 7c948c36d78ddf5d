#include <cmath>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

// PS3.3 C.8.5.5.1.15, Physical Units X and Y.
RegionUnit unit_of(int code) noexcept {
  switch (code) {
    case 0: return RegionUnit::none;
    case 1: return RegionUnit::percent;
    case 2: return RegionUnit::decibel;
    case 3: return RegionUnit::centimetre;
    case 4: return RegionUnit::second;
    case 5: return RegionUnit::hertz;
    case 7: return RegionUnit::centimetre_per_second;
    case 12: return RegionUnit::degree;
    default: return RegionUnit::other;
  }
}

bool is_tissue_2d(const UsRegion& region) noexcept {
  return region.spatial_format == 1 && region.data_type == 1 && region.unit_x == RegionUnit::centimetre &&
         region.unit_y == RegionUnit::centimetre;
}

}  // namespace

std::vector<UsRegion> us_regions(DcmItem& data) {
  std::vector<UsRegion> out;
  for (DcmItem* item : items(data, tag::us_regions)) {
    const auto whole = [&](std::uint16_t element) { return integer(*item, Tag{0x0018, element}).value_or(0); };
    UsRegion region;
    region.x0 = whole(0x6018);
    region.y0 = whole(0x601A);
    region.x1 = whole(0x601C);
    region.y1 = whole(0x601E);
    region.unit_x = unit_of(whole(0x6024));
    region.unit_y = unit_of(whole(0x6026));
    region.delta_x = number(*item, Tag{0x0018, 0x602C}).value_or(0);
    region.delta_y = number(*item, Tag{0x0018, 0x602E}).value_or(0);
    region.spatial_format = whole(0x6012);
    region.data_type = whole(0x6014);
    out.push_back(region);
  }
  return out;
}

std::optional<std::array<double, 2>> us_spacing(const std::vector<UsRegion>& regions, const Layout& layout,
                                                std::vector<Remark>& faults) {
  const UsRegion* tissue = nullptr;
  int count = 0;
  bool outside = false;
  for (const UsRegion& region : regions) {
    // One pixel of slack: some vendors count the end from one.
    outside = outside || region.x0 < 0 || region.y0 < 0 || region.x1 > layout.columns || region.y1 > layout.rows;
    if (!is_tissue_2d(region)) continue;
    tissue = &region;
    ++count;
  }
  if (outside) {
    faults.push_back({Severity::warning, "region_outside_frame",
                      "an ultrasound region (0018,6011) reaches outside the frame: the picture was cropped or scaled "
                      "after it was stored, so no size in mm is taken from it"});
    return std::nullopt;
  }
  if (count > 1)
    faults.push_back({Severity::note, "several_regions",
                      "the frame has several 2D tissue regions, so it has no one size in mm; the regions are kept"});
  if (count != 1) return std::nullopt;
  const double x = std::abs(tissue->delta_x) * 10, y = std::abs(tissue->delta_y) * 10;
  if (!(x > 0) || !(y > 0)) {
    faults.push_back({Severity::warning, "bad_spacing", "an ultrasound region gives zero centimetres a pixel"});
    return std::nullopt;
  }
  return std::array{x, y};
}

}  // namespace penta::io::dicom
