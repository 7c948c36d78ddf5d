#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <string>

#include "nn/engine.h"

/// Networks as OpenVINO's own objects: for nn's .cpp files only.
namespace penta::nn {

/// Made at the first use: a program that runs no network pays nothing for plug-ins.
[[nodiscard]] ov::Core& openvino_core();

/// Throws Error{model_missing} where the model has not exactly one input, or no output.
[[nodiscard]] Network network_of(std::shared_ptr<ov::Model> model, const std::string& name,
                                 Precision precision = Precision::f32);
/// Network::load() of bytes that need not be copied.
[[nodiscard]] Network network_of_bytes(std::string onnx, const std::string& name, Precision precision, const std::string& key);
/// Brings to memory what was compiled and kept on disk before, where that is one input shape.
void warm(const Network& network);
/// Gives back the working memory of what was compiled and does not run now; the next run takes it again.
void rest(const Network& network);
/// The model behind a network: not to be changed (clone() it).
[[nodiscard]] std::shared_ptr<const ov::Model> model_of(const Network& network);

}  // namespace penta::nn
