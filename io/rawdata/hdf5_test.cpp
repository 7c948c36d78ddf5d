#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "core/test_data.h"
#include "io/formats.h"
#include "io/rawdata/rawdata.h"
#include "io/rawdata/rehearse.h"

namespace penta::io::rawdata {
namespace {

using Bytes = std::vector<std::byte>;

const ReadBeside nothing = [](const std::string&) -> Bytes { throw Error(Code::bad_input, "nothing beside"); };

/// An HDF5 file made in memory by the C library.
class Maker {
 public:
  Maker() {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 4096, 0);
    // The library takes two open files of one name for the same.
    file_ = H5Fcreate(("made-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))).c_str(), H5F_ACC_TRUNC,
                      H5P_DEFAULT, access);
    H5Pclose(access);
  }
  ~Maker() { H5Fclose(file_); }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;

  void write(const std::string& path, hid_t stored, hid_t memory, const std::vector<hsize_t>& shape, const void* data) {
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set = H5Dcreate2(file_, path.c_str(), stored, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
  }
  void number(const std::string& path, double value) { write(path, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {1, 1}, &value); }
  void text(const std::string& path, const std::string& value) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const char* first = value.c_str();
    write(path, type, type, {1}, &first);
    H5Tclose(type);
  }
  [[nodiscard]] hid_t file() const { return file_; }
  [[nodiscard]] Bytes bytes() const {
    H5Fflush(file_, H5F_SCOPE_GLOBAL);
    const ssize_t size = H5Fget_file_image(file_, nullptr, 0);
    if (size < 0) throw std::runtime_error("the library gives no image of its file");
    Bytes out(static_cast<std::size_t>(size));
    H5Fget_file_image(file_, out.data(), out.size());
    return out;
  }

 private:
  hid_t file_ = -1;
};

RawData raw(const Bytes& bytes) { return std::get<RawData>(read_hdf5(bytes, "a.h5", nothing)); }

std::string fault(const Bytes& bytes) {
  try {
    (void)raw(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    return error.what();
  }
  return "";
}

/// ismrmrd.h: the header as stored has more members than are read; order and offsets are free.
struct Stored {
  std::uint16_t version = 1;
  std::uint64_t flags = 0;
  std::uint16_t samples = 0, channels = 0, centre = 0;
  std::uint16_t step_1 = 0, step_2 = 0, average = 0, slice = 0, contrast = 0, phase = 0, repetition = 0, set = 0,
                segment = 0;
  hvl_t data{};
};

hid_t stored_type() {
  const hid_t idx = H5Tcreate(H5T_COMPOUND, 18);
  const std::array names{"kspace_encode_step_1",
                         "kspace_encode_step_2",
                         "average",
                         "slice",
                         "contrast",
                         "phase",
                         "repetition",
                         "set",
                         "segment"};
  for (std::size_t i = 0; i < names.size(); ++i) H5Tinsert(idx, names[i], 2 * i, H5T_NATIVE_UINT16);
  const hid_t head = H5Tcreate(H5T_COMPOUND, offsetof(Stored, data));
  H5Tinsert(head, "version", offsetof(Stored, version), H5T_NATIVE_UINT16);
  H5Tinsert(head, "flags", offsetof(Stored, flags), H5T_NATIVE_UINT64);
  H5Tinsert(head, "number_of_samples", offsetof(Stored, samples), H5T_NATIVE_UINT16);
  H5Tinsert(head, "active_channels", offsetof(Stored, channels), H5T_NATIVE_UINT16);
  H5Tinsert(head, "center_sample", offsetof(Stored, centre), H5T_NATIVE_UINT16);
  H5Tinsert(head, "idx", offsetof(Stored, step_1), idx);
  const hid_t data = H5Tvlen_create(H5T_NATIVE_FLOAT), entry = H5Tcreate(H5T_COMPOUND, sizeof(Stored));
  H5Tinsert(entry, "head", 0, head);
  H5Tinsert(entry, "data", offsetof(Stored, data), data);
  for (const hid_t type : {idx, head, data}) H5Tclose(type);
  return entry;
}

std::string header(const std::string& trajectory) {
  return "<?xml version=\"1.0\"?><ismrmrdHeader xmlns=\"http://www.ismrm.org/ISMRMRD\"><acquisitionSystemInformation>"
         "<systemVendor>ACME</systemVendor><systemFieldStrength_T>1.5</systemFieldStrength_T></"
         "acquisitionSystemInformation>"
         "<encoding><encodedSpace><matrixSize><x>4</x><y>3</y><z>1</z></matrixSize><fieldOfView_mm><x>400</x><y>300</y>"
         "<z>5</z></fieldOfView_mm></encodedSpace><reconSpace><matrixSize><x>2</x><y>3</y><z>1</z></matrixSize>"
         "<fieldOfView_mm><x>200</x><y>300</y><z>5</z></fieldOfView_mm></reconSpace><trajectory>" +
         trajectory + "</trajectory></encoding><sequenceParameters><TR>30.5</TR></sequenceParameters></ismrmrdHeader>";
}

/// Two lines of two channels, one of them twice, a partial echo, noise, and another slice.
Bytes ismrmrd(const std::string& trajectory, std::size_t cut_numbers = 0) {
  std::vector<std::vector<float>> numbers;
  std::vector<Stored> entries;
  const auto add = [&](Stored entry, float first) {
    entry.channels = 2;
    std::vector<float> values(2U * entry.samples * entry.channels);
    std::iota(values.begin(), values.end(), first);
    numbers.push_back(std::move(values));
    entries.push_back(entry);
  };
  Stored full;
  full.samples = 4;
  full.centre = 2;
  Stored again = full, partial = full, noise = full, other = full;
  full.step_1 = again.step_1 = 1;
  partial.step_1 = 2;
  partial.samples = 3;
  partial.centre = 1;
  noise.flags = 1ULL << 18U;
  other.slice = 1;
  add(full, 0);
  add(again, 2);
  add(partial, 100);
  add(noise, 1000);
  add(other, 2000);
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i].data = {numbers[i].size() - cut_numbers, numbers[i].data()};
  Maker maker;
  maker.text("/dataset/xml", header(trajectory));
  const hid_t type = stored_type();
  maker.write("/dataset/data", type, type, {entries.size()}, entries.data());
  H5Tclose(type);
  return maker.bytes();
}

TEST(Hdf5, InverseIsmrmrd) {
  const RawData read = raw(ismrmrd("cartesian"));
  const auto& space = std::get<KSpace>(read.value);
  EXPECT_EQ(shape_text(read), "k-space of 4 x 3 x 1 samples with 2 coils");
  const auto at = [&](std::size_t x, std::size_t y, std::size_t c) { return space.samples[x + 4 * (y + 3 * c)]; };
  using C = std::complex<float>;
  EXPECT_EQ(at(0, 0, 0), C{});        // never measured
  EXPECT_EQ(at(0, 1, 0), (C{1, 2}));  // mean of (0, 1) and (2, 3)
  EXPECT_EQ(at(3, 1, 1), (C{15, 16}));
  EXPECT_EQ(at(0, 2, 0), C{});  // partial echo: its sample 1 is the centre, 2
  EXPECT_EQ(at(1, 2, 0), (C{100, 101}));
  EXPECT_EQ(at(3, 2, 1), (C{110, 111}));
  EXPECT_EQ(space.field_of_view_mm, (std::array<double, 3>{400, 300, 5}));
  EXPECT_EQ(space.recon_size, (std::array<std::int64_t, 3>{2, 3, 1}));
  EXPECT_EQ(read.acquisition.manufacturer, "ACME");
  EXPECT_EQ(*facts_of<MrFacts>(read.acquisition)->repetition_time_ms, 30.5);
  ASSERT_EQ(read.remarks.size(), 2U);
  EXPECT_EQ(read.remarks[0].code, "readouts_of_no_image");
  EXPECT_EQ(read.remarks[1].code, "readouts_left_out");
}

TEST(Hdf5, BadInputNamesFileAndDataSet) {
  EXPECT_NE(fault(ismrmrd("radial")).find("'a.h5': /dataset/xml: the trajectory 'radial'"), std::string::npos);
  EXPECT_NE(fault(ismrmrd("cartesian", 1)).find("/dataset/data: entry 0 has 15 numbers of 16"), std::string::npos);
  const Bytes good = ismrmrd("cartesian");
  for (const long size : {9, 64, 500, 2000})
    EXPECT_NE(fault(Bytes(good.begin(), good.begin() + size)), "") << good.size();
  Maker other;
  other.number("/things/number", 3);
  EXPECT_NE(fault(other.bytes()).find("it holds things"), std::string::npos);
  Maker linked;  // data in another file is not opened
  H5Lcreate_external("/etc/passwd", "/x", linked.file(), "/data", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_NE(fault(linked.bytes()).find("neither ISMRMRD"), std::string::npos);
}

// Found by the fuzzer: the library crashes where it converts numbers whose bits lie at odd places.
TEST(Hdf5, FilesThatCrashTheLibraryAreRefused) {
  const std::filesystem::path kept = "tests/fuzz/kept/hdf5_fuzz/odd-number-type.h5";
  if (!std::filesystem::exists(kept)) GTEST_SKIP() << "not run from the repository's root";
  EXPECT_NE(fault(read_file(kept)).find("it holds no numbers"), std::string::npos);
  // And whatever else crashes or never ends does so in a child process.
  const auto why = [](const std::function<void()>& task) {
    try {
      rehearse(task, 1, "reading 'x': ");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(why([] { std::raise(SIGSEGV); }).find("crashed"), std::string::npos);
  EXPECT_NE(why([] { ::pause(); }).find("within 1 s"), std::string::npos);
  EXPECT_EQ(why([] { throw Error(Code::bad_input, "told by the run that follows"); }), "");
}

TEST(Hdf5, TwoReadersAtATimeDoNotMeet) {
  const Bytes one = ismrmrd("cartesian"), two = ismrmrd("radial");
  int good = 0, refused = 0;
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) refused += fault(two).empty() ? 0 : 1;
  });
  for (int i = 0; i < 20; ++i) good += fault(one).empty() ? 1 : 0;
  other.join();
  EXPECT_EQ(good, 20);
  EXPECT_EQ(refused, 20);
}

TEST(Hdf5, InversePicmus) {
  const std::string top = "/US/US_DATASET0000/";
  Maker maker;
  std::vector<float> values(2 * 2 * 3);
  std::iota(values.begin(), values.end(), 0.F);
  const std::array<float, 2> angles{-0.1F, 0.1F};
  const std::array<float, 6> probe{-0.001F, 0.001F, 0, 0, 0, 0};
  maker.write(top + "data/real", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {2, 2, 3}, values.data());
  maker.write(top + "angles", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {2}, angles.data());
  maker.write(top + "probe_geometry", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {3, 2}, probe.data());
  maker.number(top + "sampling_frequency", 20e6);
  maker.number(top + "sound_speed", 1540);
  const auto channels = std::get<ChannelData>(raw(maker.bytes()).value);
  EXPECT_EQ(channels.values, values);
  EXPECT_EQ(channels.samples, 3);
  EXPECT_EQ(channels.transmits, 2);
  EXPECT_NEAR(channels.element_mm.at(1)[0], 1, 1e-6);
  EXPECT_EQ(channels.sound_speed_m_per_s, 1540);
  EXPECT_NEAR(channels.transmit_angle_rad.at(0), -0.1, 1e-8);
  maker.number(top + "modulation_frequency", 5e6);
  EXPECT_NE(fault(maker.bytes()).find("IQ"), std::string::npos);
}

// Published: h5py 3 and SOURCE.md on the same file.
TEST(Hdf5, PublishedPlaneWaves) {
  const auto path = test_data("us/rf-pybf/rf_dataset.hdf5");
  if (!path) GTEST_SKIP() << "data not here: us/rf-pybf";
  const RawData read = raw(read_file(*path));
  EXPECT_EQ(shape_text(read), "channel data of 2313 samples x 192 elements x 3 transmits");
  const auto& channels = std::get<ChannelData>(read.value);
  EXPECT_EQ(channels.sampling_rate_hz, 20e6);
  EXPECT_EQ(channels.centre_frequency_hz, 5208300);
  EXPECT_NEAR(channels.transmit_angle_rad.at(0) * 180 / 3.14159265358979, -12, 1e-6);
  EXPECT_NEAR(channels.element_mm.at(191)[0] - channels.element_mm.at(0)[0], 191 * 0.23, 1e-9);
  EXPECT_NEAR(channels.start_time_s, -1.06666667e-06, 1e-13);
  double sum = 0, squares = 0;
  for (const float v : channels.values) sum += v, squares += static_cast<double>(v) * v;
  EXPECT_EQ(sum, -5043936);
  EXPECT_EQ(squares, 791880035666);
}

}  // namespace
}  // namespace penta::io::rawdata
