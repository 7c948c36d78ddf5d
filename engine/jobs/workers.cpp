#include "engine/jobs/workers.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"
#include "engine/jobs/index_json.h"
#include "engine/jobs/message.h"
#include "engine/jobs/process.h"

namespace penta::engine {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds idle_limit{60};
constexpr std::size_t pictures_bytes_max = std::size_t{16} << 20;

struct Worker {
  Handle socket;
  Child child;
  Clock::time_point idle_since{};
};

Code code_named(const std::string& name) {
  for (const Code code : {Code::wrong_use, Code::bad_input, Code::nothing_to_do, Code::model_missing, Code::output_failed})
    if (code_row(code).name == name) return code;
  return Code::internal;
}

// An idle worker says nothing: its socket is readable only when it has ended.
bool is_there(const Worker& worker) {
  pollfd end{worker.socket.get(), POLLIN, 0};
  return ::poll(&end, 1, 0) == 0;
}

// The last pictures that were made: files never change under their name.
class Pictures {
 public:
  using Bytes = std::vector<std::byte>;

  bool find(const std::string& key, Bytes& out) {
    const std::lock_guard lock(mutex_);
    const auto it = std::find_if(list_.begin(), list_.end(), [&](const auto& entry) { return entry.first == key; });
    if (it == list_.end()) return false;
    list_.splice(list_.begin(), list_, it);
    out = it->second;
    return true;
  }

  void keep(std::string key, const Bytes& picture) {
    if (picture.size() > pictures_bytes_max / 8) return;
    const std::lock_guard lock(mutex_);
    list_.emplace_front(std::move(key), picture);
    bytes_ += picture.size();
    while (bytes_ > pictures_bytes_max || list_.size() > 256) {
      bytes_ -= list_.back().second.size();
      list_.pop_back();
    }
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<std::string, Bytes>> list_;
  std::size_t bytes_ = 0;
};

}  // namespace

struct Workers::State {
  std::filesystem::path program;
  int count = 1;
  WorkerLimits limits;
  Pictures pictures;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Worker> idle;
  int busy = 0;
  bool closing = false;
  std::thread sweeper;

  [[nodiscard]] Worker start() const;
  [[nodiscard]] Worker borrow();
  void give_back(Worker worker, bool keep);
  void sweep();
  [[nodiscard]] Message exchange(Worker& worker, const Json& request);
  [[nodiscard]] Message ask(const Json& request);
};

Worker Workers::State::start() const {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Error(Code::internal, "a worker's socket cannot be made");
  Worker worker;
  worker.socket = Handle(ends[0]);
  const Handle theirs(ends[1]);
  worker.child = Child({program.string(), "worker", "--memory-gb", std::to_string(limits.memory_gb), "--seconds",
                        std::to_string(limits.seconds.count())},
                       -1, theirs.get());
  return worker;
}

Worker Workers::State::borrow() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return closing || busy < count; });
  if (closing) throw Error(Code::cancelled, "the server is being stopped");
  ++busy;
  while (!idle.empty()) {
    Worker worker = std::move(idle.back());
    idle.pop_back();
    if (is_there(worker)) return worker;
  }
  lock.unlock();
  try {
    return start();
  } catch (...) {
    lock.lock();
    --busy;
    changed.notify_one();
    throw;
  }
}

void Workers::State::give_back(Worker worker, bool keep) {
  const std::lock_guard lock(mutex);
  --busy;
  worker.idle_since = Clock::now();
  if (keep && !closing) idle.push_back(std::move(worker));
  changed.notify_all();
}

// Ends workers that nothing was asked of for long.
void Workers::State::sweep() {
  std::unique_lock lock(mutex);
  while (!closing) {
    changed.wait_for(lock, std::chrono::seconds(10), [&] { return closing; });
    const auto old = Clock::now() - idle_limit;
    std::erase_if(idle, [&](const Worker& worker) { return worker.idle_since < old; });
  }
}

Message Workers::State::exchange(Worker& worker, const Json& request) {
  send_message(worker.socket.get(), request, {});
  std::optional<Message> answer = receive_message(worker.socket.get(), Clock::now() + limits.seconds, static_cast<std::uint64_t>(limits.answer_bytes));
  if (!answer) throw Error(Code::internal, "the worker ended");
  return std::move(*answer);
}

// One that had answered before may have died while it was idle, by no fault of this request: then a fresh one is asked.
Message Workers::State::ask(const Json& request) {
  Worker worker = borrow();
  const bool used_before = worker.idle_since != Clock::time_point{};
  Message answer;
  try {
    answer = exchange(worker, request);
  } catch (const Error& fault) {
    const bool slow = fault.code() == Code::cancelled, large = fault.code() == Code::out_of_memory;
    if (slow || large) worker.child.send(SIGKILL);
    worker.socket.close();
    const std::string how = worker.child.wait().text();
    give_back(std::move(worker), false);
    if (slow) throw Error(Code::bad_input, "reading it took more than " + std::to_string(limits.seconds.count()) + " s and was stopped");
    if (large) throw Error(Code::bad_input, "what it unpacks to is more than the " + std::to_string(limits.answer_bytes >> 20) + " MiB of one answer");
    if (used_before) return ask(request);
    throw Error(Code::internal, "the process that read it " + how);
  }
  const Json* retires = answer.header.find("retires");
  give_back(std::move(worker), retires == nullptr);
  if (const Json* error = answer.header.find("error"))
    throw Error(code_named(error->text_or("code", "")), error->text_or("text", "a worker's error without a text"));
  return answer;
}

Workers::Workers(std::filesystem::path program, int count, WorkerLimits limits) : state_(std::make_unique<State>()) {
  state_->program = std::move(program);
  state_->count = std::max(1, count);
  state_->limits = limits;
  state_->sweeper = std::thread([state = state_.get()] { state->sweep(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
    state_->changed.notify_all();
  }
  state_->sweeper.join();
}

InstanceIndex Workers::index(const std::filesystem::path& path) {
  Message answer = state_->ask(Json::object().set("do", "index").set("path", path.string()));
  const char* text = reinterpret_cast<const char*>(answer.payload.data());
  return index_of(answer.header.at("index"), std::string(text, answer.payload.size()));
}

std::vector<std::byte> Workers::rendered(const RenderRequest& request) {
  const Json json = Json::object()
                        .set("do", "rendered")
                        .set("path", request.path.string())
                        .set("frame", request.frame)
                        .set("centre", request.window_centre)
                        .set("width_of_window", request.window_width)
                        .set("width", request.width)
                        .set("height", request.height)
                        .set("type", request.media_type)
                        .set("quality", request.quality);
  const std::string key = json.dump(-1);
  std::vector<std::byte> picture;
  if (state_->pictures.find(key, picture)) return picture;
  picture = state_->ask(json).payload;
  state_->pictures.keep(key, picture);
  return picture;
}

std::vector<std::byte> Workers::native_frame(const std::filesystem::path& path, std::int64_t frame) {
  return ask(Json::object().set("do", "native_frame").set("path", path.string()).set("frame", frame));
}

std::vector<std::byte> Workers::transcoded(const std::filesystem::path& path, const std::string& transfer_syntax) {
  return ask(Json::object().set("do", "transcoded").set("path", path.string()).set("transfer_syntax", transfer_syntax));
}

std::vector<std::byte> Workers::ask(const Json& request) { return std::move(state_->ask(request).payload); }

}  // namespace penta::engine
