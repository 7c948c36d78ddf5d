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

#include "core/error.h"
#include "core/json.h"

namespace penta::server {

/// An Error with an HTTP status of its own, for what HTTP has a word for and Code has not: 404, 406, 413, 415 ...
class HttpError : public Error {
 public:
  HttpError(int status, const std::string& sentence) : Error(Code::wrong_use, sentence), status_(status) {}
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_;
};

/// The body of a request as it comes in.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills the front of `out`; 0 at the end. Throws HttpError when the client goes away (400), is too slow (408), or
  /// the body is over its limit (413).
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
  std::string client;  ///< address of the other side
  BodySource* body = nullptr;

  [[nodiscard]] std::optional<std::string> header(std::string_view name) const { return header_of(headers, name); }
  /// First value of a query key.
  [[nodiscard]] std::optional<std::string> asked(std::string_view key) const;
  /// The whole body as text. Throws HttpError 413 over `limit` bytes.
  [[nodiscard]] std::string text(std::size_t limit = std::size_t{1} << 20) const;
};

/// A file, or a range of it, sent as it is.
struct FileBody {
  std::filesystem::path path;
  std::int64_t offset = 0, length = -1;  ///< -1: to the end
};

/// Texts and files one after another, sent with a Content-Length: the parts of a multipart body.
using PiecesBody = std::vector<std::variant<std::string, FileBody>>;

/// Writes pieces to the client, each at once as a chunk; false once the client has gone or the server closes.
using Writer = std::function<bool(std::span<const std::byte>)>;
/// Called once, to write the whole body. What it throws before its first piece becomes a problem as from a handler;
/// later the connection is broken off, so that the client sees that the body is not whole.
using StreamBody = std::function<void(const Writer&)>;

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, PiecesBody, StreamBody> body;
};

[[nodiscard]] Response json_response(const Json& json, int status = 200, std::string_view type = "application/json");
/// Reason phrase of a status ("Not Found"); "Status" for one that has none.
[[nodiscard]] std::string_view phrase_of(int status) noexcept;
/// RFC 9457: {"type", "title", "status", "detail"} as application/problem+json.
[[nodiscard]] Response problem(int status, std::string_view detail);

/// The problem of an Error: HttpError with its status, others with that of their Code. Our own faults say nothing of
/// the inside.
[[nodiscard]] Response problem_of(const Error& error);

using Handler = std::function<Response(const Request&)>;

/// A pattern such as "/studies/{study}/series": one name a segment; a last "{rest*}" takes what remains.
struct Route {
  std::string method, pattern;
  Handler handler;
};

/// What parts of the server hand to it.
using Routes = std::vector<Route>;

}  // namespace penta::server
