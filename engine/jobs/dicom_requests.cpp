#include "core/error.h"
#include "engine/jobs/render_frame.h"

namespace penta::engine {

InstanceIndex index_file(const std::filesystem::path&) { throw Error(Code::wrong_use, "not here yet"); }
std::vector<std::byte> native_samples(const std::filesystem::path&, std::int64_t) { throw Error(Code::wrong_use, "not here yet"); }
std::vector<std::byte> transcoded_file(const std::filesystem::path&, const std::string&) { throw Error(Code::wrong_use, "not here yet"); }
std::vector<std::byte> bulk_value(const std::filesystem::path&, const std::string&) { throw Error(Code::wrong_use, "not here yet"); }

}  // namespace penta::engine
