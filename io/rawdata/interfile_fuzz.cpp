#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/rawdata/rawdata.h"

/// Any header must give content or an Error, whatever lies beside it: 4096 bytes that count up.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const penta::io::ReadBeside beside = [](const std::string&) {
    std::vector<std::byte> there(4096);
    for (std::size_t i = 0; i < there.size(); ++i) there[i] = static_cast<std::byte>(i * 7);
    return there;
  };
  (void)penta::io::rawdata::sniff_interfile(bytes);
  try {
    (void)penta::io::rawdata::read_interfile(bytes, "fuzz.hs", beside);
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  try {
    (void)penta::io::rawdata::read_interfile_labels(bytes, "fuzz.hv", beside);
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
