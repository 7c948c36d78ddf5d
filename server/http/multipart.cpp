#include "server/http/multipart.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "server/http/accept.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{256} << 10;

[[noreturn]] void refuse(const std::string& what) { throw HttpError(400, "reading a multipart body: " + what); }

bool is_boundary(std::string_view text) noexcept {
  constexpr std::string_view others = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= 70 && text.back() != ' ' && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != others.npos;
  });
}

}  // namespace

RelatedType parse_related(std::string_view content_type) {
  const auto media = parse_media_type(content_type);
  if (!media || media->essence() != "multipart/related")
    throw HttpError(415, "the Content-Type is no multipart/related (RFC 2387)");
  RelatedType out{media->parameter("boundary").value_or(""), lower(media->parameter("type").value_or("")),
                  media->parameter("start").value_or("")};
  if (!is_boundary(out.boundary)) throw HttpError(400, "the Content-Type has no boundary as RFC 2046 wants it");
  return out;
}

MultipartReader::MultipartReader(BodySource& source, std::string_view boundary, MultipartLimits limits)
    : source_(source), delimiter_("\r\n--" + std::string(boundary)), limits_(limits), buffer_(buffer_bytes) {
  // A body may begin with its first delimiter, without the CRLF: then this one stands for it.
  buffer_[0] = std::byte{'\r'};
  buffer_[1] = std::byte{'\n'};
  end_ = 2;
}

std::string_view MultipartReader::window() const noexcept {
  return {reinterpret_cast<const char*>(buffer_.data()) + begin_, end_ - begin_};
}

bool MultipartReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) return false;
  const std::size_t count = source_.read(std::span(buffer_).subspan(end_));
  end_ += count;
  return count > 0;
}

void MultipartReader::skip_to_first() {
  std::size_t skipped = 0;
  while (true) {
    const std::size_t at = window().find(delimiter_);
    if (at != std::string_view::npos) {
      begin_ += at + delimiter_.size();
      place_ = Place::at_delimiter;
      return;
    }
    const std::size_t keep = std::min(window().size(), delimiter_.size());
    skipped += window().size() - keep;
    begin_ = end_ - keep;
    if (skipped > limits_.header_bytes) refuse("no boundary at its beginning");
    if (!fill()) refuse("its boundary does not occur in it");
  }
}

bool MultipartReader::at_last() {
  while (window().size() < 2)
    if (!fill()) refuse("it ends within a boundary");
  return window().substr(0, 2) == "--";
}

bool MultipartReader::read_line(std::string& line) {
  std::size_t end = 0;
  while ((end = window().find("\r\n")) == std::string_view::npos) {
    if (window().size() > limits_.header_bytes) refuse("a part's headers are too long");
    if (!fill()) refuse("it ends within a part's headers");
  }
  line = std::string(window().substr(0, end));
  begin_ += end + 2;
  return !line.empty();
}

Headers MultipartReader::part_headers() {
  std::string line;
  (void)read_line(line);  // what follows the boundary on its line
  if (!trimmed(line).empty()) refuse("a boundary is followed by other text");
  Headers out;
  std::size_t bytes = 0;
  while (true) {
    if (!read_line(line)) return out;
    bytes += line.size();
    if (bytes > limits_.header_bytes || out.size() == limits_.headers) refuse("a part's headers are too long");
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) refuse("a part's header has no name");
    out.emplace_back(std::string(trimmed(std::string_view(line).substr(0, colon))),
                     std::string(trimmed(std::string_view(line).substr(colon + 1))));
  }
}

std::optional<Headers> MultipartReader::next() {
  if (place_ == Place::before) skip_to_first();
  while (place_ == Place::in_part)
    if (piece().empty()) break;
  if (place_ == Place::after) return {};
  if (at_last()) {
    place_ = Place::after;
    begin_ = end_ = 0;
    while (fill()) begin_ = end_ = 0;  // the epilogue says nothing
    return {};
  }
  if (++parts_ > limits_.parts) refuse("more than " + std::to_string(limits_.parts) + " parts");
  Headers headers = part_headers();
  place_ = Place::in_part;
  return headers;
}

std::span<const std::byte> MultipartReader::piece() {
  if (place_ != Place::in_part) return {};
  std::size_t searched = 0;
  while (true) {
    const std::string_view text = window();
    const std::size_t at = text.find(delimiter_, searched);
    const bool found = at != std::string_view::npos;
    // The last bytes may be the beginning of a delimiter.
    const std::size_t safe = found ? at : text.size() - std::min(text.size(), delimiter_.size() - 1);
    if (found && safe == 0) {
      begin_ += delimiter_.size();
      place_ = Place::at_delimiter;
      return {};
    }
    // Small leftovers wait for more, so that pieces are long.
    if (safe > 0 && (found || text.size() == buffer_.size())) {
      const std::span<const std::byte> out(buffer_.data() + begin_, safe);
      begin_ += safe;
      return out;
    }
    searched = safe;
    if (!fill()) refuse("it ends before its last boundary");
  }
}

std::string new_boundary() {
  std::random_device random;
  std::string out = "penta-";
  constexpr std::string_view digits = "0123456789abcdef";
  for (int word = 0; word < 4; ++word) {
    std::uint32_t bits = random();
    for (int i = 0; i < 8; ++i, bits >>= 4) out += digits[bits & 15U];
  }
  return out;
}

std::string related_type(std::string_view type, std::string_view boundary) {
  return "multipart/related; type=\"" + std::string(type) + "\"; boundary=" + std::string(boundary);
}

std::string part_head(std::string_view boundary, std::string_view content_type, const Headers& headers) {
  std::string out = "\r\n--" + std::string(boundary) + "\r\nContent-Type: " + std::string(content_type) + "\r\n";
  for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
  return out + "\r\n";
}

std::string multipart_end(std::string_view boundary) { return "\r\n--" + std::string(boundary) + "--\r\n"; }

}  // namespace penta::server
