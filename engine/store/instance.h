#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace penta::engine {

/// A range of bytes of a stored file: one frame of native pixel data, or one fragment of an encapsulated frame.
struct ByteRange {
  std::int64_t offset = 0, length = 0;
};

/// What the archive knows of one DICOM instance. Made in a worker from the file's bytes; texts are UTF-8.
struct InstanceIndex {
  std::string study_uid, series_uid, sop_uid, sop_class, transfer_syntax;
  /// PS3.18 annex F: the data set as DICOM JSON, compact, without pixel data; large values as BulkDataURI
  /// "bulk/<path>" (relative to the instance), where <path> is tag, or tag/item/tag ....
  std::string metadata;
  /// Frames in order, each a list of ranges (one for native pixels; fragments for encapsulated ones); empty: no pixels.
  std::vector<std::vector<ByteRange>> frames;
  /// Native frames that are no ranges of little-endian bytes of the file: bits that do not fill bytes (1-bit SEG), a
  /// deflated data set, big endian words. Then `frames` is empty and frames go by a worker.
  bool packed_bits = false;
  std::int64_t rows = 0, columns = 0, frame_count = 0;
};

/// Reads it from a PS3.10 file, in this process (io/dicom/web.h); what came from outside is read by a worker.
/// Throws Error{bad_input} that says what is wrong.
[[nodiscard]] InstanceIndex index_file(const std::filesystem::path& path);

}  // namespace penta::engine
