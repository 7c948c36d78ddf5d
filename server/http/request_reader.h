#pragma once

#include <memory>

#include "server/http/message.h"
#include "server/http/server.h"
#include "server/http/socket.h"
#include "server/http/text.h"

namespace penta::server {

/// Reads the requests of one connection, one after another; bodies only when they are asked for.
class RequestReader final : public BodySource {
 public:
  RequestReader(Socket& socket, const HttpSettings& settings);
  ~RequestReader() override;

  /// The next request's head, with `body` set to this. False when no other comes. Throws HttpError for what is none, is
  /// too long or too slow.
  [[nodiscard]] bool next(Request& request, Target& target);
  [[nodiscard]] std::size_t read(std::span<std::byte> out) override;
  /// Reads what is left of the body where that is little; false where it is not.
  [[nodiscard]] bool finish();
  /// Whether the client takes another answer on this connection.
  [[nodiscard]] bool keep_alive() const noexcept;
  /// Whether the client understands chunks (HTTP/1.1).
  [[nodiscard]] bool takes_chunks() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penta::server
