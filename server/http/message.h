#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/json.h"

namespace penta::server {

/// The body of a request as it comes in.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills the front of `out`; 0 at the end. Throws Error{bad_input} when the client goes away, is too slow, or the body
  /// is over its limit.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> out) = 0;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// The value of a header (names without regard to case), or nothing.
[[nodiscard]] std::optional<std::string> header_of(const Headers& headers, std::string_view name);

struct Request {
  std::string method;                                      ///< GET, POST, PUT, DELETE, HEAD, OPTIONS
  std::string path;                                        ///< as sent, without the query
  std::map<std::string, std::string> vars;                 ///< from the route's pattern, percent-decoded
  std::vector<std::pair<std::string, std::string>> query;  ///< percent-decoded, in order
  Headers headers;
  std::string client;                                      ///< address of the other side
  BodySource* body = nullptr;

  [[nodiscard]] std::optional<std::string> header(std::string_view name) const { return header_of(headers, name); }
  /// First value of a query key.
  [[nodiscard]] std::optional<std::string> asked(std::string_view key) const;
  /// The whole body as text. Throws Error{bad_input} over `limit` bytes.
  [[nodiscard]] std::string text(std::size_t limit = std::size_t{1} << 20) const;
};

/// A file, or a range of it, sent as it is.
struct FileBody {
  std::filesystem::path path;
  std::int64_t offset = 0, length = -1;  ///< -1: to the end
};

/// Writes pieces to the client, in chunks; false once the client has gone or the server closes.
using Writer = std::function<bool(std::span<const std::byte>)>;
/// Called once, to write the whole body.
using StreamBody = std::function<void(const Writer&)>;

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, StreamBody> body;
};

[[nodiscard]] Response json_response(const Json& json, int status = 200, std::string_view type = "application/json");
/// RFC 9457: {"type", "title", "status", "detail"} as application/problem+json.
[[nodiscard]] Response problem(int status, std::string_view detail);

using Handler = std::function<Response(const Request&)>;

/// A pattern such as "/studies/{study}/series": one name a segment; a last "{rest*}" takes what remains.
struct Route {
  std::string method, pattern;
  Handler handler;
};

/// What parts of the server hand to it.
using Routes = std::vector<Route>;

}  // namespace penta::server
