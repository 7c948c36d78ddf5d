#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/rawdata/rawdata.h"

/// Any bytes must give raw data or an Error. The HDF5 library itself is not built with the sanitizers; where it crashes
/// or does not end, it does so in the child of rehearse(), and that is an Error too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  if (!penta::io::rawdata::sniff_hdf5(bytes)) return 0;
  try {
    (void)penta::io::rawdata::read_hdf5(bytes, "fuzz.h5", {});
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
