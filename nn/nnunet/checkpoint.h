#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/nnunet/zip.h"

namespace penta::nn::nnunet {

/// Where the values of a tensor lie: element i of `shape` (last axis fastest) is at offset + sum of index * stride.
struct Weight {
  std::string dtype, storage;  ///< "f32", "f64", "f16", "bf16" or "i64"; the storage's key
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape, strides;
  std::string fault;  ///< why it cannot be taken; empty: it can
};

/// What a network is made of, from a file of torch.save (its zip format) of nnU-Net v2. Only `network_weights` and plain
/// values of `init_args`, `trainer_name` and `inference_allowed_mirroring_axes` are looked at; nothing is run.
class Checkpoint {
 public:
  /// The bytes must outlive it. Throws Error{bad_input} that names `name` and what is wrong.
  Checkpoint(std::span<const std::byte> bytes, const std::string& name);

  [[nodiscard]] const std::string& trainer() const noexcept { return trainer_; }
  [[nodiscard]] const std::string& configuration() const noexcept { return configuration_; }
  /// Spatial axes of the patch (0 the first), empty without mirroring.
  [[nodiscard]] const std::vector<int>& mirror_axes() const noexcept { return mirror_axes_; }
  [[nodiscard]] const std::map<std::string, Weight>& weights() const noexcept { return weights_; }
  /// The values of a weight as float32, last axis fastest. Throws Error{bad_input} that names it: it is not there, has
  /// another shape, depends on something unknown, or lies outside its storage.
  [[nodiscard]] std::vector<float> values(const std::string& weight, const std::vector<std::int64_t>& shape) const;

 private:
  std::string name_, prefix_, trainer_, configuration_;
  ZipArchive zip_;
  std::vector<int> mirror_axes_;
  std::map<std::string, Weight> weights_;
};

}  // namespace penta::nn::nnunet
