#include "server/api/ohif.h"

#include <map>
#include <utility>

#include "server/api/api.h"

namespace penta {

// Made by the build from server/api/ohif-app-config.js.
const std::map<std::string, std::string>& ohif_config_files();

}  // namespace penta

namespace penta::server {

namespace {

// OHIF's page has scripts and styles in itself, and parts of it (webpack's, vtk.js') make functions from text.
std::string policy(std::uint16_t dicomweb_port) {
  const std::string port = ":" + std::to_string(dicomweb_port);
  const std::string dicomweb = " http://127.0.0.1" + port + " http://localhost" + port;
  return "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
         "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:" + dicomweb +
         "; media-src 'self' blob:" + dicomweb + "; connect-src 'self' data: blob:" + dicomweb +
         "; frame-src 'self' blob:" + dicomweb + "; object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'";
}

Response app_config(std::uint16_t dicomweb_port) {
  return {200, {{"Content-Type", "text/javascript; charset=utf-8"}, {"Cache-Control", "no-cache"}},
          "const dicomwebPort = " + std::to_string(dicomweb_port) + ";\n" + ohif_config_files().at("server/api/ohif-app-config.js")};
}

// The scripts have it too: a worker obeys the policy that came with its own script.
Handler with_policy(Handler handler, const std::string& text) {
  return [handler = std::move(handler), text](const Request& request) {
    Response response = handler(request);
    response.headers.emplace_back("Content-Security-Policy", text);
    return response;
  };
}

}  // namespace

Routes ohif_routes(const std::filesystem::path& folder, std::uint16_t dicomweb_port) {
  Routes routes = page_routes(folder);
  routes.push_back({"GET", "/app-config.js", [dicomweb_port](const Request&) { return app_config(dicomweb_port); }});
  for (Route& route : routes) route.handler = with_policy(std::move(route.handler), policy(dicomweb_port));
  return routes;
}

}  // namespace penta::server
