#include <iostream>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "engine/models.h"

namespace penta::cli {

namespace {

int list() {
  for (const engine::ModelRow& row : engine::list_models())
    std::cout << row.id << "  " << (row.fault.empty() ? row.title : "FAULT: " + row.fault) << "\n";
  return 0;
}

int check(const std::string& id) {
  engine::check_model(id);
  std::cout << id << ": card, hash and network are right\n";
  return 0;
}

int check_all() {
  for (const engine::ModelRow& row : engine::list_models()) (void)check(row.id);
  return 0;
}

int run_model(const Given& given) {
  const std::string verb = given.one("VERB");
  if (verb == "list") return list();
  if (verb == "check") return given.has("MODEL") ? check(given.one("MODEL")) : check_all();
  if (verb != "show") throw Error(Code::wrong_use, "penta model " + verb + ": expected list, show or check");
  if (!given.has("MODEL")) throw Error(Code::wrong_use, "penta model show needs the id of a model");
  std::cout << engine::model_card(given.one("MODEL")) << "\n";
  return 0;
}

}  // namespace

Command model_command() {
  using enum Option::Kind;
  return {"model",
          "the models there are: list, show ID, check [ID]",
          {{one, "VERB", "list, show or check", true}, {one, "MODEL", "id of a model", false}},
          run_model,
          {}};
}

}  // namespace penta::cli
