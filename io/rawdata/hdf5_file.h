#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penta::io::rawdata {

/// One readout of ISMRMRD (ismrmrd.h, ISMRMRD_AcquisitionHeader): only what is used of it.
struct Readout {
  std::uint64_t flags = 0;
  int samples = 0, channels = 0, centre_sample = 0;
  int step_1 = 0, step_2 = 0, average = 0, slice = 0, contrast = 0, phase = 0, repetition = 0, set = 0;
  std::vector<std::complex<float>> data;  ///< samples fastest, then channels
};

/// An HDF5 file in memory, read by the C library with its messages off. Only hard links inside the file are followed:
/// links to other files, data kept in other files and filters loaded at run time are refused.
/// Each call throws Error{bad_input} that starts with the file and names the data set.
class Hdf5File {
 public:
  Hdf5File(std::span<const std::byte> bytes, std::string doing);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  /// True where each part of "/data/rf_data" is there.
  [[nodiscard]] bool has(const std::string& path) const;
  /// Names in a group, in rising order; at most 10000.
  [[nodiscard]] std::vector<std::string> names(const std::string& group) const;
  [[nodiscard]] std::vector<std::int64_t> shape(const std::string& path) const;
  /// All numbers of a data set of whole numbers or floats, last axis fastest; at most 8 GiB, and no more than 512 MiB
  /// and 200 times the file.
  [[nodiscard]] std::vector<float> floats(const std::string& path) const;
  /// The same for few numbers (at most a million), in full precision.
  [[nodiscard]] std::vector<double> numbers(const std::string& path) const;
  /// The first number; nothing where there is no such data set.
  [[nodiscard]] std::optional<double> number(const std::string& path) const;
  /// The first text of a data set of texts.
  [[nodiscard]] std::string text(const std::string& path) const;
  /// Entry `index` of ISMRMRD's data.
  [[nodiscard]] Readout readout(const std::string& path, std::int64_t index) const;

  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[noreturn]] void fail(const std::string& path, const std::string& what) const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
  std::string doing_;
  std::uint64_t file_bytes_ = 0;
};

/// The signature at byte 0 (HDF5 File Format Specification, II.A).
[[nodiscard]] bool starts_as_hdf5(std::span<const std::byte> bytes) noexcept;

}  // namespace penta::io::rawdata
