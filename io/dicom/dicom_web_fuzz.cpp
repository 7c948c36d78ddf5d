#include <cstddef>
#include <cstdint>
#include <span>

#include "core/error.h"
#include "io/dicom/web.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    static_cast<void>(penta::io::dicom::web_index(std::as_bytes(std::span(data, size)), "fuzz"));
  } catch (const penta::Error&) {
    // A file that cannot be indexed is an answer; anything else is a finding.
  }
  return 0;
}
