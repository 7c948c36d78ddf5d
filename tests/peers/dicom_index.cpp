// What an archive keeps of DICOM files, for dicom_json.py: dicom_index FILE... writes one JSON line a file: {"file",
// "metadata", "frames": [[[offset, length], ...], ...], "transfer_syntax", "frames_by_decoding"} or {"file", "error"}.
// dicom_index --bulk FILE PATH, --frame FILE NUMBER and --explicit FILE write bytes.
#include <iostream>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/json.h"
#include "io/dicom/web.h"

namespace {

using namespace penta;

Json line_of(const char* path) {
  Json line = Json::object();
  line.set("file", path);
  try {
    const io::dicom::WebIndex index = io::dicom::web_index(std::filesystem::path(path));
    line.set("metadata", index.metadata).set("transfer_syntax", index.transfer_syntax);
    line.set("frames_by_decoding", index.frames_by_decoding).set("frame_count", index.frame_count);
    Json frames = Json::array();
    for (const auto& frame : index.frames) {
      Json ranges = Json::array();
      for (const auto& range : frame) ranges.push(Json::Array{Json(range.offset), Json(range.length)});
      frames.push(std::move(ranges));
    }
    line.set("frames", std::move(frames));
  } catch (const Error& error) {
    line.set("error", error.what());
  }
  return line;
}

void write(const std::vector<std::byte>& bytes) {
  std::cout.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int main(int count, char** words) {
  const std::string_view verb = count > 1 ? words[1] : "";
  try {
    if (verb == "--bulk" && count == 4) write(io::dicom::bulk_value(words[2], words[3]));
    else if (verb == "--frame" && count == 4) write(io::dicom::native_frame(words[2], std::stoll(words[3])).bytes);
    else if (verb == "--explicit" && count == 3) write(io::dicom::as_explicit_little_endian(words[2]));
    else for (int i = 1; i < count; ++i) std::cout << line_of(words[i]).dump(-1) << '\n';
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
}
