#include <iostream>
#include <sstream>

#include "apps/cli/commands.h"
#include "engine/compare.h"

namespace penta::cli {

namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

int run_compare(const Given& given) {
  const Json answer = engine::compare(given.one("A"), given.one("B"), split(given.one("metric")));
  if (given.has("json")) {
    std::cout << answer.dump() << "\n";
    return 0;
  }
  for (const Json& row : answer.at("metrics").items()) {
    std::cout << row.at("metric").text() << " " << row.text_or("label", "") << " " << row.at("value").dump() << " "
              << row.text_or("unit", "");
    if (const Json* interval = row.find("ci95"))
      std::cout << " [" << interval->items()[0].dump() << ", " << interval->items()[1].dump() << "] n=" << row.at("n").dump();
    std::cout << "\n";
  }
  return 0;
}

}  // namespace

Command compare_command() {
  using enum Option::Kind;
  return {"compare",
          "metrics of A against the reference B",
          {{one, "A", "a file", true},
           {one, "B", "the reference", true},
           {one, "--metric", "names joined by commas, such as dice,hd95 or max_abs", true},
           {flag, "--json", "as JSON", false}},
          run_compare,
          {}};
}

}  // namespace penta::cli
