#include "nn/engine.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "nn/model_access.h"

namespace penta::nn {

namespace {

// OpenVINO says what is wrong on many lines with its own source places; one line is for people.
std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

bool processor_has_bf16() {
  const auto abilities = openvino_core().get_property("CPU", ov::device::capabilities);
  return std::find(abilities.begin(), abilities.end(), "BF16") != abilities.end();
}

ov::AnyMap settings(Precision precision) {
  const auto threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const bool half = precision == Precision::bf16;
  return {ov::hint::inference_precision(half ? ov::element::bf16 : ov::element::f32),
          ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
          ov::hint::execution_mode(half ? ov::hint::ExecutionMode::PERFORMANCE : ov::hint::ExecutionMode::ACCURACY),
          ov::inference_num_threads(threads), ov::num_streams(1), ov::hint::enable_cpu_pinning(false)};
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[noreturn]] void refuse_bytes(const std::string& name, const std::exception& fault) {
  throw Error(Code::model_missing, "the model '" + name + "' cannot be read: " + last_line(fault.what()));
}

[[noreturn]] void refuse_run(const std::string& name, const std::exception& fault) {
  // oneDNN reports a failed allocation as text only.
  const std::string why = last_line(fault.what());
  const bool memory = dynamic_cast<const std::bad_alloc*>(&fault) != nullptr || why.find("alloc") != std::string::npos;
  throw Error(memory ? Code::out_of_memory : Code::bad_input, "running '" + name + "': " + why);
}

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

ov::Core& openvino_core() {
  static ov::Core made;
  return made;
}

struct Network::State {
  std::string name;
  Precision precision = Precision::f32;
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
    return compiled.emplace(shape, openvino_core().compile_model(sized, "CPU", settings(precision))).first->second;
  }

  std::size_t output_index(const std::string& output) const {
    if (output.empty()) return 0;
    const auto& all = std::as_const(*model).outputs();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].get_names().count(output) > 0) return i;
    throw Error(Code::model_missing, "the model '" + name + "' has no output '" + output + "'");
  }
};

Network::Network(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const std::string& Network::name() const noexcept { return state_->name; }
Precision Network::precision() const noexcept { return state_->precision; }

bool Network::has_output(const std::string& output) const noexcept {
  const auto& all = std::as_const(*state_->model).outputs();
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.get_names().count(output) > 0; });
}

Network network_of(std::shared_ptr<ov::Model> model, const std::string& name, Precision precision) {
  if (model->inputs().size() != 1 || model->outputs().empty())
    throw Error(Code::model_missing, "the model '" + name + "' has not exactly one input");
  auto state = std::make_unique<Network::State>();
  state->name = name;
  state->precision = precision == Precision::bf16 && processor_has_bf16() ? Precision::bf16 : Precision::f32;
  state->model = std::move(model);
  return Network(std::move(state));
}

std::shared_ptr<const ov::Model> model_of(const Network& network) { return network.state().model; }

Network Network::load(std::span<const std::byte> onnx, const std::string& name, Precision precision) {
  std::shared_ptr<ov::Model> model;
  try {
    model = openvino_core().read_model(text_of(onnx), ov::Tensor());
  } catch (const std::exception& fault) {
    refuse_bytes(name, fault);
  }
  return network_of(std::move(model), name, precision);
}

Network Network::load_ir(std::span<const std::byte> xml, std::span<const std::byte> bin, const std::string& name,
                         Precision precision) {
  std::shared_ptr<ov::Model> model;
  try {
    // The model's constants lie in this tensor, which they keep alive.
    ov::Tensor weights(ov::element::u8, ov::Shape{std::max<std::size_t>(1, bin.size())});
    if (!bin.empty()) std::memcpy(weights.data(), bin.data(), bin.size());
    model = openvino_core().read_model(text_of(xml), weights);
  } catch (const std::exception& fault) {
    refuse_bytes(name, fault);
  }
  return network_of(std::move(model), name, precision);
}

Tensor Network::run(const Tensor& input) const {
  const std::vector<std::string> first{""};
  return std::move(run(input, first).front());
}

std::vector<Tensor> Network::run(const Tensor& input, std::span<const std::string> outputs) const {
  Session session(*this, input.shape, {outputs.begin(), outputs.end()});
  std::vector<Tensor> answers;
  for (TensorView& view : session.run(input.values))
    answers.push_back({std::move(view.shape), std::vector<float>(view.values.begin(), view.values.end())});
  return answers;
}

struct Session::State {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<std::size_t> outputs;
  ov::InferRequest request;
};

Session::Session(const Network& network, const std::vector<std::int64_t>& shape, std::vector<std::string> outputs)
    : state_(std::make_unique<State>()) {
  state_->name = network.name();
  state_->shape = shape;
  for (const std::string& output : outputs) state_->outputs.push_back(network.state().output_index(output));
  if (count_of(shape) <= 0) throw Error(Code::internal, "running '" + state_->name + "': an empty input");
  try {
    state_->request = network.state().for_shape(shape).create_infer_request();
  } catch (const std::exception& fault) {
    refuse_run(state_->name, fault);
  }
}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<TensorView> Session::run(std::span<const float> values) {
  if (count_of(state_->shape) != static_cast<std::int64_t>(values.size()))
    throw Error(Code::internal, "running '" + state_->name + "': shape and values disagree");
  std::vector<TensorView> answers;
  try {
    // The network only reads its input.
    state_->request.set_input_tensor(ov::Tensor(ov::element::f32, ov::Shape(state_->shape.begin(), state_->shape.end()),
                                                const_cast<float*>(values.data())));
    state_->request.infer();
    for (const std::size_t index : state_->outputs) {
      const ov::Tensor output = state_->request.get_output_tensor(index);
      TensorView view{{}, {std::as_const(output).data<float>(), output.get_size()}};
      for (const std::size_t n : output.get_shape()) view.shape.push_back(static_cast<std::int64_t>(n));
      answers.push_back(std::move(view));
    }
  } catch (const std::exception& fault) {
    refuse_run(state_->name, fault);
  }
  return answers;
}

}  // namespace penta::nn
