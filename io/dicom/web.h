#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penta::io::dicom {

/// A range of bytes of a file.
struct FileRange {
  std::int64_t offset = 0, length = 0;
};

/// What an archive keeps of one PS3.10 file, read without its pixel data. Texts are UTF-8.
struct WebIndex {
  std::string study_uid, series_uid, sop_uid, sop_class, transfer_syntax;
  /// DICOM JSON (PS3.18 annex F), compact: binary values of more than 1024 bytes, texts and numbers of more than 256 KiB,
  /// and pixel data as BulkDataURI "bulk/<path>"; <path> is a tag, or tag/item/tag with items from 0. DS and IS that are
  /// numbers are JSON numbers as they were written; 64-bit numbers past 2^53, and FL and FD that are none, are texts.
  std::string metadata;
  /// The frames in order, each a list of ranges: one of little-endian samples, or the fragments of an encapsulated frame.
  std::vector<std::vector<FileRange>> frames;
  /// Native frames that are no such ranges: single bits, a deflated data set, big endian samples. `frames` is empty.
  bool frames_by_decoding = false;
  std::int64_t rows = 0, columns = 0, frame_count = 0;  ///< frame_count 0: no pixel data
};

/// True for 1 to 64 digits and points (PS3.5 9.1).
[[nodiscard]] bool is_uid(std::string_view text) noexcept;

/// Throws Error{bad_input}: no PS3.10 file, a header that cannot be read, a UID that is missing or none, pixel data that
/// the file ends inside of.
[[nodiscard]] WebIndex web_index(const std::filesystem::path& path);
[[nodiscard]] WebIndex web_index(std::span<const std::byte> bytes, const std::string& name);

/// The bytes of an element, little endian, by the <path> of its BulkDataURI; of encapsulated pixel data all fragments,
/// one after another. Throws Error{bad_input}: no such element.
[[nodiscard]] std::vector<std::byte> bulk_value(const std::filesystem::path& path, const std::string& bulk_path);

/// Whether two PS3.10 files have the same bytes behind their meta headers (of one transfer syntax: the same data set).
/// False where one of them cannot be read.
[[nodiscard]] bool same_data_set(const std::filesystem::path& one, const std::filesystem::path& other);

/// One frame decoded: samples as in native pixel data of explicit VR little endian.
struct NativeFrame {
  std::vector<std::byte> bytes;
  std::string photometric;  ///< of these samples: a decoder may have made RGB of YBR
  bool planar = false;
};
/// `frame` from 1. Throws Error{bad_input}.
[[nodiscard]] NativeFrame native_frame(const std::filesystem::path& path, std::int64_t frame);

/// The instance as a PS3.10 file in explicit VR little endian, from any transfer syntax that is read; texts in the
/// character set that they have. What stands behind the pixel data (padding, signatures, which no longer hold) is left
/// out. Throws Error{bad_input}.
[[nodiscard]] std::vector<std::byte> as_explicit_little_endian(const std::filesystem::path& path);

}  // namespace penta::io::dicom
