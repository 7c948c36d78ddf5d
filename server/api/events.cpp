#include "server/api/events.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "engine/jobs/job_request.h"

namespace penta::server {

namespace {

constexpr std::chrono::seconds heartbeat{15};
constexpr std::size_t waiting_max = 4096;

// What one client has yet to hear.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> waiting;
  bool over = false;  ///< nothing more will come
  std::shared_ptr<void> listening;

  void put(std::string text, bool last) {
    const std::lock_guard lock(mutex);
    // A client that does not read is cut off; it asks again when it is back.
    if (over) return;
    over = last || waiting.size() >= waiting_max;
    waiting.push_back(std::move(text));
    changed.notify_one();
  }
};

std::string event_text(const engine::Happening& happening) {
  return "event: " + happening.kind + "\ndata: " + happening.json.dump(-1) + "\n\n";
}

bool is_over(const Json& job) {
  const std::string state = job.text_or("state", "");
  return state != "queued" && state != "running" && job.text_or("review", "") != "accepting";
}

void serve(Mailbox& mailbox, const Writer& write) {
  const auto send = [&](std::string_view text) { return write(std::as_bytes(std::span(text.data(), text.size()))); };
  if (!send(": hello\n\n")) return;
  std::unique_lock lock(mailbox.mutex);
  for (;;) {
    mailbox.changed.wait_for(lock, heartbeat, [&] { return !mailbox.waiting.empty() || mailbox.over; });
    if (mailbox.waiting.empty() && mailbox.over) return;
    std::string text = mailbox.waiting.empty() ? ": still here\n\n" : std::string();
    for (const std::string& one : mailbox.waiting) text += one;
    mailbox.waiting.clear();
    lock.unlock();
    if (!send(text)) return;
    lock.lock();
  }
}

}  // namespace

Response events(engine::JobQueue& queue, std::optional<std::int64_t> job) {
  auto mailbox = std::make_shared<Mailbox>();
  mailbox->listening = queue.listen([box = std::weak_ptr<Mailbox>(mailbox), job](const engine::Happening& happening) {
    const auto there = box.lock();
    if (!there) return;
    if (happening.kind == "closing") return there->put(": the server stops\n\n", true);
    if (!job) return there->put(event_text(happening), false);
    const Json* id = happening.json.find("id");
    if (happening.kind == "job" && id != nullptr && id->integer() == *job) there->put(event_text(happening), is_over(happening.json));
  });
  if (job) {
    const std::optional<engine::JobRecord> now = queue.job(*job);
    if (!now) throw HttpError(404, "there is no job " + std::to_string(*job));
    const Json json = engine::json_of(*now);
    mailbox->put(event_text({"job", json}), is_over(json));
  }
  return {200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, StreamBody([mailbox](const Writer& write) { serve(*mailbox, write); })};
}

}  // namespace penta::server
