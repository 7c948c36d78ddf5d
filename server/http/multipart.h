#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/message.h"

namespace penta::server {

/// What a Content-Type of multipart/related says (RFC 2387).
struct RelatedType {
  std::string boundary, type, start;  ///< type in lower case; start is the Content-ID of the root part
};
/// Throws HttpError 415 for another type, 400 where the boundary is missing or is none (RFC 2046 5.1.1).
[[nodiscard]] RelatedType parse_related(std::string_view content_type);

struct MultipartLimits {
  std::size_t header_bytes = std::size_t{16} << 10;  ///< of one part
  std::size_t headers = 32;
  std::size_t parts = 100'000;
};

/// Reads a multipart body part by part, in pieces that are never copied.
class MultipartReader {
 public:
  MultipartReader(BodySource& source, std::string_view boundary, MultipartLimits limits = {});

  /// Headers of the next part (the rest of the present one is skipped); nothing after the last.
  /// Throws HttpError 400 for a body that is no multipart, or ends before its last boundary.
  [[nodiscard]] std::optional<Headers> next();
  /// The next piece of the present part, good until the next call; empty at its end.
  [[nodiscard]] std::span<const std::byte> piece();

 private:
  bool fill();
  [[nodiscard]] std::string_view window() const noexcept;
  void skip_to_first();
  [[nodiscard]] bool at_last();
  [[nodiscard]] Headers part_headers();
  [[nodiscard]] bool read_line(std::string& line);

  BodySource& source_;
  std::string delimiter_;  ///< CRLF, two dashes, the boundary
  MultipartLimits limits_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0, parts_ = 0;
  enum class Place { before, in_part, at_delimiter, after } place_ = Place::before;
};

/// A boundary that random content does not contain.
[[nodiscard]] std::string new_boundary();
/// "multipart/related; type="application/dicom"; boundary=..."
[[nodiscard]] std::string related_type(std::string_view type, std::string_view boundary);
/// What stands before a part's content. Lines of `headers` are "Name: value".
[[nodiscard]] std::string part_head(std::string_view boundary, std::string_view content_type,
                                    const Headers& headers = {});
/// What stands after the last part's content.
[[nodiscard]] std::string multipart_end(std::string_view boundary);

}  // namespace penta::server
