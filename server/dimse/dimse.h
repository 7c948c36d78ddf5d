#pragma once

#include <cstdint>
#include <filesystem>
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

struct DimseSettings {
  std::string ae_title = "PENTA", address = "127.0.0.1";
  std::uint16_t port = 11112;  ///< 0: any free one
  int associations_max = 32;
  std::vector<DicomPeer> peers;
};

/// C-ECHO, C-STORE, C-FIND, C-MOVE and C-GET as provider (PS3.4), each association on a thread of its own.
class DimseServer {
 public:
  /// Throws as HttpServer does.
  DimseServer(DimseSettings settings, engine::Archive& archive);
  ~DimseServer();
  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// C-STORE as user. Throws Error{output_failed} that names the peer and the first instance that was not taken.
void send_to(const DicomPeer& peer, const std::string& calling_ae_title, std::span<const std::filesystem::path> files);

}  // namespace penta::server
