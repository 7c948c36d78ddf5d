#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "io/nifti/nifti.h"

namespace penta::io::nifti {

using Bytes = std::vector<std::byte>;

/// A NIfTI-1 or -2 file in memory, in either byte order, field by field.
class FileBytes {
 public:
  FileBytes(int version, bool big_endian, std::int16_t datatype, std::int16_t bits, std::vector<std::int64_t> dim)
      : version_(version), big_(big_endian), bytes_(version == 1 ? 352 : 544) {
    put<std::int32_t>(0, version == 1 ? 348 : 540);
    std::memcpy(bytes_.data() + (version == 1 ? 344 : 4), version == 1 ? "n+1" : "n+2\0\r\n\032\n",
                version == 1 ? 4 : 8);
    put<std::int16_t>(version == 1 ? 70 : 12, datatype);
    put<std::int16_t>(version == 1 ? 72 : 14, bits);
    set_dim(0, static_cast<std::int64_t>(dim.size()));
    for (std::size_t i = 0; i < dim.size(); ++i) set_dim(i + 1, dim[i]);
    for (std::size_t i = 0; i < 8; ++i) pixdim(i, 1);
    if (version == 1)
      put<float>(108, 352);
    else
      put<std::int64_t>(168, 544);
    units(2);
  }
  template <class T>
  FileBytes& put(std::size_t at, T value) {
    auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
    if (big_) std::reverse(raw.begin(), raw.end());
    if (bytes_.size() < at + sizeof(T)) bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, raw.data(), sizeof(T));
    return *this;
  }
  FileBytes& number(std::size_t at_1, std::size_t at_2, double value) {
    return version_ == 1 ? put(at_1, static_cast<float>(value)) : put(at_2, value);
  }
  FileBytes& code(std::size_t at_1, std::size_t at_2, int value) {
    return version_ == 1 ? put(at_1, static_cast<std::int16_t>(value)) : put(at_2, static_cast<std::int32_t>(value));
  }
  FileBytes& set_dim(std::size_t i, std::int64_t n) {
    return version_ == 1 ? put(40 + 2 * i, static_cast<std::int16_t>(n)) : put(16 + 8 * i, n);
  }
  FileBytes& pixdim(std::size_t i, double value) { return number(76 + 4 * i, 104 + 8 * i, value); }
  FileBytes& units(int value) {
    return version_ == 1 ? put(123, static_cast<std::uint8_t>(value)) : put(500, static_cast<std::int32_t>(value));
  }
  FileBytes& scale(double slope, double intercept) { return number(112, 176, slope).number(116, 184, intercept); }
  FileBytes& qform(int value) { return code(252, 344, value); }
  FileBytes& sform(int value) { return code(254, 348, value); }
  FileBytes& srow(std::size_t row, std::array<double, 4> values) {
    for (std::size_t j = 0; j < 4; ++j) number(280 + 16 * row + 4 * j, 400 + 32 * row + 8 * j, values[j]);
    return *this;
  }
  FileBytes& diagonal(double x, double y, double z) {
    return sform(1).srow(0, {x, 0, 0, 0}).srow(1, {0, y, 0, 0}).srow(2, {0, 0, z, 0});
  }
  template <class T>
  FileBytes& voxels(const std::vector<T>& values) {
    for (const T& v : values) put(bytes_.size(), v);
    return *this;
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  int version_;
  bool big_;
  Bytes bytes_;
};

inline bool says(const Image& image, std::string_view code) {
  return std::any_of(image.remarks.begin(), image.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

inline std::string refusal(const Bytes& bytes) {
  try {
    (void)read(bytes, "x.nii");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    return error.what();
  }
  return "read without an error";
}

template <class T>
const Volume<T>& only(const Image& image) {
  return std::get<Volume<T>>(image.volume());
}

}  // namespace penta::io::nifti
