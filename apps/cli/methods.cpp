#include <algorithm>
#include <iomanip>
#include <iostream>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "engine/methods.h"

namespace penta::cli {

namespace {

constexpr std::array<const char*, 5> columns{"CT", "MR", "US", "PET", "SPECT"};

bool for_modality(const Card& card, const std::string& modality) {
  return std::find(card.modalities.begin(), card.modalities.end(), modality) != card.modalities.end();
}

int print_json(const std::vector<const Card*>& cards) {
  Json list = Json::array();
  for (const Card* card : cards) list.push(card->whole);
  std::cout << Json::object().set("methods", std::move(list)).dump() << "\n";
  return 0;
}

void print_grid(const std::vector<const Card*>& cards) {
  std::cout << std::left << std::setw(16) << "methods a cell";
  for (const char* column : columns) std::cout << std::setw(7) << column;
  std::cout << "\n";
  for (int t = 0; t < 10; ++t) {
    const Task task = static_cast<Task>(t);
    std::cout << std::setw(16) << name_of(task);
    for (const char* column : columns) {
      const auto n = std::count_if(cards.begin(), cards.end(),
                                   [&](const Card* c) { return c->task == task && for_modality(*c, column); });
      std::cout << std::setw(7) << (n > 0 ? std::to_string(n) : ".");
    }
    std::cout << "\n";
  }
  std::cout << "\n";
  for (const Card* card : cards) {
    std::string modalities;
    for (const std::string& m : card->modalities) modalities += (modalities.empty() ? "" : " ") + m;
    std::cout << std::setw(15) << name_of(card->task) << std::setw(24) << card->id << std::setw(22) << modalities
              << card->title << "\n";
  }
}

int run_methods(const Given& given) {
  const engine::Methods methods = engine::load_methods();
  std::vector<const Card*> cards;
  const std::string task = given.one_or("task", "");
  const std::string modality = given.one_or("modality", "");
  if (!task.empty() && !task_named(task)) throw Error(Code::wrong_use, "--task " + task + ": none of the ten tasks");
  for (const MethodPtr& method : methods.all()) {
    const Card& card = method->card();
    if (!task.empty() && name_of(card.task) != task) continue;
    if (!modality.empty() && !for_modality(card, modality)) continue;
    cards.push_back(&card);
  }
  if (given.has("json")) return print_json(cards);
  print_grid(cards);
  return 0;
}

}  // namespace

Command methods_command() {
  using enum Option::Kind;
  return {"methods",
          "the methods there are, by task and modality",
          {{one, "--task", "only this task", false},
           {one, "--modality", "only this modality", false},
           {flag, "--json", "the cards as JSON", false}},
          run_methods,
          {}};
}

}  // namespace penta::cli
