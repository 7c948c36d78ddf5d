#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "io/metaimage/metaimage.h"

/// Any bytes must give an image, labels, or an Error; what was read must be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  // Whatever name is asked for, eight bytes lie beside.
  const penta::io::ReadBeside beside = [](const std::string&) { return std::vector<std::byte>(8, std::byte{'1'}); };
  (void)penta::io::metaimage::sniff(bytes);
  try {
    const penta::Image image = penta::io::metaimage::read(bytes, "fuzz.mha", beside);
    (void)penta::io::metaimage::read(penta::io::metaimage::write(image), "again.mha");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  try {
    (void)penta::io::metaimage::read_labels(bytes, "fuzz.mha");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
