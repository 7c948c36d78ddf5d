#include "server/http/policy.h"

#include <algorithm>

#include "server/http/ranges.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

void add_once(Headers& headers, std::string_view name, std::string_view value) {
  if (!header_of(headers, name)) headers.emplace_back(std::string(name), std::string(value));
}

}  // namespace

std::string page_policy() {
  // Cornerstone3D: workers from blobs, codecs in WebAssembly, elements with a style attribute.
  return "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
         "style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
         "connect-src 'self' blob: data:; frame-src 'self' blob:; object-src 'none'; base-uri 'none'; "
         "form-action 'none'; frame-ancestors 'self'";
}

void check_sender(const Request& request) {
  const auto host = request.header("Host");
  if (!host || !is_loopback_host(*host))
    throw HttpError(421, "this server answers only to localhost, 127.0.0.1 and [::1] as Host");
  const auto origin = request.header("Origin");
  if (origin && !is_loopback_origin(*origin)) throw HttpError(403, "pages of other machines may not use this server");
}

void check_coding(const Request& request) {
  const auto coding = request.header("Content-Encoding");
  if (coding && !same_word(*coding, "identity"))
    throw HttpError(415, "bodies are taken as they are, not in the Content-Encoding '" + *coding + "'");
}

Response preflight(const Request& request, const std::string& allowed) {
  Response out{204, {{"Allow", allowed}}, std::string()};
  if (!request.header("Origin")) return out;
  out.headers.emplace_back("Access-Control-Allow-Methods", allowed);
  std::string names = request.header("Access-Control-Request-Headers").value_or("");
  const bool plain = std::all_of(names.begin(), names.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ',' ||
           c == ' ';
  });
  if (plain && !names.empty()) out.headers.emplace_back("Access-Control-Allow-Headers", std::move(names));
  out.headers.emplace_back("Access-Control-Max-Age", "600");
  return out;
}

void add_policies(Response& response, const Request& request, const std::string& policy_of_pages) {
  Headers& headers = response.headers;
  add_once(headers, "X-Content-Type-Options", "nosniff");
  add_once(headers, "Referrer-Policy", "no-referrer");
  add_once(headers, "Cross-Origin-Opener-Policy", "same-origin");
  // The site is the machine: pages of its other ports are the same site.
  add_once(headers, "Cross-Origin-Resource-Policy", "same-site");
  const std::string type = lower(header_of(headers, "Content-Type").value_or(""));
  const auto is = [&](std::string_view kind) { return type.substr(0, kind.size()) == kind; };
  // Browsers show a PDF in a page of their own, which a policy without scripts leaves empty.
  if (is("text/html"))
    add_once(headers, "Content-Security-Policy", policy_of_pages);
  else if (!is("application/pdf"))
    add_once(headers, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'self'");
  add_once(headers, "Cache-Control", header_of(headers, "ETag") ? "private, no-cache" : "no-store");
  headers.emplace_back("Vary", "Origin");
  const auto origin = request.header("Origin");
  if (!origin || !is_loopback_origin(*origin)) return;
  headers.emplace_back("Access-Control-Allow-Origin", *origin);
  headers.emplace_back("Access-Control-Expose-Headers",
                       "Content-Length, Content-Range, Content-Location, Location, ETag, Warning, Accept-Ranges");
}

}  // namespace penta::server
