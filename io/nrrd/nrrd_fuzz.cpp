#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "io/nrrd/nrrd.h"

/// Any bytes must give an image, labels, or an Error; what was read must be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  // Whatever name is asked for, eight bytes lie beside.
  const penta::io::ReadBeside beside = [](const std::string&) { return std::vector<std::byte>(8, std::byte{'1'}); };
  (void)penta::io::nrrd::sniff(bytes);
  try {
    const penta::Image image = penta::io::nrrd::read(bytes, "fuzz.nrrd", beside);
    (void)penta::io::nrrd::read(penta::io::nrrd::write(image), "again.nrrd");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  try {
    (void)penta::io::nrrd::read_labels(bytes, "fuzz.nrrd");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
