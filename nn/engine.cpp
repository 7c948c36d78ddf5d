#include "nn/engine.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <sstream>
#include <thread>

#include "core/error.h"
#include "nn/compile_cache.h"
#include "nn/model_access.h"
#include "nn/winograd_op.h"

namespace penta::nn {

namespace {

// OpenVINO says what is wrong on many lines with its own source places; one line is for people.
// Of operators that it does not know the line that names them.
std::string last_line(std::string text) {
  if (const std::size_t named = text.find("No conversion rule found for operations"); named != std::string::npos)
    return "OpenVINO: " + text.substr(named, text.find('\n', named) - named);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

/// bf16 only where the processor has it.
Precision possible(Precision wanted) {
  if (wanted == Precision::f32) return wanted;
  const auto abilities = openvino_core().get_property("CPU", ov::device::capabilities);
  return std::find(abilities.begin(), abilities.end(), "BF16") != abilities.end() ? wanted : Precision::f32;
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

void check(const ov::Model& model, const std::string& name) {
  if (model.inputs().size() != 1 || model.outputs().empty())
    throw Error(Code::model_missing, "the model '" + name + "' has not exactly one input");
}

std::shared_ptr<ov::Model> parsed(const std::string& text, const ov::Tensor& weights, const std::string& name) {
  std::shared_ptr<ov::Model> model;
  try {
    model = openvino_core().read_model(text, weights);
  } catch (const std::exception& fault) {
    throw Error(Code::model_missing, "the model '" + name + "' cannot be read: " + last_line(fault.what()));
  }
  check(*model, name);
  return model;
}

// The bytes of a larger one are not kept until it is read.
constexpr std::size_t lazy_bytes_max = std::size_t{32} << 20U;

std::string library_and_processor() {
  return std::string(ov::get_openvino_version().buildNumber) + "|" + openvino_core().get_property("CPU", ov::device::full_name) +
         "|" + std::to_string(std::thread::hardware_concurrency());
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t n : shape) text += (text.empty() ? "" : "x") + std::to_string(n);
  return text;
}

std::vector<std::int64_t> shape_of(const std::string& text) {
  std::vector<std::int64_t> shape;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, 'x');) shape.push_back(std::atoll(part.c_str()));
  return shape;
}

/// A file as a tensor's memory, which a compiled network looks into and keeps. Kept files are never changed in place.
struct FileMemory {
  std::filesystem::path file;

  void* allocate(std::size_t bytes, std::size_t /*alignment*/) const {
    const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    void* memory = opened < 0 ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, opened, 0);
    if (opened >= 0) ::close(opened);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return memory;
  }
  void deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) const noexcept { munmap(memory, bytes); }
  bool is_equal(const FileMemory& other) const noexcept { return file == other.file; }
};

[[noreturn]] void refuse_run(const std::string& name, const std::exception& fault) {
  // oneDNN reports a failed allocation as text only.
  const std::string why = last_line(fault.what());
  const bool memory = dynamic_cast<const std::bad_alloc*>(&fault) != nullptr || why.find("alloc") != std::string::npos;
  if (memory) throw Error(Code::out_of_memory, "running '" + name + "': there is not enough memory for the network's own work");
  throw Error(Code::bad_input, "running '" + name + "': " + why);
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
  std::mutex mutex;
  std::string onnx;  ///< not yet read: a compiled network may do
  std::shared_ptr<ov::Model> read;
  std::optional<CompileCache> cache;
  std::map<std::vector<std::int64_t>, ov::CompiledModel> compiled;

  /// Under the mutex.
  const std::shared_ptr<ov::Model>& model() {
    if (!read) {
      read = parsed(onnx, ov::Tensor(), name);
      onnx = {};
    }
    return read;
  }

  ov::CompiledModel for_shape(const std::vector<std::int64_t>& shape) {
    const std::lock_guard lock(mutex);
    if (const auto found = compiled.find(shape); found != compiled.end()) return found->second;
    // A new size for every case of a cohort must not fill the memory.
    constexpr std::size_t kept = 8;
    if (compiled.size() >= kept) compiled.erase(compiled.begin());
    if (auto made = from_cache(shape)) return compiled.emplace(shape, std::move(*made)).first->second;
    const std::shared_ptr<ov::Model> sized = model()->clone();
    sized->reshape(ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end())));
    // What is kept on disk is OpenVINO's own alone.
    if (!cache && precision == Precision::f32) use_winograd(sized);
    ov::CompiledModel made = openvino_core().compile_model(sized, "CPU", settings(precision));
    to_cache(shape, made);
    return compiled.emplace(shape, std::move(made)).first->second;
  }

  std::optional<ov::CompiledModel> from_cache(const std::vector<std::int64_t>& shape) const {
    if (!cache) return std::nullopt;
    ov::Tensor blob;
    const auto map = [&](const std::filesystem::path& file, std::size_t bytes) {
      blob = ov::Tensor(ov::element::u8, ov::Shape{bytes}, FileMemory{file});
      return static_cast<const std::byte*>(std::as_const(blob).data());
    };
    try {
      if (!cache->find(shape_text(shape), map)) return std::nullopt;
      return openvino_core().import_model(blob, "CPU", settings(precision));
    } catch (const std::exception&) {
      return std::nullopt;  // of another build of the library: compiled anew
    }
  }

  void to_cache(const std::vector<std::int64_t>& shape, ov::CompiledModel& made) const {
    if (!cache) return;
    try {
      std::ostringstream out;
      made.export_model(out);
      cache->keep(shape_text(shape), out.str());
    } catch (const std::exception&) {
      return;  // what cannot be kept is compiled again
    }
  }

  std::vector<ov::Output<const ov::Node>> outputs() {
    const std::lock_guard lock(mutex);
    if (!read && !compiled.empty()) return compiled.begin()->second.outputs();
    return std::as_const(*model()).outputs();
  }

  std::size_t output_index(const std::string& output) {
    if (output.empty()) return 0;
    const auto all = outputs();
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

bool Network::has_output(const std::string& output) const {
  const auto all = state_->outputs();
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.get_names().count(output) > 0; });
}

Network network_of(std::shared_ptr<ov::Model> model, const std::string& name, Precision precision) {
  check(*model, name);
  auto state = std::make_unique<Network::State>();
  state->name = name;
  state->precision = possible(precision);
  state->read = std::move(model);
  return Network(std::move(state));
}

std::shared_ptr<const ov::Model> model_of(const Network& network) {
  const std::lock_guard lock(network.state().mutex);
  return network.state().model();
}

Network Network::load(std::span<const std::byte> onnx, const std::string& name, Precision precision, const std::string& key) {
  return network_of_bytes(text_of(onnx), name, precision, key);
}

Network network_of_bytes(std::string bytes, const std::string& name, Precision precision, const std::string& key) {
  if (key.empty() || bytes.size() > lazy_bytes_max) return network_of(parsed(bytes, ov::Tensor(), name), name, precision);
  auto state = std::make_unique<Network::State>();
  state->name = name;
  state->precision = possible(precision);
  state->onnx = std::move(bytes);
  state->cache.emplace(key + "|" + (state->precision == Precision::bf16 ? "bf16" : "f32") + "|" + library_and_processor());
  // What was compiled once was read once: its bytes are in order.
  if (!state->cache->has_any()) static_cast<void>(state->model());
  return Network(std::move(state));
}

Network Network::load_ir(std::span<const std::byte> xml, std::span<const std::byte> bin, const std::string& name,
                         Precision precision) {
  // The model's constants lie in this tensor, which they keep alive.
  ov::Tensor weights(ov::element::u8, ov::Shape{std::max<std::size_t>(1, bin.size())});
  if (!bin.empty()) std::memcpy(weights.data(), bin.data(), bin.size());
  return network_of(parsed(text_of(xml), weights, name), name, precision);
}

void Network::prepare(const std::vector<std::int64_t>& shape) const {
  try {
    static_cast<void>(state_->for_shape(shape));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& fault) {
    refuse_run(state_->name, fault);
  }
}

void warm(const Network& network) {
  Network::State& state = network.state();
  const std::vector<std::string> kept = state.cache ? state.cache->kept() : std::vector<std::string>{};
  // Of several it cannot be told which one will be asked for.
  if (kept.size() == 1) network.prepare(shape_of(kept.front()));
}

void rest(const Network& network) {
  const std::lock_guard lock(network.state().mutex);
  for (auto& [shape, made] : network.state().compiled) made.release_memory();
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
  if (count_of(shape) <= 0) throw Error(Code::internal, "running '" + state_->name + "': an empty input");
  try {
    state_->request = network.state().for_shape(shape).create_infer_request();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& fault) {
    refuse_run(state_->name, fault);
  }
  for (const std::string& output : outputs) state_->outputs.push_back(network.state().output_index(output));
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
