#include "server/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "server/http/policy.h"
#include "server/http/request_reader.h"
#include "server/http/respond.h"
#include "server/http/router.h"
#include "server/http/socket.h"

namespace penta::server {

struct HttpServer::State {
  HttpSettings settings;
  Router router;
  int listener = -1;
  std::atomic<bool> closing{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::set<int> open;  ///< handles that a thread serves
  std::thread acceptor;

  State(HttpSettings given, Routes routes) : settings(std::move(given)), router(std::move(routes)) {}

  void accept_all();
  void begin(int handle);
  void serve(int handle);
  [[nodiscard]] bool exchange(Socket& socket, RequestReader& reader, const std::string& client);
  [[nodiscard]] Response answer(Request& request, const Target& target);
};

namespace {

void refuse_busy(int handle) {
  Socket socket(handle);
  socket.patience = std::chrono::milliseconds(100);
  const std::string policy;
  const std::atomic<bool> closing{false};
  const Request nothing;
  const std::function<void(const std::string&)> nobody;
  Response busy = problem(503, "all connections are in use; try again in a moment");
  busy.headers.emplace_back("Retry-After", "1");
  (void)send_response(socket, std::move(busy), {nothing, false, true, policy, closing, nobody});
}

}  // namespace

Response HttpServer::State::answer(Request& request, const Target& target) {
  return guarded(
      [&] {
        check_sender(request);
        check_coding(request);
        if (request.method == "OPTIONS") {
          const std::string allowed = router.allowed(target);
          if (allowed.empty()) throw HttpError(404, "there is nothing at " + target.path);
          return preflight(request, allowed + ", OPTIONS");
        }
        return router.answer(request, target);
      },
      settings.on_fault);
}

bool HttpServer::State::exchange(Socket& socket, RequestReader& reader, const std::string& client) {
  Request request;
  request.client = client;
  Target target;
  bool come = false;
  Response response = guarded(
      [&] {
        come = reader.next(request, target);
        return Response{};
      },
      settings.on_fault);
  const bool refused = response.status != 200;
  if (!come && !refused) return false;
  if (!refused) response = answer(request, target);
  // A body that nobody read stands between this request and the next one.
  bool finished = false;
  if (!refused)
    (void)guarded(
        [&] {
          finished = reader.finish();
          return Response{};
        },
        {});
  const bool keep = !refused && finished && reader.keep_alive() && !closing;
  const bool sent =
      send_response(socket, std::move(response),
                    {request, keep, reader.takes_chunks(), settings.host_page_policy, closing, settings.on_fault});
  if (sent && !finished) socket.linger();
  return sent && keep;
}

void HttpServer::State::serve(int handle) {
  Socket socket(handle);
  const std::string client = peer_of(handle);
  {
    RequestReader reader(socket, settings);
    while (!closing && exchange(socket, reader, client)) {
    }
  }
  // The last touch of this State: after it the server may be gone.
  const std::lock_guard lock(mutex);
  open.erase(handle);
  changed.notify_all();
}

void HttpServer::State::begin(int handle) {
  const int on = 1;
  ::setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  {
    const std::lock_guard lock(mutex);
    if (open.size() < static_cast<std::size_t>(settings.connections_max) && !closing)
      open.insert(handle);
    else
      return refuse_busy(handle);
  }
  try {
    std::thread([this, handle] { serve(handle); }).detach();
  } catch (const std::system_error&) {
    const std::lock_guard lock(mutex);
    open.erase(handle);
    refuse_busy(handle);
  }
}

void HttpServer::State::accept_all() {
  while (!closing) {
    const int handle = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (handle >= 0)
      begin(handle);
    else if (!closing)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // out of handles: some will be closed
  }
}

HttpServer::HttpServer(HttpSettings settings, Routes routes)
    : state_(std::make_unique<State>(std::move(settings), std::move(routes))) {
  if (state_->settings.host_page_policy.empty()) state_->settings.host_page_policy = page_policy();
  state_->listener = listen_on(state_->settings.address, state_->settings.port);
  state_->acceptor = std::thread([state = state_.get()] { state->accept_all(); });
}

HttpServer::~HttpServer() {
  state_->closing = true;
  ::shutdown(state_->listener, SHUT_RDWR);
  state_->acceptor.join();
  ::close(state_->listener);
  std::unique_lock lock(state_->mutex);
  for (const int handle : state_->open) ::shutdown(handle, SHUT_RDWR);
  state_->changed.wait(lock, [&] { return state_->open.empty(); });
}

std::uint16_t HttpServer::port() const noexcept { return port_of(state_->listener); }

}  // namespace penta::server
