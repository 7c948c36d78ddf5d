#include "server/http/message.h"

#include <algorithm>
#include <array>

#include "server/http/text.h"

namespace penta::server {

namespace {

struct Phrase {
  int status;
  std::string_view words;
};

constexpr std::array phrases{Phrase{200, "OK"},
                             Phrase{201, "Created"},
                             Phrase{202, "Accepted"},
                             Phrase{204, "No Content"},
                             Phrase{206, "Partial Content"},
                             Phrase{207, "Multi-Status"},
                             Phrase{301, "Moved Permanently"},
                             Phrase{302, "Found"},
                             Phrase{303, "See Other"},
                             Phrase{304, "Not Modified"},
                             Phrase{307, "Temporary Redirect"},
                             Phrase{308, "Permanent Redirect"},
                             Phrase{400, "Bad Request"},
                             Phrase{401, "Unauthorized"},
                             Phrase{403, "Forbidden"},
                             Phrase{404, "Not Found"},
                             Phrase{405, "Method Not Allowed"},
                             Phrase{406, "Not Acceptable"},
                             Phrase{408, "Request Timeout"},
                             Phrase{409, "Conflict"},
                             Phrase{410, "Gone"},
                             Phrase{411, "Length Required"},
                             Phrase{412, "Precondition Failed"},
                             Phrase{413, "Content Too Large"},
                             Phrase{414, "URI Too Long"},
                             Phrase{415, "Unsupported Media Type"},
                             Phrase{416, "Range Not Satisfiable"},
                             Phrase{421, "Misdirected Request"},
                             Phrase{422, "Unprocessable Content"},
                             Phrase{429, "Too Many Requests"},
                             Phrase{431, "Request Header Fields Too Large"},
                             Phrase{499, "Client Closed Request"},
                             Phrase{500, "Internal Server Error"},
                             Phrase{501, "Not Implemented"},
                             Phrase{503, "Service Unavailable"},
                             Phrase{507, "Insufficient Storage"}};

}  // namespace

std::optional<std::string> header_of(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (same_word(key, name)) return value;
  return {};
}

std::optional<std::string> Request::asked(std::string_view key) const {
  for (const auto& [name, value] : query)
    if (name == key) return value;
  return {};
}

std::string Request::text(std::size_t limit) const {
  std::string out;
  std::array<std::byte, 16384> piece{};
  while (body != nullptr) {
    const std::size_t count = body->read(piece);
    if (count == 0) break;
    if (count > limit - out.size())
      throw HttpError(413, "the body is larger than " + std::to_string(limit) + " bytes, the limit here");
    out.append(reinterpret_cast<const char*>(piece.data()), count);
  }
  return out;
}

Response json_response(const Json& json, int status, std::string_view type) {
  return {status, {{"Content-Type", std::string(type)}}, json.dump(-1)};
}

std::string_view phrase_of(int status) noexcept {
  const auto row = std::find_if(phrases.begin(), phrases.end(), [&](const Phrase& p) { return p.status == status; });
  return row == phrases.end() ? "Status" : row->words;
}

Response problem(int status, std::string_view detail) {
  Json json = Json::object();
  json.set("type", "about:blank");
  json.set("title", phrase_of(status));
  json.set("status", status);
  json.set("detail", detail);
  return json_response(json, status, "application/problem+json");
}

Response problem_of(const Error& error) {
  if (const auto* refusal = dynamic_cast<const HttpError*>(&error)) return problem(refusal->status(), error.what());
  const int status = code_row(error.code()).http_status;
  return problem(status,
                 error.code() == Code::internal ? "an internal fault; the server's log has more" : error.what());
}

}  // namespace penta::server
