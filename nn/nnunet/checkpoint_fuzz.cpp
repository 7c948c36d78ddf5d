#include <cstddef>
#include <cstdint>
#include <span>

#include "core/error.h"
#include "nn/nnunet/checkpoint.h"
#include "nn/nnunet/pickle.h"

// The bytes as a checkpoint (zip, pickle, tensors), and as a pickle alone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    (void)penta::nn::nnunet::Pickle(bytes, "fuzz");
  } catch (const penta::Error&) {
  }
  try {
    const penta::nn::nnunet::Checkpoint checkpoint(bytes, "fuzz");
    for (const auto& [name, weight] : checkpoint.weights()) {
      try {
        (void)checkpoint.values(name, weight.shape);
      } catch (const penta::Error&) {
      }
    }
  } catch (const penta::Error&) {
  }
  return 0;
}
