#pragma once

#include <cstdint>
#include <filesystem>

#include "server/http/message.h"

namespace penta::server {

/// The built OHIF viewer in `folder` (tools/ohif.sh), unchanged but for app-config.js, which is ours and names DICOMweb
/// at `dicomweb_port` of the same host. OHIF is made for the root of a site: it needs an HttpServer of its own. Every answer has OHIF's own Content-Security-Policy.
[[nodiscard]] Routes ohif_routes(const std::filesystem::path& folder, std::uint16_t dicomweb_port);

}  // namespace penta::server
