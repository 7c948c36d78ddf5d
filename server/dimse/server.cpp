#include <arpa/inet.h>
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dul.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "server/dimse/contexts.h"
#include "server/dimse/dimse.h"
#include "server/dimse/service.h"

namespace penta::server {

namespace {

using dimse::Connection;

constexpr int backlog = 64, associations_over_max = 8;
constexpr std::string_view application_context = "1.2.840.10008.3.1.1.1";

// DCMTK takes a socket that somebody else accepted from a global; one thread at a time may hand one over.
std::mutex& handing_over() {
  static std::mutex one;
  return one;
}

int listen_on(const DimseSettings& settings) {
  const std::string place = settings.address + ":" + std::to_string(settings.port);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(settings.port);
  const bool known = ::inet_pton(AF_INET, settings.address.c_str(), &address.sin_addr) == 1;
  if (!known || (ntohl(address.sin_addr.s_addr) >> 24U) != 127)
    throw Error(Code::wrong_use, "listening for DICOM on " + place +
                                     ": only an address of this machine (127.x.x.x) is allowed until there are users and TLS");
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(socket, backlog) != 0) {
    const std::string why = std::strerror(errno);
    ::close(socket);
    throw Error(Code::output_failed, "listening for DICOM on " + place + ": " + why);
  }
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

// One accepted socket and the thread that serves it.
struct Client {
  std::thread thread;
  std::atomic<bool> done = false;
  std::mutex guard;  ///< of connection, which the association deletes
  Connection* connection = nullptr;
  T_ASC_Association* association = nullptr;
};

// What the thread that hands a socket to DCMTK waits for.
struct Handing {
  std::unique_lock<std::mutex> lock;
  Client* client = nullptr;
};

std::string calling_ae_title(T_ASC_Association& association) {
  std::string title = association.params->DULparams.callingAPTitle;
  while (!title.empty() && title.back() == ' ') title.pop_back();
  for (char& c : title)
    if (c < ' ' || c >= 127) c = '?';
  return title.empty() ? "unknown" : title;
}

}  // namespace

struct DimseServer::State {
  DimseSettings settings;
  engine::Archive& archive;
  int listening = -1, stopping = -1;
  std::uint16_t port = 0;
  std::unique_ptr<DcmTransportLayer> transport;
  T_ASC_Network* network = nullptr;
  Handing* handing = nullptr;  ///< under handing_over()
  std::list<Client> clients;   ///< the accepting thread's
  std::atomic<int> serving = 0;
  std::thread accepting;

  State(DimseSettings given, engine::Archive& store) : settings(std::move(given)), archive(store) {}

  void open_network() {
    transport = dimse::make_transport([this](Connection* made) { handed_over(made); });
    const std::lock_guard lock(handing_over());
    dcmExternalSocketHandle.set(listening);  // else DCMTK listens itself, on every address
    const auto patience = static_cast<int>(settings.negotiation_timeout.count());
    const OFCondition opened = ASC_initializeNetwork(NET_ACCEPTOR, port, patience, &network);
    dcmExternalSocketHandle.set(-1);
    if (opened.bad() || ASC_setTransportLayer(network, transport.get(), 0).bad())
      throw Error(Code::internal, "opening the DICOM network: " + dimse::reason_of(opened));
  }

  // From within ASC_receiveAssociation, once DCMTK has the socket.
  void handed_over(Connection* made) {
    Handing* one = handing;
    handing = nullptr;
    made->set_deadline(Connection::Clock::now() + settings.negotiation_timeout);
    {
      const std::lock_guard guard(one->client->guard);
      one->client->connection = made;
    }
    dcmExternalSocketHandle.set(-1);
    one->lock.unlock();
  }

  [[nodiscard]] bool receive_association(int socket, Client& client) {
    Handing one{std::unique_lock(handing_over()), &client};
    handing = &one;
    dcmExternalSocketHandle.set(socket);
    const OFCondition received = ASC_receiveAssociation(network, &client.association, ASC_MAXIMUMPDUSIZE);
    if (one.lock.owns_lock()) {  // it failed before it had made a connection
      handing = nullptr;
      dcmExternalSocketHandle.set(-1);
      one.lock.unlock();
      ::close(socket);
    }
    return received.good();
  }

  // True when it was accepted.
  [[nodiscard]] bool negotiate(T_ASC_Association& association) {
    const auto reject = [&](T_ASC_RejectParametersResult result, T_ASC_RejectParametersSource source,
                            T_ASC_RejectParametersReason reason) {
      const T_ASC_RejectParameters parameters{result, source, reason};
      ASC_rejectAssociation(&association, &parameters);
      return false;
    };
    if (serving > settings.associations_max)
      return reject(ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED,
                    ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED);
    if (application_context != association.params->DULparams.applicationContextName)
      return reject(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED);
    dimse::accept_contexts(*association.params);
    return ASC_acknowledgeAssociation(&association).good();
  }

  void serve_association(Client& client) {
    T_ASC_Association& association = *client.association;
    const std::string peer = calling_ae_title(association);
    if (!negotiate(association)) return;
    try {
      dimse::Channel channel(association, *client.connection, false);
      dimse::Service(settings, archive, channel, peer).run();
    } catch (const dimse::Ended& end) {
      if (end.how() == dimse::Ended::How::released) ASC_acknowledgeRelease(&association);
      else if (end.how() != dimse::Ended::How::aborted) ASC_abortAssociation(&association);
    } catch (const std::exception&) {
      ASC_abortAssociation(&association);  // our own fault costs this association
    }
  }

  void serve(int socket, Client& client) {
    ++serving;
    if (receive_association(socket, client)) serve_association(client);
    {
      const std::lock_guard guard(client.guard);
      client.connection = nullptr;
    }
    if (client.association != nullptr) {
      if (client.association->DULassociation != nullptr) ASC_dropAssociation(client.association);
      ASC_destroyAssociation(&client.association);
    }
    --serving;
    client.done = true;
  }

  void forget_done() {
    for (auto it = clients.begin(); it != clients.end();) {
      if (!it->done) {
        ++it;
        continue;
      }
      it->thread.join();
      it = clients.erase(it);
    }
  }

  void accept_one() {
    const int socket = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    forget_done();
    if (static_cast<int>(clients.size()) >= settings.associations_max + associations_over_max) {
      ::close(socket);
      return;
    }
    Client& client = clients.emplace_back();
    client.thread = std::thread([this, socket, &client] { serve(socket, client); });
  }

  void accept_all() {
    constexpr int tidy_ms = 10'000;
    for (;;) {
      std::array<pollfd, 2> ready{{{listening, POLLIN, 0}, {stopping, POLLIN, 0}}};
      if (::poll(ready.data(), ready.size(), tidy_ms) < 0 && errno != EINTR) return;
      if (ready[1].revents != 0) return;
      if (ready[0].revents != 0) accept_one();
      else forget_done();
    }
  }

  void stop() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(stopping, &one, sizeof one));
    if (accepting.joinable()) accepting.join();
    for (Client& client : clients) {
      const std::lock_guard guard(client.guard);
      if (client.connection != nullptr) client.connection->stop();
    }
    for (Client& client : clients) client.thread.join();
    if (network != nullptr) ASC_dropNetwork(&network);
    ::close(listening);
    ::close(stopping);
  }
};

DimseServer::DimseServer(DimseSettings settings, engine::Archive& archive)
    : state_(std::make_unique<State>(std::move(settings), archive)) {
  dimse::set_up_dcmtk();
  state_->listening = listen_on(state_->settings);
  state_->port = port_of(state_->listening);
  state_->stopping = ::eventfd(0, EFD_CLOEXEC);
  state_->open_network();
  state_->accepting = std::thread([state = state_.get()] { state->accept_all(); });
}

DimseServer::~DimseServer() { state_->stop(); }

std::uint16_t DimseServer::port() const noexcept { return state_->port; }

}  // namespace penta::server
