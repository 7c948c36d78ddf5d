#include "nn/engine.h"

#include <new>
#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <openvino/openvino.hpp>
#include <thread>

#include "core/error.h"

namespace penta::nn {

namespace {

// Made at the first use: a program that runs no network pays nothing for plug-ins.
ov::Core& core() {
  static ov::Core made;
  return made;
}

// OpenVINO says what is wrong on many lines with its own source places; one line is for people.
std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

ov::AnyMap settings() {
  const auto threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return {ov::hint::inference_precision(ov::element::f32), ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
          ov::hint::execution_mode(ov::hint::ExecutionMode::ACCURACY), ov::inference_num_threads(threads),
          ov::num_streams(1), ov::hint::enable_cpu_pinning(false)};
}

}  // namespace

struct Network::State {
  std::string name;
  std::shared_ptr<ov::Model> model;
  std::mutex mutex;
  std::map<std::vector<std::int64_t>, ov::CompiledModel> compiled;

  ov::CompiledModel for_shape(const std::vector<std::int64_t>& shape) {
    const std::lock_guard lock(mutex);
    if (const auto found = compiled.find(shape); found != compiled.end()) return found->second;
    // A new size for every case of a cohort must not fill the memory.
    constexpr std::size_t kept = 8;
    if (compiled.size() >= kept) compiled.erase(compiled.begin());
    const std::shared_ptr<ov::Model> sized = model->clone();
    sized->reshape(ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end())));
    return compiled.emplace(shape, core().compile_model(sized, "CPU", settings())).first->second;
  }
};

Network::Network(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const std::string& Network::name() const noexcept { return state_->name; }

Network Network::load(std::span<const std::byte> onnx, const std::string& name) {
  auto state = std::make_unique<State>();
  state->name = name;
  try {
    const std::string text(reinterpret_cast<const char*>(onnx.data()), onnx.size());
    state->model = core().read_model(text, ov::Tensor());
  } catch (const std::exception& fault) {
    throw Error(Code::model_missing, "the model '" + name + "' cannot be read: " + last_line(fault.what()));
  }
  if (state->model->inputs().size() != 1 || state->model->outputs().empty())
    throw Error(Code::model_missing, "the model '" + name + "' has not exactly one input");
  return Network(std::move(state));
}

Tensor Network::run(const Tensor& input) const {
  const auto count = std::accumulate(input.shape.begin(), input.shape.end(), std::int64_t{1}, std::multiplies<>());
  if (count <= 0 || count != static_cast<std::int64_t>(input.values.size()))
    throw Error(Code::internal, "running '" + state_->name + "': shape and values disagree");
  try {
    ov::InferRequest request = state_->for_shape(input.shape).create_infer_request();
    // The network only reads its input.
    request.set_input_tensor(ov::Tensor(ov::element::f32, ov::Shape(input.shape.begin(), input.shape.end()),
                                        const_cast<float*>(input.values.data())));
    request.infer();
    const ov::Tensor output = request.get_output_tensor(0);
    const float* values = output.data<const float>();
    Tensor answer{{}, std::vector<float>(values, values + output.get_size())};
    for (const std::size_t n : output.get_shape()) answer.shape.push_back(static_cast<std::int64_t>(n));
    return answer;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& fault) {
    // oneDNN reports a failed allocation as text only.
    const std::string why = last_line(fault.what());
    const bool memory = dynamic_cast<const std::bad_alloc*>(&fault) != nullptr || why.find("alloc") != std::string::npos;
    throw Error(memory ? Code::out_of_memory : Code::bad_input, "running '" + state_->name + "': " + why);
  }
}

}  // namespace penta::nn
