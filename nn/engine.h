#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/network_spec.h"

namespace penta::nn {

/// Float values with a shape, the last axis fastest.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// A look at values that somebody else owns.
struct TensorView {
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

/// A network read from ONNX or OpenVINO's IR, run on the CPU (OpenVINO) in float32, or with `Precision::bf16` in
/// bfloat16 where the processor has it. Compiled once for each input shape and kept.
///
/// The work is always cut for as many threads as the machine has, and done by as many as core/parallel allows, so the
/// answer does not depend on the number of threads. Safe to run from several threads.
class Network {
 public:
  /// Throws Error{model_missing} that names `name` where the bytes are no ONNX network that can be read, or it has
  /// not exactly one input. With a `key` that stands for these bytes (their hash), compiled networks are kept on disk
  /// (nn/compile_cache.h), and the bytes are only read where none serves.
  [[nodiscard]] static Network load(std::span<const std::byte> onnx, const std::string& name,
                                    Precision precision = Precision::f32, const std::string& key = {});
  /// The same for an OpenVINO IR: the bytes of its .xml and of its .bin file.
  [[nodiscard]] static Network load_ir(std::span<const std::byte> xml, std::span<const std::byte> bin, const std::string& name,
                                       Precision precision = Precision::f32);

  /// The first output for one input. Throws Error{bad_input} where the network does not take this shape,
  /// Error{internal} where shape and values disagree.
  [[nodiscard]] Tensor run(const Tensor& input) const;
  /// The named outputs ("": the first one), in this order. Throws Error{model_missing} where one is not there.
  [[nodiscard]] std::vector<Tensor> run(const Tensor& input, std::span<const std::string> outputs) const;

  /// Compiles for an input shape, so that what follows need not. Throws as run().
  void prepare(const std::vector<std::int64_t>& shape) const;
  [[nodiscard]] bool has_output(const std::string& output) const;
  /// What it is run in: asked-for bf16 becomes f32 on a processor without it.
  [[nodiscard]] Precision precision() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;

  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  struct State;  // see nn/model_access.h
  explicit Network(std::unique_ptr<State> state) noexcept;
  [[nodiscard]] State& state() const noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// One input shape of a network with its working memory, for many runs of the same shape. For one thread at a time.
class Session {
 public:
  /// `outputs` as for Network::run. The network must outlive it.
  Session(const Network& network, const std::vector<std::int64_t>& shape, std::vector<std::string> outputs);
  /// The outputs for input values of the shape; they hold until the next run.
  [[nodiscard]] std::vector<TensorView> run(std::span<const float> values);

  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penta::nn
