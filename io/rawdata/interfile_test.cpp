#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/test_data.h"
#include "io/formats.h"
#include "io/rawdata/rawdata.h"

namespace penta::io::rawdata {
namespace {

using Bytes = std::vector<std::byte>;

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes out(values.size() * sizeof(T));
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}
Bytes bytes_of(const std::string& text) { return bytes_of(std::vector<char>(text.begin(), text.end())); }

/// What lies beside: one data file.
ReadBeside beside(const std::string& name, Bytes data) {
  return [name, data = std::move(data)](const std::string& wanted) {
    if (wanted != name) throw Error(Code::bad_input, "no file '" + wanted + "'");
    return data;
  };
}

Content read(const std::string& header, Bytes data) {
  return read_interfile(bytes_of(header), "dir/a.hs", beside("a.s", std::move(data)));
}

std::string fault(const std::string& header, Bytes data) {
  try {
    (void)read(header, std::move(data));
  } catch (const Error& error) {
    const bool is_template = std::string_view(error.what()).find("a template without data") != std::string_view::npos;
    EXPECT_EQ(error.code(), is_template ? Code::nothing_to_do : Code::bad_input);
    return error.what();
  }
  return "";
}

const std::string image_header =
    "!INTERFILE  :=\r\n; a comment := 3\nname of data file := a.s\n!type of data := PET\n"
    "imagedata byte order := LITTLEENDIAN\n!PET data type := Image\n!number format := signed integer\n"
    "!number of bytes per pixel := 2\nnumber of dimensions := 3\n! MATRIX_size[1] := 3\n!matrix  size [2] := 2 ; rows\n"
    "!matrix size [3] := 2\nscaling factor (mm/pixel) [1] := 2\nscaling factor (mm/pixel) [2] := 3\n"
    "scaling factor (mm/pixel) [3] := 4\npatient orientation := head_in\npatient rotation := supine\n";

TEST(Interfile, SniffBlanksAndCase) {
  EXPECT_TRUE(sniff_interfile(bytes_of(std::string("!INTERFILE  :=\n"))));
  EXPECT_TRUE(sniff_interfile(bytes_of(std::string(" \n! interfile:="))));
  EXPECT_FALSE(sniff_interfile(bytes_of(std::string("!INTERFILES :=\n"))));
  EXPECT_FALSE(sniff_interfile({}));
}

TEST(Interfile, InverseImageLiesAsStirSays) {
  std::vector<std::int16_t> values(12);
  std::iota(values.begin(), values.end(), std::int16_t{-3});
  const auto image = std::get<Image>(read(image_header, bytes_of(values)));
  const auto& volume = std::get<Volume<std::int16_t>>(image.volume());
  EXPECT_TRUE(std::equal(values.begin(), values.end(), volume.voxels().begin()));
  EXPECT_EQ(image.acquisition.modality, "PET");
  EXPECT_EQ(image.acquisition.patient_position, "HFS");
  // x to the left, y to the back, z to the feet; x and y centred on voxel size / 2.
  EXPECT_EQ(volume.grid().to_patient({0, 0, 0}), (PatientPoint{-2, -3, 0}));
  EXPECT_EQ(volume.grid().to_patient({2, 1, 1}), (PatientPoint{2, 0, -4}));
}

TEST(Interfile, ScaleOffsetFramesAndUnknownPosition) {
  std::string header = image_header +
                       "number of time frames := 2\nimage scaling factor[1] := 2\n"
                       "image scaling factor[2] := 0.5\ndata offset in bytes[1] := 4\nquantification units := Bq/ml\n";
  header.replace(header.find("head_in"), 7, "unknown");
  std::vector<std::int16_t> values(2 + 24, 6);
  const auto image = std::get<Image>(read(header, bytes_of(values)));
  const auto& volumes = std::get<VolumeSequence>(image.pixels);
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(to_float(volumes[0]).voxels()[0], 12.F);
  EXPECT_EQ(to_float(volumes[1]).voxels()[11], 3.F);
  EXPECT_EQ(volumes[0].index(), volumes[1].index());
  EXPECT_EQ(image.unit, "Bq/mL");
  ASSERT_FALSE(image.remarks.empty());
  EXPECT_EQ(image.remarks[0].code, "orientation_unknown");
}

std::string sinogram_header(const std::string& second, const std::string& third) {
  return "!INTERFILE :=\nname of data file := a.s\n!type of data := PET\nimagedata byte order := BIGENDIAN\n"
         "!PET data type := Emission\napplied corrections := {None}\n!number format := unsigned integer\n"
         "!number of bytes per pixel := 1\nnumber of dimensions := 4\nmatrix axis label [4] := segment\n"
         "!matrix size [4] := 2\nmatrix axis label [3] := " +
         third + "\nmatrix axis label [2] := " + second +
         "\nmatrix axis label [1] := tangential coordinate\n!matrix size [1] := 2\n"
         "minimum ring difference per segment := { -1, 2}\nmaximum ring difference per segment := {1,3}\n"
         "Number of rings := 4\nDistance between rings (cm) := 0.5\neffective central bin size (cm) := 0.25\n" +
         (third == "view" ? "!matrix size [3] := 3\n!matrix size [2] := {2,1}\n"
                          : "!matrix size [2] := 3\n!matrix size [3] := {2,1}\n");
}

TEST(Interfile, InverseSinogramOfBothStorageOrders) {
  // Value = 100 * plane + 10 * view + bin, planes numbered through the segments.
  std::vector<std::uint8_t> by_view, by_plane;
  for (const auto& planes : {std::vector<int>{0, 1}, std::vector<int>{2}}) {
    for (int v = 0; v < 3; ++v)
      for (const int p : planes)
        for (int b = 0; b < 2; ++b) by_view.push_back(static_cast<std::uint8_t>(100 * p + 10 * v + b));
    for (const int p : planes)
      for (int v = 0; v < 3; ++v)
        for (int b = 0; b < 2; ++b) by_plane.push_back(static_cast<std::uint8_t>(100 * p + 10 * v + b));
  }
  const auto one = std::get<RawData>(read(sinogram_header("axial coordinate", "view"), bytes_of(by_view)));
  const auto two = std::get<RawData>(read(sinogram_header("view", "axial coordinate"), bytes_of(by_plane)));
  for (const RawData* raw : {&one, &two}) {
    const auto& s = std::get<Sinogram>(raw->value);
    EXPECT_EQ(shape_text(*raw), "sinogram of 2 bins x 3 views x 3 planes in 2 segments");
    EXPECT_EQ(s.values, std::vector<float>(by_plane.begin(), by_plane.end()));
    EXPECT_FALSE(s.arc_corrected);
    EXPECT_EQ(s.ring_spacing_mm, 5);
    EXPECT_EQ(s.bin_mm, 2.5);
    EXPECT_EQ(s.segments[1].ring_difference_max, 3);
    EXPECT_EQ(s.angle_deg, (std::vector<double>{0, 60, 120}));
  }
}

TEST(Interfile, BadInputNamesFileAndKey) {
  const Bytes data(24);
  EXPECT_EQ(fault(image_header, data), "");
  const auto with = [](std::string header, const std::string& old_text, const std::string& text) {
    return header.replace(header.find(old_text), old_text.size(), text);
  };
  EXPECT_NE(fault(image_header, Bytes(23)).find("'dir/a.hs': its data file is cut off: 23 bytes of 24"),
            std::string::npos);
  EXPECT_NE(fault(with(image_header, "MATRIX_size[1] := 3", "x := 1"), data).find("matrix size [1]: it is missing"),
            std::string::npos);
  EXPECT_NE(fault(with(image_header, "signed integer", "bit"), data).find("number format: 'bit'"), std::string::npos);
  EXPECT_NE(fault(with(image_header, ":= a.s", ":= a.hs"), data).find("a template without data"), std::string::npos);
  EXPECT_NE(fault(with(image_header, "[2] := 3", "[2] := 0"), data).find("must be > 0"), std::string::npos);
  EXPECT_NE(fault(with(image_header, ":= PET", ":= Curve"), data).find("type of data: 'Curve'"), std::string::npos);
  EXPECT_NE(fault(with(image_header, "[3] := 2", "[3] := 2000000000"), data), "");
  EXPECT_NE(
      fault(sinogram_header("axial coordinate", "view") + "number of dimensions := 5\n", data).find("time of flight"),
      std::string::npos);
}

std::optional<Content> read_there(const std::string& relative) {
  const auto path = test_data(relative);
  if (!path) return std::nullopt;
  return read_interfile(read_file(*path), path->string(),
                        [&](const std::string& file) { return read_file(path->parent_path() / file); });
}
double sum_of(std::span<const float> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

// All expected numbers: numpy.fromfile of the data files, shapes as in the headers.
TEST(Interfile, PublishedStirSinogram) {
  const auto content = read_there("pet/stir/smalllong.hs");
  if (!content) GTEST_SKIP() << "data not here: pet/stir";
  const auto& s = std::get<Sinogram>(std::get<RawData>(*content).value);
  EXPECT_EQ(shape_text(std::get<RawData>(*content)), "sinogram of 75 bins x 64 views x 27 planes");
  EXPECT_NEAR(sum_of(s.values), 102736.76085, 1e-3);
  const auto at = [&](int view, int plane, int bin) {
    return s.values[static_cast<std::size_t>(bin + 75 * (view + 64 * plane))];
  };
  EXPECT_EQ(at(10, 5, 37), 2.0802867F);
  EXPECT_EQ(at(3, 13, 30), 1.2358087F);
  EXPECT_EQ(s.segments[0].ring_difference_min, -8);
  EXPECT_EQ(s.rings, 14);
  EXPECT_EQ(s.bin_mm, 3);
  EXPECT_TRUE(s.arc_corrected);
}

TEST(Interfile, PublishedStirImages) {
  const auto thorax = read_there("pet/stir-exercises/EX_simulation/FDG_g1.hv"), init = read_there("pet/stir/init.hv");
  if (!thorax || !init) GTEST_SKIP() << "data not here: pet/stir-exercises";
  const auto& image = std::get<Image>(*thorax);
  EXPECT_EQ(image.shape_text(), "155 x 155 x 15 voxels of 3.13 x 3.13 x 6.75 mm");
  const auto& volume = std::get<Volume<float>>(image.volume());
  EXPECT_NEAR(sum_of(volume.voxels()), 796434.146, 1e-2);
  EXPECT_EQ(volume.at(43, 68, 6), 61.955025F);
  EXPECT_NEAR(volume.grid().to_patient({77, 77, 0}).x, 0, 1e-3);  // first pixel offset -240.933 = -77 * 3.129
  EXPECT_NEAR(volume.grid().to_patient({0, 0, 0}).y, -240.933, 1e-9);
  EXPECT_NEAR(sum_of(std::get<Volume<float>>(std::get<Image>(*init).volume()).voxels()), 111600, 1e-9);
}

TEST(Interfile, PublishedSpectProjections) {
  const auto content = read_there("spect/stir-spectub/input.hs");
  if (!content) GTEST_SKIP() << "data not here: spect/stir-spectub";
  const auto& p = std::get<Projections>(std::get<RawData>(*content).value);
  EXPECT_EQ(shape_text(std::get<RawData>(*content)), "120 views of 128 x 64 pixels");
  EXPECT_NEAR(sum_of(p.layers.at(0)), 25157262.63, 1);
  EXPECT_NEAR(p.layers[0][64 + 128 * (30 + 64 * 5)], 77.53378, 1e-4);
  EXPECT_EQ(p.angle_deg[0], 180);
  EXPECT_EQ(p.angle_deg[1], 177);  // clockwise, 360 degrees in 120 views
  EXPECT_EQ(p.radius_mm, std::vector<double>(120, 150));
  EXPECT_EQ(p.spacing_mm, (std::array<double, 2>{3.32, 3.32}));
}

TEST(Interfile, PublishedListMode) {
  const auto content = read_there("pet/stir/PET_ACQ_small.l.hdr.STIR");
  if (!content) GTEST_SKIP() << "data not here: pet/stir";
  const auto& raw = std::get<RawData>(*content);
  EXPECT_EQ(shape_text(raw), "list mode of 254816 words: 218881 prompts, 35320 delayed events, 612 ms");
  EXPECT_EQ(std::get<ListMode>(raw.value).events[0], 0x48111AB2U);
  EXPECT_EQ(*facts_of<PetFacts>(raw.acquisition)->tracer, "FDG");
  EXPECT_EQ(*facts_of<PetFacts>(raw.acquisition)->injected_dose_bq, 4.65e7);
  EXPECT_EQ(raw.remarks.at(0).code, "list_mode_incomplete");
}

TEST(Interfile, TemplatesWithoutDataAreSaid) {
  if (!test_data("pet/stir-exercises")) GTEST_SKIP() << "data not here: pet/stir-exercises";
  EXPECT_THROW((void)read_there("pet/stir-exercises/EX_simulation/template_sinogram.hs"), Error);
  EXPECT_THROW((void)read_there("spect/stir-exercises/EX_simulation_single_slice_SPECT/template_sinogram.hs"), Error);
}

}  // namespace
}  // namespace penta::io::rawdata
