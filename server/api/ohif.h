#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "server/http/message.h"

namespace penta::server {

/// The built OHIF viewer in `folder` (tools/ohif.sh), unchanged but for app-config.js, which is ours and names DICOMweb
/// at `dicomweb_port` of the same host. OHIF is made for the root of a site: it needs an HttpServer of its own.
[[nodiscard]] Routes ohif_routes(const std::filesystem::path& folder, std::uint16_t dicomweb_port);
/// Content-Security-Policy of OHIF's page.
[[nodiscard]] std::string ohif_policy(std::uint16_t dicomweb_port);

}  // namespace penta::server
