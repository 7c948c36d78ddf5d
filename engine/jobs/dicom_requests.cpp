#include "core/error.h"
#include "engine/jobs/render_frame.h"
#include "engine/store/instance.h"
#include "io/dicom/web.h"

namespace penta::engine {

std::vector<std::byte> native_samples(const std::filesystem::path& path, std::int64_t frame) {
  return io::dicom::native_frame(path, frame).bytes;
}

std::vector<std::byte> transcoded_file(const std::filesystem::path& path, const std::string& transfer_syntax) {
  if (transfer_syntax != "1.2.840.10008.1.2.1")
    throw Error(Code::bad_input, "instances are offered in Explicit VR Little Endian, not in " + transfer_syntax);
  return io::dicom::as_explicit_little_endian(path);
}

std::vector<std::byte> bulk_value(const std::filesystem::path& path, const std::string& element) {
  return io::dicom::bulk_value(path, element);
}

}  // namespace penta::engine
