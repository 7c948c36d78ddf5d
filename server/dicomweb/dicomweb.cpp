#include "server/dicomweb/dicomweb.h"

#include "server/dicomweb/backend.h"

namespace penta::server {

Routes dicomweb_routes(engine::Archive& archive, engine::Workers& workers) {
  Backend backend;
  backend.catalogue = &archive.catalogue();
  backend.stage = [&archive] { return archive.stage(); };
  backend.store = [&archive](std::span<engine::StagedFile> files, const std::string& who, const std::string& study) {
    return archive.store(files, who, study);
  };
  backend.path_of = [&archive](const engine::StoredInstance& instance) { return archive.path_of(instance); };
  backend.rendered = [&workers](const engine::RenderRequest& request) { return workers.rendered(request); };
  backend.native_frame = [&workers](const std::filesystem::path& path, std::int64_t frame) {
    return workers.native_frame(path, frame);
  };
  backend.transcoded = [&workers](const std::filesystem::path& path, const std::string& syntax) {
    return workers.transcoded(path, syntax);
  };
  backend.bulk = [&workers](const std::filesystem::path& path, const std::string& element) {
    return workers.ask(Json::object().set("do", "bulk").set("path", path.string()).set("element", element));
  };
  return dicomweb_routes(backend);
}

}  // namespace penta::server
