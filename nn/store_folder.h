#pragma once

#include <filesystem>

namespace penta::nn {

/// Where imported models of this user lie: $XDG_DATA_HOME/penta/models, else $HOME/.local/share/penta/models; empty where
/// neither is set.
[[nodiscard]] std::filesystem::path user_models();

/// Where a model is imported to: the first folder of $PENTA_MODELS, else user_models().
[[nodiscard]] std::filesystem::path import_folder();

}  // namespace penta::nn
