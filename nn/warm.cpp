#include "nn/warm.h"

#include <algorithm>

#include "nn/model_access.h"

namespace penta::nn {

namespace {

bool uses(const std::string& method, const Bundle& bundle) {
  const auto& users = bundle.network.used_by;
  if (!users.empty()) return std::find(users.begin(), users.end(), method) != users.end();
  return method == bundle.card.key();
}

}  // namespace

void warm(const ModelStore& models, std::span<const std::string> methods) {
  for (auto method = methods.rbegin(); method != methods.rend(); ++method)
    for (auto bundle = models.bundles().rbegin(); bundle != models.bundles().rend(); ++bundle) {
      if (!bundle->fault.empty() || !uses(*method, *bundle)) continue;
      const auto networks = models.networks(*bundle);
      for (auto network = networks.rbegin(); network != networks.rend(); ++network) warm(**network);
    }
}

}  // namespace penta::nn
