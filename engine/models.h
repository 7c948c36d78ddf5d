#pragma once

#include <string>
#include <vector>

namespace penta::engine {

struct ModelRow {
  std::string id, title, fault;
};

/// Every model bundle that can be found, also those whose card cannot be read (`fault` says why).
[[nodiscard]] std::vector<ModelRow> list_models();
/// The card's JSON. Throws Error{model_missing}.
[[nodiscard]] std::string model_card(const std::string& id);
/// Reads card and networks, compares the hashes, and runs the parity sample (parity.json) again where there is one.
/// Returns how many networks were run. Throws Error{model_missing} that says what is wrong.
int check_model(const std::string& id);

}  // namespace penta::engine
