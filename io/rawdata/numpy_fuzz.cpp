#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/rawdata/rawdata.h"

/// Any bytes must give content or an Error, as an array and as an archive of arrays.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const penta::io::ReadBeside beside;
  const auto attempt = [&](auto read) {
    try {
      (void)read(bytes, "fuzz.npy", beside);
    } catch (const penta::Error& error) {
      if (error.code() == penta::Code::internal) std::abort();
    }
  };
  if (penta::io::rawdata::sniff_npz(bytes)) {
    attempt(penta::io::rawdata::read_npz);
    attempt(penta::io::rawdata::read_npz_labels);
  } else {
    attempt(penta::io::rawdata::read_npy);
    attempt(penta::io::rawdata::read_npy_labels);
  }
  return 0;
}
