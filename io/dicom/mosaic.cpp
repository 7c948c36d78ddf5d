#include "io/dicom/mosaic.h"

#include <algorithm>
#include <cmath>

#include "io/dicom/private.h"

namespace penta::io::dicom {

namespace {

// NumberOfImagesInMosaic: of the CSA image header; XA systems and shortened files give it at (0019,xx0A).
int tiles_of(DcmItem& data, const CsaHeader& csa) {
  auto counts = csa_numbers(csa, "NumberOfImagesInMosaic");
  if (counts.empty())
    if (const auto tag = private_tag(data, 0x0019, "SIEMENS MR HEADER", 0x0A))
      counts = private_numbers(data, *tag, PrivateVr::int16);
  return counts.empty() || !(counts.front() >= 1 && counts.front() <= 4096) ? 0 : static_cast<int>(counts.front());
}

// United Imaging: (0065,xx50) tiles, of which (0065,xx51) gives each its place; the last rows of tiles are left off.
std::optional<Mosaic> united_grid_of(DcmItem& data) {
  constexpr const char* creator = "Image Private Header";
  const auto count = private_tag(data, 0x0065, creator, 0x50);
  const auto counts = count ? private_numbers(data, *count, PrivateVr::text) : std::vector<double>{};
  if (counts.size() != 1 || !(counts.front() >= 2 && counts.front() <= 4096)) return std::nullopt;
  Mosaic mosaic;
  mosaic.count = static_cast<int>(counts.front());
  mosaic.across = static_cast<int>(std::ceil(std::sqrt(counts.front()) - 1e-9));
  mosaic.down = (mosaic.count + mosaic.across - 1) / mosaic.across;
  const auto sequence = private_tag(data, 0x0065, creator, 0x51);
  for (DcmItem* item : sequence ? items(data, *sequence) : std::vector<DcmItem*>{})
    if (const auto place = numbers(*item, tag::image_position); place.size() == 3)
      mosaic.origins.push_back({place[0], place[1], place[2]});
  if (static_cast<int>(mosaic.origins.size()) != mosaic.count) return std::nullopt;
  return mosaic;
}

}  // namespace

std::optional<Mosaic> mosaic_of(DcmItem& data) {
  if (text(data, tag::manufacturer).starts_with("UIH")) return united_grid_of(data);
  if (text(data, tag::image_type).find("MOSAIC") == std::string::npos) return std::nullopt;
  const CsaHeader csa = csa_image_header(data);
  Mosaic mosaic;
  mosaic.count = tiles_of(data, csa);
  if (mosaic.count < 1) return std::nullopt;
  mosaic.across = mosaic.down = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(mosaic.count)) - 1e-9));
  const auto normal = csa_numbers(csa, "SliceNormalVector");
  if (normal.size() == 3) mosaic.normal = Vector3{normal[0], normal[1], normal[2]};
  return mosaic;
}

std::optional<Layout> tile_layout(const Layout& picture, const Mosaic& mosaic) {
  if (picture.columns % mosaic.across != 0 || picture.rows % mosaic.down != 0) return std::nullopt;
  Layout tile = picture;
  tile.columns /= mosaic.across;
  tile.rows /= mosaic.down;
  tile.frames *= mosaic.count;
  return tile;
}

std::vector<Slice> tile_slices(const Slice& first, const Mosaic& mosaic, const Layout& picture, const Layout& tile,
                               std::vector<Remark>& faults) {
  std::vector<Slice> out(static_cast<std::size_t>(tile.frames), first);
  if (!mosaic.origins.empty()) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].frame = static_cast<int>(i);
      if (out[i].plane) out[i].plane->origin = mosaic.origins[i % mosaic.origins.size()];
    }
    return out;
  }
  double between = std::abs(first.between_mm.value_or(0));
  if (!(between > 0)) {
    between = first.thickness_mm.value_or(0);
    faults.push_back({Severity::warning, "slice_distance_assumed",
                      "Spacing Between Slices (0018,0088) of the mosaic is missing: the slice thickness is taken"});
  }
  Vector3 step = first.plane ? first.plane->normal() : Vector3{};
  if (!mosaic.normal)
    faults.push_back({Severity::warning, "mosaic_order_assumed",
                      "the mosaic does not say which way its slices run (SliceNormalVector): along the normal is "
                      "assumed"});
  else if (dot(step, *mosaic.normal) < 0)
    for (double& c : step) c = -c;
  for (std::size_t i = 0; i < out.size(); ++i) {
    Slice& slice = out[i];
    slice.frame = static_cast<int>(i);
    if (!slice.plane || !slice.spacing_mm || !(between > 0)) {
      slice.plane.reset();
      continue;
    }
    const double x = static_cast<double>(picture.columns - tile.columns) / 2 * (*slice.spacing_mm)[0];
    const double y = static_cast<double>(picture.rows - tile.rows) / 2 * (*slice.spacing_mm)[1];
    const double z = between * static_cast<double>(static_cast<std::int64_t>(i) % mosaic.count);
    const Plane& plane = *first.plane;
    slice.plane->origin = {plane.origin.x + x * plane.row[0] + y * plane.column[0] + z * step[0],
                           plane.origin.y + x * plane.row[1] + y * plane.column[1] + z * step[1],
                           plane.origin.z + x * plane.row[2] + y * plane.column[2] + z * step[2]};
  }
  return out;
}

}  // namespace penta::io::dicom
