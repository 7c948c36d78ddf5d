#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/tiff/tiff.h"

/// Any bytes must give an image, labels, or an Error; what was read must be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  if (!penta::io::tiff::sniff(bytes)) return 0;
  try {
    const penta::Image image = penta::io::tiff::read(bytes, "fuzz.tif");
    (void)penta::io::tiff::read(penta::io::tiff::write(image), "again.tif");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  try {
    (void)penta::io::tiff::read_labels(bytes, "fuzz.tif");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
