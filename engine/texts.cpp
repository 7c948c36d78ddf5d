#include "engine/texts.h"

#include <map>

#include "core/error.h"

namespace penta {

// Made by the build from engine/texts/.
const std::map<std::string, std::string>& texts_files();

}  // namespace penta

namespace penta::engine {

namespace {

Json texts_of(const std::string& language) {
  const auto it = texts_files().find("engine/texts/" + language + ".json");
  if (it == texts_files().end()) throw Error(Code::wrong_use, "there is no language '" + language + "' (en, zh)");
  return Json::parse(it->second);
}

}  // namespace

Texts::Texts(const std::string& language) : texts_(texts_of(language)), english_(texts_of("en")) {}

std::string Texts::operator()(std::string_view key) const {
  return texts_.text_or(key, english_.text_or(key, key));
}

const std::string& report_style() { return texts_files().at("engine/texts/report.css"); }

}  // namespace penta::engine
