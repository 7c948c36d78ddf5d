#include "nn/store_folder.h"

#include <cstdlib>
#include <string_view>

namespace penta::nn {

std::filesystem::path user_models() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::filesystem::path(data) / "penta/models";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return {};
  return std::filesystem::path(home) / ".local/share/penta/models";
}

std::filesystem::path import_folder() {
  const char* variable = std::getenv("PENTA_MODELS");
  std::string_view rest = variable != nullptr ? variable : "";
  while (!rest.empty() && rest.front() == ':') rest.remove_prefix(1);
  if (!rest.empty()) return rest.substr(0, rest.find(':'));
  return user_models();
}

}  // namespace penta::nn
