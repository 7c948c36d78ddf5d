#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "core/error.h"
#include "core/hash.h"
#include "engine/store/archive.h"

namespace penta::engine {

/// A folder that is gone when this goes.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "penta-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error(Code::output_failed, "no temporary folder");
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

inline Json attribute_json(const char* vr, Json::Array values) {
  Json out = Json::object();
  out.set("vr", vr);
  if (!values.empty()) out.set("Value", Json(std::move(values)));
  return out;
}

inline Json name_json(const std::string& alphabetic) {
  Json name = Json::object();
  name.set("Alphabetic", alphabetic);
  return attribute_json("PN", {name});
}

/// A CT slice as the catalogue gets it.
struct Made {
  int study = 1, series = 1, number = 1;
  std::string patient = "Doe^Jane", patient_id = "P1", date = "20240131", modality = "CT", description = "Head";

  [[nodiscard]] std::string study_uid() const { return "1.2." + std::to_string(study); }
  [[nodiscard]] std::string series_uid() const { return study_uid() + '.' + std::to_string(series); }
  [[nodiscard]] std::string sop_uid() const { return series_uid() + '.' + std::to_string(number); }
  [[nodiscard]] InstanceIndex index() const {
    Json all = Json::object();
    all.set("00080016", attribute_json("UI", {"1.2.840.10008.5.1.4.1.1.2"})).set("00080018", attribute_json("UI", {sop_uid()}));
    all.set("00080020", attribute_json("DA", {date})).set("00080050", attribute_json("SH", {"A" + std::to_string(study)}));
    all.set("00080060", attribute_json("CS", {modality})).set("00081030", attribute_json("LO", {description}));
    all.set("00100010", name_json(patient)).set("00100020", attribute_json("LO", {patient_id}));
    all.set("0020000D", attribute_json("UI", {study_uid()})).set("0020000E", attribute_json("UI", {series_uid()}));
    all.set("00200011", attribute_json("IS", {series})).set("00200013", attribute_json("IS", {number}));
    InstanceIndex index{study_uid(), series_uid(), sop_uid(), "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", all.dump(-1), {}, false, 512, 512, 1};
    index.frames = {{{1000 + number, 524288}}};
    return index;
  }
  [[nodiscard]] StoredInstance stored() const { return {index(), Sha256().add(sop_uid()).hex(), 525288}; }
};

/// The text of a file that index_made() reads: numbers of study, series and instance, then anything.
inline std::string made_text(int study, int series, int number, const std::string& rest = "") {
  return std::to_string(study) + ' ' + std::to_string(series) + ' ' + std::to_string(number) + ' ' + rest;
}

inline InstanceIndex index_made(const std::filesystem::path& path) {
  std::ifstream in(path);
  Made made;
  if (!(in >> made.study >> made.series >> made.number)) throw Error(Code::bad_input, "reading the instance: not three numbers");
  if (made.study < 0) throw Error(Code::internal, "the reader died of it");
  return made.index();
}

inline StagedFile staged(const Archive& archive, const std::string& text) {
  StagedFile file = archive.stage();
  file.add(std::as_bytes(std::span(text)));
  return file;
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace penta::engine
