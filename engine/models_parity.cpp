#include "engine/models_parity.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace penta::engine {

nn::Tensor sine_tensor(const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t most = std::int64_t{1} << 28U;
  std::int64_t count = 1;
  for (const std::int64_t n : shape) {
    if (n < 1 || n > most / count) throw Error(Code::bad_input, "making a parity sample: its shape makes no sense");
    count *= n;
  }
  nn::Tensor tensor{shape, std::vector<float>(static_cast<std::size_t>(count))};
  for (std::int64_t i = 0; i < count; ++i)
    tensor.values[static_cast<std::size_t>(i)] = static_cast<float>(std::sin(0.37 * static_cast<double>(i)));
  return tensor;
}

Json parity_of(const nn::Network& network, const std::vector<std::int64_t>& shape) {
  constexpr std::size_t picks = 16;
  const nn::Tensor y = network.run(sine_tensor(shape));
  Json in = Json::array(), out = Json::array(), expected = Json::array(), parity = Json::object();
  for (const std::int64_t n : shape) in.push(n);
  for (const std::int64_t n : y.shape) out.push(n);
  std::size_t before = y.values.size();
  for (std::size_t k = 0; k < picks; ++k) {
    const std::size_t at = k * (y.values.size() - 1) / (picks - 1);
    if (at == before) continue;
    before = at;
    Json pair = Json::array();
    pair.push(at).push(static_cast<double>(y.values[at]));
    expected.push(std::move(pair));
  }
  parity.set("input", "sin(0.37 * i), i the flat index, float32").set("shape", std::move(in));
  parity.set("output_shape", std::move(out)).set("runtime", "OpenVINO float32, when imported").set("tolerance", 1e-3);
  return parity.set("expected", std::move(expected));
}

void check_parity(const nn::Network& network, const Json& parity, const std::string& what) {
  std::vector<std::int64_t> shape, wanted;
  for (const Json& n : parity.at("shape").items()) shape.push_back(n.integer());
  for (const Json& n : parity.at("output_shape").items()) wanted.push_back(n.integer());
  const nn::Tensor y = network.run(sine_tensor(shape));
  const std::string start = "checking " + what + " against its parity sample: ";
  if (y.shape != wanted) throw Error(Code::model_missing, start + "the output has another shape");
  double largest = 1;
  for (const Json& pair : parity.at("expected").items()) largest = std::max(largest, std::abs(pair.items().at(1).number()));
  const double tolerance = parity.number_or("tolerance", 1e-3) * largest;
  for (const Json& pair : parity.at("expected").items()) {
    const std::int64_t at = pair.items().at(0).integer();
    if (at < 0 || at >= static_cast<std::int64_t>(y.values.size())) throw Error(Code::model_missing, start + "it names a value that is not there");
    const auto is = static_cast<double>(y.values[static_cast<std::size_t>(at)]);
    if (!(std::abs(is - pair.items().at(1).number()) <= tolerance))
      throw Error(Code::model_missing, start + "value " + std::to_string(at) + " is " + std::to_string(is) + " and was " +
                                           std::to_string(pair.items().at(1).number()));
  }
}

}  // namespace penta::engine
