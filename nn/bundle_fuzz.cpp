#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "nn/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)penta::nn::bundle_from({reinterpret_cast<const char*>(data), size});
  } catch (const penta::Error&) {
  }
  return 0;
}
