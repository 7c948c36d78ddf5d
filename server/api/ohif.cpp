#include "server/api/ohif.h"

#include <map>

#include "server/api/api.h"

namespace penta {

// Made by the build from server/api/ohif-app-config.js.
const std::map<std::string, std::string>& ohif_config_files();

}  // namespace penta

namespace penta::server {

Routes ohif_routes(const std::filesystem::path& folder, std::uint16_t dicomweb_port) {
  Routes routes = page_routes(folder);
  routes.push_back({"GET", "/app-config.js", [dicomweb_port](const Request&) {
                      return Response{200, {{"Content-Type", "text/javascript; charset=utf-8"}, {"Cache-Control", "no-cache"}},
                                      "const dicomwebPort = " + std::to_string(dicomweb_port) + ";\n" +
                                          ohif_config_files().at("server/api/ohif-app-config.js")};
                    }});
  return routes;
}

std::string ohif_policy(std::uint16_t dicomweb_port) {
  const std::string port = ":" + std::to_string(dicomweb_port);
  const std::string dicomweb = " http://127.0.0.1" + port + " http://localhost" + port;
  // OHIF's page has scripts and styles in itself, and parts of it (webpack's, vtk.js') make functions from text.
  return "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
         "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:" + dicomweb +
         "; media-src 'self' blob:" + dicomweb + "; connect-src 'self' data: blob:" + dicomweb +
         "; frame-src 'self' blob:" + dicomweb + "; object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'";
}

}  // namespace penta::server
