#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "server/dicomweb/backend.h"
#include "server/http/client_test.h"
#include "server/http/multipart.h"
#include "server/http/server.h"

namespace penta::server {

/// A file for fake_index(): "study series instance syntax number frames class" and, after a line break, four bytes a
/// frame.
inline std::string fake_file(const std::string& study, const std::string& series, const std::string& instance,
                             int number = 1, int frames = 1, const std::string& syntax = "1.2.840.10008.1.2.1",
                             const std::string& sop_class = "1.2.840.10008.5.1.4.1.1.2") {
  std::string out = study + " " + series + " " + instance + " " + syntax + " " + std::to_string(number) + " " +
                    std::to_string(frames) + " " + sop_class + "\n";
  for (int i = 0; i < frames; ++i) out += "<f" + std::to_string(i + 1) + ">";
  return out;
}

inline Json fake_attribute(std::string_view vr, Json value) {
  return Json::object().set("vr", vr).set("Value", Json::array().push(std::move(value)));
}

inline Json fake_metadata(const engine::InstanceIndex& index, int number) {
  Json out = Json::object();
  out.set("00080016", fake_attribute("UI", index.sop_class)).set("00080018", fake_attribute("UI", index.sop_uid));
  out.set("00080060", fake_attribute("CS", "CT"));
  out.set("00100010", fake_attribute("PN", Json::object().set("Alphabetic", "Doe^Jane")));
  out.set("00180050", fake_attribute("DS", 2.5));
  out.set("0020000D", fake_attribute("UI", index.study_uid)).set("0020000E", fake_attribute("UI", index.series_uid));
  out.set("00200013", fake_attribute("IS", number));
  out.set("00431001", Json::object().set("vr", "OB").set("BulkDataURI", "bulk/00431001"));
  return out;
}

/// Reads what fake_file() made; refuses everything else.
inline engine::InstanceIndex fake_index(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::istringstream words(line);
  engine::InstanceIndex out;
  int number = 0, frames = 0;
  if (!(words >> out.study_uid >> out.series_uid >> out.sop_uid >> out.transfer_syntax >> number >> frames >>
        out.sop_class))
    throw Error(Code::bad_input, "the file is no DICOM");
  out.rows = out.columns = 2;
  out.frame_count = frames;
  for (int i = 0; i < frames; ++i) out.frames.push_back({{static_cast<std::int64_t>(line.size()) + 1 + 4 * i, 4}});
  out.metadata = fake_metadata(out, number).dump(-1);
  return out;
}

inline std::vector<std::byte> fake_bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// A running server over a real archive in a folder of its own, with workers that only say what they were asked.
class FakePacs {
 public:
  FakePacs()
      : folder_(std::filesystem::temp_directory_path() / ("penta_dicomweb_" + std::to_string(::getpid()))),
        archive_(emptied(folder_), fake_index),
        server_(settings(), dicomweb_routes(backend())) {}
  ~FakePacs() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  FakePacs(const FakePacs&) = delete;
  FakePacs& operator=(const FakePacs&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }
  [[nodiscard]] engine::Archive& archive() noexcept { return archive_; }
  ClientAnswer get(const std::string& path, const Headers& headers = {}) const {
    return Client(port()).ask("GET", "/dicomweb" + path, headers);
  }
  ClientAnswer post(const std::vector<std::string>& files, const std::string& path = "/studies") const {
    std::string body;
    for (const auto& file : files) body += part_head("b", "application/dicom") + file;
    return Client(port()).ask("POST", "/dicomweb" + path,
                              {{"Content-Type", "multipart/related; type=\"application/dicom\"; boundary=b"}},
                              body + multipart_end("b"));
  }

 private:
  static const std::filesystem::path& emptied(const std::filesystem::path& folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return folder;
  }
  static HttpSettings settings() {
    HttpSettings out;
    out.port = 0;
    return out;
  }
  Backend backend() {
    Backend out;
    out.catalogue = &archive_.catalogue();
    out.stage = [this] { return archive_.stage(); };
    out.store = [this](std::span<engine::StagedFile> files, const std::string& who, const std::string& study) {
      return archive_.store(files, who, study);
    };
    out.path_of = [this](const engine::StoredInstance& one) { return archive_.path_of(one); };
    out.rendered = [](const engine::RenderRequest& r) {
      return fake_bytes(r.media_type + " " + std::to_string(r.frame) + " " +
                        std::to_string(static_cast<int>(r.window_width)) + " " + std::to_string(r.width));
    };
    out.native_frame = [](const std::filesystem::path&, std::int64_t frame) {
      return fake_bytes("native " + std::to_string(frame));
    };
    out.transcoded = [](const std::filesystem::path&, const std::string& syntax) {
      return fake_bytes("transcoded " + syntax);
    };
    out.bulk = [](const std::filesystem::path&, const std::string& element) { return fake_bytes("bulk " + element); };
    return out;
  }

  std::filesystem::path folder_;
  engine::Archive archive_;
  HttpServer server_;
};

}  // namespace penta::server
