#include "io/dicom/torture_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>

#include "core/error.h"
#include "image/regrid/regrid.h"
#include "io/dicom/dicom.h"
#include "io/dicom/write_image.h"
#include "io/metaimage/metaimage.h"
#include "io/nifti/nifti.h"
#include "io/nrrd/nrrd.h"

// Phantom: each voxel's value names the place in the patient where it truly lies. With PENTA_TORTURE_OUT=FOLDER the
// sets are left in FOLDER, one folder each with truth.csv, for other programs.
namespace penta::io::dicom {
namespace {

constexpr double exact_mm = 1e-5, float_affine_mm = 1e-3;

/// Voxels that are not where their value says, or hold no value of the set; 0 is the only good number.
struct Found {
  long wrong = 0, right = 0;
  double worst_mm = 0;

  void add(const TortureSet& set, float value, const PatientPoint& at, int volume, double tolerance_mm) {
    const auto place = set.truth.find(std::lround(value));
    const bool known = place != set.truth.end() && static_cast<float>(place->first) == value;
    const double off = known ? distance(place->second.at, at) : 1e9;
    worst_mm = std::max(worst_mm, off);
    if (known && off <= tolerance_mm && place->second.volume == volume) ++right;
    else ++wrong;
  }
};

void expect_all(const TortureSet& set, const Found& found, const std::string& after) {
  EXPECT_EQ(found.wrong, 0) << set.name << " after " << after << ", worst " << found.worst_mm << " mm";
  EXPECT_EQ(found.right, static_cast<long>(set.truth.size())) << set.name << " after " << after;
}

void expect_volumes(const TortureSet& set, const Image& image, double tolerance_mm, const std::string& after) {
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  ASSERT_NE(volumes, nullptr) << set.name << " after " << after << " is " << image.shape_text();
  EXPECT_EQ(volumes->size(), set.volumes) << set.name << " after " << after;
  Found found;
  std::set<float> values;
  for (std::size_t t = 0; t < volumes->size(); ++t) {
    const Volume<float> volume = to_float((*volumes)[t]);
    const auto& [nx, ny, nz] = volume.grid().size();
    values.insert(volume.voxels().begin(), volume.voxels().end());
    for (std::int64_t z = 0; z < nz; ++z)
      for (std::int64_t y = 0; y < ny; ++y)
        for (std::int64_t x = 0; x < nx; ++x)
          found.add(set, volume.at(x, y, z),
                    volume.grid().to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)}),
                    static_cast<int>(t), tolerance_mm);
  }
  EXPECT_EQ(values.size(), set.truth.size()) << set.name << " after " << after;
  expect_all(set, found, after);
}

PatientPoint place_in(const SliceStack& stack, const SliceStack::Slice& slice, std::int64_t x, std::int64_t y) {
  const double u = static_cast<double>(x) * stack.spacing_mm[0], v = static_cast<double>(y) * stack.spacing_mm[1];
  const auto at = [&](double from, std::size_t k) { return from + u * stack.row_axis[k] + v * stack.column_axis[k]; };
  return {at(slice.origin_mm.x, 0), at(slice.origin_mm.y, 1), at(slice.origin_mm.z, 2)};
}

void expect_stack(const TortureSet& set, const Image& image, const std::string& after) {
  const auto* stack = std::get_if<SliceStack>(&image.pixels);
  ASSERT_NE(stack, nullptr) << set.name << " after " << after << " is " << image.shape_text();
  Found found;
  for (const auto& slice : stack->slices)
    for (std::int64_t y = 0; y < stack->height; ++y)
      for (std::int64_t x = 0; x < stack->width; ++x)
        found.add(set, slice.pixels[static_cast<std::size_t>(x + stack->width * y)], place_in(*stack, slice, x, y), 0,
                  exact_mm);
  expect_all(set, found, after);
}

// A stack whose pixels are one coordinate of their own place: what regrid makes of it must be that coordinate.
SliceStack coordinates(const SliceStack& stack, int axis) {
  SliceStack out = stack;
  for (auto& slice : out.slices)
    for (std::int64_t y = 0; y < stack.height; ++y)
      for (std::int64_t x = 0; x < stack.width; ++x) {
        const PatientPoint p = place_in(stack, slice, x, y);
        slice.pixels[static_cast<std::size_t>(x + stack.width * y)] =
            static_cast<float>(axis == 0 ? p.x : axis == 1 ? p.y : p.z) + 1000;  // above all that stands for outside
      }
  return out;
}

// The largest distance, in voxels of the new grid, between where a resampled voxel lies and where its value came from.
double regrid_error(const SliceStack& stack, std::int64_t& inside) {
  std::vector<Volume<float>> along;
  std::vector<Remark> remarks;
  for (int axis = 0; axis < 3; ++axis) along.push_back(regrid(coordinates(stack, axis), RegridPolicy::resample, remarks));
  SliceStack ones = stack;
  for (std::size_t s = 0; s < ones.slices.size(); ++s) std::fill(ones.slices[s].pixels.begin(), ones.slices[s].pixels.end(), 1.F);
  ones.slices.front().pixels.front() = 0;  // what stands for outside
  const Volume<float> there = regrid(ones, RegridPolicy::resample, remarks);
  const Grid& grid = there.grid();
  double worst = 0;
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x) {
        if (there.at(x, y, z) < 1) continue;
        ++inside;
        const IndexPoint from = grid.to_index({along[0].at(x, y, z) - 1000.0, along[1].at(x, y, z) - 1000.0,
                                               along[2].at(x, y, z) - 1000.0});
        worst = std::max({worst, std::abs(from.x - static_cast<double>(x)), std::abs(from.y - static_cast<double>(y)),
                          std::abs(from.z - static_cast<double>(z))});
      }
  return worst;
}

Image read_files(const TestFolder& folder, std::size_t series) {
  const Catalogue catalogue = scan(folder.files());
  EXPECT_EQ(catalogue.series.size(), series);
  const auto largest = std::max_element(
      catalogue.series.begin(), catalogue.series.end(),
      [](const Series& a, const Series& b) { return a.files.size() < b.files.size(); });
  if (largest == catalogue.series.end()) throw Error(Code::bad_input, "no series was found");
  return std::get<Image>(read(*largest));
}

Image again_by_dicom(const Image& image) {
  const TestFolder folder;
  int number = 0;
  for (const WrittenInstance& instance : write_image(image, {"test.torture", "1", "0", "torture", "20260102030405", false}))
    folder.put("w" + std::to_string(number++), instance.bytes);
  return read_files(folder, 1);
}

void keep(const TortureSet& set) {
  const char* out = std::getenv("PENTA_TORTURE_OUT");
  if (out == nullptr) return;
  const std::filesystem::path folder = std::filesystem::path(out) / set.name;
  std::filesystem::create_directories(folder / "dicom");
  for (const TortureFile& file : set.files)
    std::ofstream(folder / "dicom" / file.name, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.bytes.data()), static_cast<std::streamsize>(file.bytes.size()));
  std::ofstream truth(folder / "truth.csv");
  truth << "value,volume,x_mm,y_mm,z_mm\n";
  truth.precision(10);
  for (const auto& [value, place] : set.truth)
    truth << value << ',' << place.volume << ',' << place.at.x << ',' << place.at.y << ',' << place.at.z << '\n';
}

class TortureSets : public ::testing::TestWithParam<int> {
 protected:
  static Torture kind() { return static_cast<Torture>(GetParam()); }
  static Image read_set(const TortureSet& set) {
    const TestFolder folder;
    for (const TortureFile& file : set.files) folder.put(file.name, file.bytes);
    return read_files(folder, set.series);
  }
};

TEST_P(TortureSets, every_voxel_lies_where_it_truly_is_and_stays_there) {
  for (int orientation = 0; orientation < torture_orientations; ++orientation) {
    const TortureSet set = make_torture(kind(), orientation);
    keep(set);
    const Image image = read_set(set);
    if (set.form == TortureForm::stack) {
      expect_stack(set, image, "reading");
      expect_stack(set, again_by_dicom(image), "DICOM");
      std::int64_t inside = 0;
      EXPECT_LE(regrid_error(std::get<SliceStack>(image.pixels), inside), 0.5) << set.name;
      EXPECT_GE(inside, static_cast<std::int64_t>(set.truth.size()) * 3 / 4) << set.name;
      continue;
    }
    expect_volumes(set, image, exact_mm, "reading");
    if (HasFatalFailure()) return;
    expect_volumes(set, nifti::read(nifti::write(image), set.name), float_affine_mm, "NIfTI");
    expect_volumes(set, nrrd::read(nrrd::write(image), set.name), exact_mm, "NRRD");
    expect_volumes(set, metaimage::read(metaimage::write(image), set.name), exact_mm, "MetaImage");
    expect_volumes(set, again_by_dicom(image), exact_mm, "DICOM");
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, TortureSets, ::testing::Range(0, torture_kinds), [](const auto& test) {
  return std::string(torture_name(static_cast<Torture>(test.param)));
});

}  // namespace
}  // namespace penta::io::dicom
