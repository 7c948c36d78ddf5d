#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penta::nn {

/// Float values with a shape, the last axis fastest.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// A network read from ONNX, run on the CPU in float32 (OpenVINO). Compiled once for each input shape and kept.
///
/// The work is always cut for as many threads as the machine has, and done by as many as core/parallel allows, so the
/// answer does not depend on the number of threads. Safe to run from several threads.
class Network {
 public:
  /// Throws Error{model_missing} that names `name` where the bytes are no ONNX network that can be read, or it has
  /// not exactly one input.
  [[nodiscard]] static Network load(std::span<const std::byte> onnx, const std::string& name);

  /// The first output for one input. Throws Error{bad_input} where the network does not take this shape,
  /// Error{internal} where shape and values disagree.
  [[nodiscard]] Tensor run(const Tensor& input) const;
  [[nodiscard]] const std::string& name() const noexcept;

  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

 private:
  struct State;
  explicit Network(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace penta::nn
