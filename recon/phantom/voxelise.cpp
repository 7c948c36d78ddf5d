#include "recon/phantom/voxelise.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "recon/phantom/rays.h"

namespace penta::recon {

namespace {

void need_unturned(const Grid& grid) {
  for (std::size_t k = 0; k < 3; ++k)
    if (std::abs(grid.direction()[k][k] - 1) > 1e-9)
      throw Error(Code::bad_input, "making a volume of the digital patient: the grid must run along the patient's axes");
}

// Adds weight x (value - air) times the covered part of each voxel of one row.
void add_row(const std::vector<RayTracer::Piece>& pieces, const TissueValues& values, double air, double weight,
             double spacing_mm, std::span<float> row) {
  const auto last = static_cast<double>(row.size());
  for (const auto& piece : pieces) {
    const double from = std::max(0.0, piece.enter_mm / spacing_mm), to = std::min(last, piece.leave_mm / spacing_mm);
    const double value = weight * (values[static_cast<std::size_t>(piece.tissue)] - air);
    for (auto x = static_cast<std::int64_t>(from); static_cast<double>(x) < to; ++x) {
      const double covered = std::min(to, static_cast<double>(x + 1)) - std::max(from, static_cast<double>(x));
      row[static_cast<std::size_t>(x)] += static_cast<float>(value * covered);
    }
  }
}

// z of a slice's `sub`-th of `lines` planes, in index units.
double sub_index(std::int64_t index, int sub, int lines) noexcept {
  return static_cast<double>(index) + (sub + 0.5) / lines - 0.5;
}

Segment segment_of(Tissue tissue) {
  const TissueRow& row = row_of(tissue);
  Segment segment;
  segment.value = 1 + static_cast<int>(tissue);
  segment.name = row.name;
  if (!row.sct_code.empty()) segment.type = {"SCT", std::string(row.sct_code), std::string(row.name)};
  if (row.name.ends_with(" left")) segment.side = Side::left;
  if (row.name.ends_with(" right")) segment.side = Side::right;
  const auto hue = static_cast<unsigned>(tissue) * 97U;
  segment.colour = {static_cast<std::uint8_t>(64 + hue * 3 % 192), static_cast<std::uint8_t>(64 + hue * 7 % 192),
                    static_cast<std::uint8_t>(64 + hue * 11 % 192)};
  return segment;
}

}  // namespace

Volume<float> voxelise(const Patient& patient, const Grid& grid, const TissueValues& values, double air, int lines) {
  need_unturned(grid);
  Volume<float> volume(grid);
  const Size3& size = grid.size();
  const double weight = 1.0 / (lines * lines);
  parallel_for(size[2], 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<RayTracer::Piece> pieces;
    for (std::int64_t z = first; z < last; ++z) {
      auto slice = volume.voxels().subspan(static_cast<std::size_t>(z * size[0] * size[1]), static_cast<std::size_t>(size[0] * size[1]));
      std::fill(slice.begin(), slice.end(), static_cast<float>(air));
      for (int sub_z = 0; sub_z < lines; ++sub_z) {
        const PatientPoint plane = grid.to_patient({-0.5, 0, sub_index(z, sub_z, lines)});
        RayTracer tracer(patient.parts, {1, 0, 0}, plane.z, plane.z);
        for (std::int64_t y = 0; y < size[1]; ++y)
          for (int sub_y = 0; sub_y < lines; ++sub_y) {
            tracer.trace({plane.x, plane.y + sub_index(y, sub_y, lines) * grid.spacing_mm()[1], plane.z}, pieces);
            add_row(pieces, values, air, weight, grid.spacing_mm()[0],
                    slice.subspan(static_cast<std::size_t>(y * size[0]), static_cast<std::size_t>(size[0])));
          }
      }
    }
  });
  return volume;
}

LabelMap labels_of(const Patient& patient, const Grid& grid) {
  need_unturned(grid);
  LabelMap labels;
  labels.layers.emplace_back(grid);
  const Size3& size = grid.size();
  parallel_for(size[2], 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<RayTracer::Piece> pieces;
    for (std::int64_t z = first; z < last; ++z) {
      const PatientPoint plane = grid.to_patient({0, 0, static_cast<double>(z)});
      RayTracer tracer(patient.parts, {1, 0, 0}, plane.z, plane.z);
      for (std::int64_t y = 0; y < size[1]; ++y) {
        tracer.trace({plane.x, plane.y + static_cast<double>(y) * grid.spacing_mm()[1], plane.z}, pieces);
        for (const auto& piece : pieces)
          for (auto x = static_cast<std::int64_t>(std::ceil(std::max(0.0, piece.enter_mm / grid.spacing_mm()[0])));
               x < size[0] && static_cast<double>(x) * grid.spacing_mm()[0] <= piece.leave_mm; ++x)
            labels.layers[0].at(x, y, z) = static_cast<std::uint16_t>(1 + static_cast<int>(piece.tissue));
      }
    }
  });
  std::array<bool, tissue_count> seen{};
  for (const std::uint16_t value : labels.layers[0].voxels())
    if (value > 0) seen[value - 1U] = true;
  for (std::size_t k = 0; k < tissue_count; ++k)
    if (seen[k]) labels.segments.push_back(segment_of(static_cast<Tissue>(k)));
  return labels;
}

}  // namespace penta::recon
