#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/store/archive.h"

namespace penta::server {

/// A DICOM peer that results may go to, and that C-MOVE may name.
struct DicomPeer {
  std::string name, ae_title, host;
  std::uint16_t port = 104;
};

/// A PS3.10 file as the bytes of one in another transfer syntax, for a peer that does not take it as it is (explicit or
/// implicit VR little endian). Throws Error where that cannot be done. engine::Workers::transcoded is one.
using Transcode = std::function<std::vector<std::byte>(const std::filesystem::path& file, const std::string& transfer_syntax)>;

struct DimseSettings {
  std::string ae_title = "PENTA", address = "127.0.0.1";
  std::uint16_t port = 11112;  ///< 0: any free one
  int associations_max = 32;
  std::int64_t instance_bytes_max = std::int64_t{4} << 30;
  std::chrono::seconds negotiation_timeout{20}, idle_timeout{120};
  std::int64_t matches_max = 20000;  ///< of one C-FIND; more are refused (A700)
  std::vector<DicomPeer> peers;
  Transcode transcode;  ///< empty: what a peer does not take as it is fails
};

/// C-ECHO, C-STORE, C-FIND, C-MOVE and C-GET as provider (PS3.4), each association on a thread of its own.
class DimseServer {
 public:
  /// Throws Error{wrong_use} for an address that is not loopback, Error{output_failed} for a port that is taken.
  DimseServer(DimseSettings settings, engine::Archive& archive);
  ~DimseServer();  ///< stops: open associations are cut, what was acknowledged is stored
  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// C-STORE as user. Throws Error{output_failed} that names the peer and the first instance that was not taken, or says
/// why there was no association; Error{bad_input} for a file that is no DICOM.
void send_to(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const std::filesystem::path> files,
             const Transcode& transcode = {});

/// C-ECHO as user. Throws Error{output_failed} that says what failed.
void echo(const DicomPeer& peer, const std::string& calling_ae_title);

}  // namespace penta::server
