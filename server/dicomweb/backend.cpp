#include "server/dicomweb/backend.h"

#include <iterator>

namespace penta::server {

Routes dicomweb_routes(const Backend& backend) {
  Routes out;
  for (auto part : {stow_routes, qido_routes, metadata_routes, instance_routes, frame_routes, rendered_routes}) {
    Routes routes = part(backend);
    std::move(routes.begin(), routes.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace penta::server
