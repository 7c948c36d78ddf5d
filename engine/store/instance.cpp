#include "engine/store/instance.h"

#include <utility>

#include "io/dicom/web.h"

namespace penta::engine {

InstanceIndex index_file(const std::filesystem::path& path) {
  io::dicom::WebIndex web = io::dicom::web_index(path);
  InstanceIndex out{std::move(web.study_uid), std::move(web.series_uid), std::move(web.sop_uid), std::move(web.sop_class),
                    std::move(web.transfer_syntax), std::move(web.metadata), {}, web.frames_by_decoding, web.rows, web.columns,
                    web.frame_count};
  for (const auto& frame : web.frames) {
    auto& ranges = out.frames.emplace_back();
    for (const auto& [offset, length] : frame) ranges.push_back({offset, length});
  }
  return out;
}

}  // namespace penta::engine
