#include "tasks/methods.h"

#include <algorithm>
#include <map>
#include <string>

namespace penta {

// Made by the build from tasks/*/*.card.json.
const std::map<std::string, std::string>& built_in_cards_files();

Card built_in_card(std::string_view key) {
  for (const auto& [path, text] : built_in_cards_files()) {
    if (!path.starts_with("tasks/" + std::string(key.substr(0, key.find('/')) ))) continue;
    Card card = card_from_json(Json::parse(text));
    if (card.key() == key) return card;
  }
  throw Error(Code::internal, "no card is built in for '" + std::string(key) + "'");
}

}  // namespace penta
