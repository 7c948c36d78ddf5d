#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "server/http/message.h"
#include "server/http/socket.h"

namespace penta::server {

/// What an answer depends on besides itself.
struct Exchange {
  const Request& request;
  bool keep_alive = true, chunks = true;
  const std::string& policy_of_pages;
  const std::atomic<bool>& closing;
  const std::function<void(const std::string&)>& on_fault;
};

/// Sends the answer: ETag and If-None-Match, Range for files, HEAD, policies. False when the connection must end.
[[nodiscard]] bool send_response(Socket& socket, Response response, const Exchange& exchange);

/// Runs `make` and gives its answer, or the problem of what it threw.
[[nodiscard]] Response guarded(const std::function<Response()>& make,
                               const std::function<void(const std::string&)>& on_fault);

}  // namespace penta::server
