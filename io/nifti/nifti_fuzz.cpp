#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/nifti/nifti.h"

/// Any bytes must give an image, labels, or an Error; what was read must be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  (void)penta::io::nifti::sniff(bytes);
  try {
    const penta::Image image = penta::io::nifti::read(bytes, "fuzz.nii");
    (void)penta::io::nifti::read(penta::io::nifti::write(image), "again.nii");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  try {
    (void)penta::io::nifti::read_labels(bytes, "fuzz.nii");
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
