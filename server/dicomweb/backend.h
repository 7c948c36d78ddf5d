#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/jobs/workers.h"
#include "engine/store/archive.h"
#include "server/http/message.h"

namespace penta::server {

/// What DICOMweb needs of the archive and the workers.
struct Backend {
  const engine::Catalogue* catalogue = nullptr;
  std::function<engine::StagedFile()> stage;
  /// Files of other studies than `study` are refused, unless it is empty.
  std::function<std::vector<engine::Stored>(std::span<engine::StagedFile> files, const std::string& who,
                                            const std::string& study)>
      store;
  std::function<std::filesystem::path(const engine::StoredInstance&)> path_of;
  std::function<std::vector<std::byte>(const engine::RenderRequest&)> rendered;
  std::function<std::vector<std::byte>(const std::filesystem::path&, std::int64_t frame)> native_frame;
  std::function<std::vector<std::byte>(const std::filesystem::path&, const std::string& transfer_syntax)> transcoded;
  /// The value of an element: tag, or tag/item/tag ....
  std::function<std::vector<std::byte>(const std::filesystem::path&, const std::string& element)> bulk;
};

[[nodiscard]] Routes stow_routes(const Backend& backend);
[[nodiscard]] Routes qido_routes(const Backend& backend);
[[nodiscard]] Routes metadata_routes(const Backend& backend);
[[nodiscard]] Routes instance_routes(const Backend& backend);
[[nodiscard]] Routes frame_routes(const Backend& backend);
[[nodiscard]] Routes rendered_routes(const Backend& backend);
/// All of them.
[[nodiscard]] Routes dicomweb_routes(const Backend& backend);

}  // namespace penta::server
