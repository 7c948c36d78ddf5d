#include <iostream>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "engine/models.h"
#include "engine/models_import.h"

namespace penta::cli {

namespace {

int list() {
  for (const engine::ModelRow& row : engine::list_models())
    std::cout << row.id << "  " << (row.fault.empty() ? row.title : "FAULT: " + row.fault) << "\n";
  return 0;
}

int check(const std::string& id) {
  const int run = engine::check_model(id);
  std::cout << id << ": card, hash and network are right" << (run > 0 ? ", and its parity sample gives the same" : "") << "\n";
  return 0;
}

int check_all() {
  for (const engine::ModelRow& row : engine::list_models()) (void)check(row.id);
  return 0;
}

int import_one(const Given& given) {
  if (!given.has("MODEL")) throw Error(Code::wrong_use, "penta model import needs the path of a trained nnU-Net folder or an ONNX file");
  engine::ImportRequest request;
  request.path = given.one("MODEL");
  request.into = given.one_or("into", "");
  request.card = given.one_or("card", "");
  request.licence = given.one_or("licence", "");
  request.id = given.one_or("id", "");
  request.modality = given.one_or("modality", "");
  request.precision = given.one_or("precision", "f32");
  const engine::Imported made = engine::import_model(request);
  std::cout << made.id << ": imported to " << made.folder.string() << "\n"
            << "penta methods lists it; penta model check " << made.id << " checks it\n";
  return 0;
}

int run_model(const Given& given) {
  const std::string verb = given.one("VERB");
  if (verb == "list") return list();
  if (verb == "check") return given.has("MODEL") ? check(given.one("MODEL")) : check_all();
  if (verb == "import") return import_one(given);
  if (verb != "show") throw Error(Code::wrong_use, "penta model " + verb + ": expected list, show, check or import");
  if (!given.has("MODEL")) throw Error(Code::wrong_use, "penta model show needs the id of a model");
  std::cout << engine::model_card(given.one("MODEL")) << "\n";
  return 0;
}

}  // namespace

Command model_command() {
  using enum Option::Kind;
  return {"model",
          "the models there are: list, show ID, check [ID]; import PATH: a trained nnU-Net v2 folder, or an ONNX file with a card",
          {{one, "VERB", "list, show, check or import", true},
           {one, "MODEL", "id of a model, or the path to import", false},
           {one, "--licence", "import: the licence of the weights (wanted)", false},
           {one, "--into", "import: the folder that gets the model (default: the first of $PENTA_MODELS, else ~/.local/share/penta/models)", false},
           {one, "--id", "import: the id that it gets", false},
           {one, "--modality", "import: CT, MR, US, PET or SPECT where the channel names do not tell", false},
           {one, "--card", "import of ONNX: its card.json", false},
           {one, "--precision", "import: f32, or bf16 (faster; labels may differ near edges)", false}},
          run_model,
          {}};
}

}  // namespace penta::cli
