#include "engine/jobs/index_json.h"

#include "core/error.h"

namespace penta::engine {

Json json_of(const InstanceIndex& index) {
  Json frames = Json::array();
  for (const auto& frame : index.frames) {
    Json ranges = Json::array();
    for (const ByteRange& range : frame) ranges.push(range.offset).push(range.length);
    frames.push(std::move(ranges));
  }
  return Json::object()
      .set("study", index.study_uid)
      .set("series", index.series_uid)
      .set("sop", index.sop_uid)
      .set("class", index.sop_class)
      .set("syntax", index.transfer_syntax)
      .set("packed", index.frames_by_decoding)
      .set("rows", index.rows)
      .set("columns", index.columns)
      .set("frame_count", index.frame_count)
      .set("frames", std::move(frames));
}

InstanceIndex index_of(const Json& json, std::string metadata) {
  InstanceIndex index;
  index.study_uid = json.at("study").text();
  index.series_uid = json.at("series").text();
  index.sop_uid = json.at("sop").text();
  index.sop_class = json.at("class").text();
  index.transfer_syntax = json.at("syntax").text();
  index.frames_by_decoding = json.at("packed").boolean();
  index.rows = json.at("rows").integer();
  index.columns = json.at("columns").integer();
  index.frame_count = json.at("frame_count").integer();
  index.metadata = std::move(metadata);
  for (const Json& frame : json.at("frames").items()) {
    std::vector<ByteRange> ranges;
    const Json::Array& numbers = frame.items();
    if (numbers.size() % 2 != 0) throw Error(Code::bad_input, "an index with half a range");
    for (std::size_t i = 0; i < numbers.size(); i += 2) {
      ranges.push_back({numbers[i].integer(), numbers[i + 1].integer()});
      if (ranges.back().offset < 0 || ranges.back().length < 0) throw Error(Code::bad_input, "an index with a range before the file");
    }
    index.frames.push_back(std::move(ranges));
  }
  return index;
}

}  // namespace penta::engine
