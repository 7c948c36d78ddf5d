#include "apps/cli/options.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "core/error.h"

namespace penta::cli {

namespace {

std::string key_of(const std::string& name) {
  std::string key = name.substr(name.rfind(',') == std::string::npos ? 0 : name.rfind(',') + 1);
  while (!key.empty() && key.front() == '-') key.erase(0, 1);
  return key;
}

using Values = std::map<std::string, std::vector<std::string>>;

void add_option(CLI::App& app, const Option& option, Values& values, std::map<std::string, bool>& flags) {
  const std::string key = key_of(option.name);
  CLI::Option* made = nullptr;
  if (option.kind == Option::Kind::flag) {
    made = app.add_flag(option.name, flags[key], option.text);
  } else {
    made = app.add_option(option.name, values[key], option.text);
    if (option.kind == Option::Kind::one) made->expected(1)->allow_extra_args(false);
    else if (option.name.front() == '-') made->expected(1)->allow_extra_args(false)->take_all();
  }
  made->required(option.required);
  if (option.hidden) made->group("");
}

struct Parsing {
  CLI::App* app = nullptr;
  const Command* command = nullptr;
  Values values;
  std::map<std::string, bool> flags;
};

int run_chosen(const Parsing& chosen) {
  Given given;
  for (const auto& [key, list] : chosen.values)
    if (!list.empty()) given.values.emplace(key, list);
  for (const auto& [key, on] : chosen.flags)
    if (on) given.values.emplace(key, std::vector<std::string>{"true"});
  return chosen.command->run(given);
}

}  // namespace

int parse_and_run(const std::vector<Command>& commands, const std::string& version, int argc, char** argv) {
  CLI::App app("Pentascope: ten tasks on CT, MR, ultrasound, PET and SPECT.\nResearch use, not a medical device.", "penta");
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  std::vector<Parsing> parsings(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    parsings[i].command = &commands[i];
    parsings[i].app = app.add_subcommand(commands[i].name, commands[i].text);
    if (commands[i].hidden) parsings[i].app->group("");
    if (commands[i].epilogue) parsings[i].app->footer(commands[i].epilogue);
    for (const Option& option : commands[i].options)
      add_option(*parsings[i].app, option, parsings[i].values, parsings[i].flags);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& call) {
    return app.exit(call);
  } catch (const CLI::CallForVersion& call) {
    return app.exit(call);
  } catch (const CLI::ParseError& fault) {
    std::cerr << "penta: " << fault.what() << " (see --help)\n";
    return code_row(Code::wrong_use).exit_code;
  }
  for (const Parsing& parsing : parsings)
    if (parsing.app->parsed()) return run_chosen(parsing);
  return code_row(Code::wrong_use).exit_code;
}

}  // namespace penta::cli
