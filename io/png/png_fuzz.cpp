#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/png/png.h"

/// Any bytes must give an image, labels, or an Error; labels that were read must come back from what is written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  if (!penta::io::png::sniff(bytes)) return 0;
  try {
    (void)penta::io::png::read(bytes, "fuzz.png");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  try {
    (void)penta::io::png::read_labels(penta::io::png::write(penta::io::png::read_labels(bytes, "fuzz.png")),
                                      "again.png");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
