#include "engine/jobs/queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "engine/jobs/job_request.h"
#include "engine/jobs/rules.h"
#include "engine/store/store_test.h"

namespace penta::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Instead of penta: what it does is chosen by the seed.
constexpr const char* program_text = R"(#!/bin/bash
for a in "$@"; do
  case "$p" in -o) out=$a ;; esac
  case "$a" in --seed=*) seed=${a#--seed=} ;; esac
  p=$a
done
echo '{"progress": 0.5, "doing": "half"}'
case $seed in
  1) echo "penta: no image there"; exit 4 ;;
  2) kill -SEGV $$ ;;
  3) exec sleep 30 ;;
  4) sleep 0.4 ;;
esac
mkdir -p "$out" && echo '{}' > "$out/result.json"
[ "$seed" = 5 ] || exit 0
echo "7 3 1 made" > "$out/seg.dcm"
mkdir "$out/step" && echo "7 4 1 step" > "$out/step/seg.dcm"
echo '{"artifacts": [{"file": "seg.dcm", "made_by": "ct.body"}, {"file": "step/seg.dcm", "made_by": "ct.step"}]}' > "$out/result.json"
exit 0
)";

class Queue : public testing::Test {
 protected:
  Queue() {
    std::ofstream(program_) << program_text;
    fs::permissions(program_, fs::perms::owner_all);
    (void)archive_.store(staged(archive_, made_text(7, 1, 1)), "test");
  }

  [[nodiscard]] QueueSettings settings() const {
    QueueSettings out{program_, folder_.path() / "results", 1, 2, 8, {"PACS"}};
    out.send_again = milliseconds(10);
    return out;
  }
  static Json request(int seed) {
    Json inputs = Json::array();
    inputs.push(Json::object().set("role", "image").set("series_uid", "1.2.7.1"));
    return Json::object().set("task", "segmentation").set("method", "ct.body").set("inputs", std::move(inputs)).set("seed", seed);
  }
  static JobRecord until(const JobQueue& queue, std::int64_t id, const std::function<bool(const JobRecord&)>& is) {
    JobRecord job;
    for (int i = 0; i < 1000; ++i) {
      job = queue.job(id).value();
      if (is(job)) return job;
      std::this_thread::sleep_for(milliseconds(10));
    }
    ADD_FAILURE() << "job " << id << " is " << name_of(job.state) << ", " << job.review;
    return job;
  }
  static JobRecord ended(const JobQueue& queue, std::int64_t id) {
    return until(queue, id, [](const JobRecord& job) { return job.state != JobState::queued && job.state != JobState::running; });
  }
  static bool runs(const JobRecord& job) { return job.state == JobState::running && job.progress > 0; }

  TestFolder folder_;
  fs::path program_ = folder_.path() / "program";
  Archive archive_{folder_.path() / "data", index_made};
};

TEST_F(Queue, AJobEndsAsItsProgramDoes) {
  JobQueue queue(archive_, settings());
  const JobRecord done = ended(queue, queue.submit(request(0), true, "test").id);
  EXPECT_EQ(done.state, JobState::done);
  EXPECT_EQ(done.review, "pending");
  EXPECT_EQ(done.study_uid, "1.2.7");
  EXPECT_TRUE(fs::exists(queue.folder_of(done.id) / "result.json"));
  const JobRecord failed = ended(queue, queue.submit(request(1), true, "test").id);
  EXPECT_EQ(failed.state, JobState::failed);
  EXPECT_EQ(failed.problem, "no image there");
  EXPECT_EQ(failed.exit_code, 4);
  EXPECT_EQ(failed.attempts, 1);
  const JobRecord crashed = ended(queue, queue.submit(request(2), true, "test").id);
  EXPECT_EQ(crashed.state, JobState::failed);
  EXPECT_EQ(crashed.attempts, 2);  // a crash may be the machine's mood
  EXPECT_NE(crashed.problem.find("signal 11"), std::string::npos) << crashed.problem;
  EXPECT_FALSE(fs::exists(queue.folder_of(crashed.id)));
}

TEST_F(Queue, InteractiveWorkGoesBeforeBatch) {
  JobQueue queue(archive_, settings());
  const auto first = queue.submit(request(4), false, "test").id;
  until(queue, first, runs);
  const auto batch = queue.submit(request(0), false, "test").id, interactive = queue.submit(request(0), true, "test").id;
  const JobRecord later = ended(queue, batch), sooner = ended(queue, interactive);
  EXPECT_LE(sooner.ended_ms, later.started_ms);
}

TEST_F(Queue, WhatRunsAndWhatWaitsCanBeCancelledAndRunAgain) {
  JobQueue queue(archive_, settings());
  const auto running = queue.submit(request(3), true, "test").id, waiting = queue.submit(request(0), true, "test").id;
  until(queue, running, runs);
  EXPECT_EQ(queue.cancel(waiting, "test").state, JobState::cancelled);
  (void)queue.cancel(running, "test");
  EXPECT_EQ(ended(queue, running).state, JobState::cancelled);
  EXPECT_THROW((void)queue.cancel(running, "test"), Error);
  EXPECT_EQ(queue.retry(waiting, "test").state, JobState::queued);
  EXPECT_EQ(ended(queue, waiting).state, JobState::done);
  EXPECT_THROW((void)queue.retry(waiting, "test"), Error);
  EXPECT_EQ(queue.reject(waiting, "test").review, "rejected");
  EXPECT_THROW((void)queue.accept(waiting, "test"), Error);
  EXPECT_THROW((void)queue.retry(999, "test"), Error);
}

TEST_F(Queue, AJobHasALimitOfTime) {
  QueueSettings limited = settings();
  limited.seconds_max = std::chrono::seconds(1);
  JobQueue queue(archive_, limited);
  const JobRecord job = ended(queue, queue.submit(request(3), true, "test").id);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.attempts, 1);
  EXPECT_EQ(job.problem, "it took more than 1 s and was stopped");
}

TEST_F(Queue, WhatRanWhenTheServerStoppedRunsAgain) {
  std::int64_t id = 0;
  {
    JobQueue queue(archive_, settings());
    id = queue.submit(request(3), true, "test").id;
    until(queue, id, runs);
  }
  EXPECT_EQ(archive_.catalogue().job(id)->state, JobState::queued);
  JobQueue again(archive_, settings());
  EXPECT_EQ(until(again, id, runs).attempts, 2);
}

// A peer that is away at first gets the results later; accept() does not wait for it.
TEST_F(Queue, ResultsAreSentInTheBackground) {
  JobQueue queue(archive_, settings());
  std::atomic<int> calls{0}, away{2};
  queue.set_sender([&](const std::string& peer, std::span<const fs::path> files) {
    EXPECT_EQ(peer, "PACS");
    EXPECT_EQ(files.size(), 1U);
    if (calls++ < away) throw Error(Code::output_failed, "nobody there");
  });
  Json peers = Json::array();
  peers.push("PACS");
  const Json asked = request(5).set("send_to", peers);
  const auto id = queue.submit(asked, true, "test").id;
  ended(queue, id);
  EXPECT_EQ(queue.accept(id, "test").review, "accepted");
  EXPECT_EQ(until(queue, id, [](const JobRecord& job) { return job.review == "sent"; }).problem, "");
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(queue.made_here("1.2.7.3"));
  EXPECT_FALSE(queue.made_here("1.2.7.4"));  // of a step before the method
  calls = 0, away = 4;
  const auto other = queue.submit(asked, true, "test").id;
  ended(queue, other);
  (void)queue.accept(other, "test");
  EXPECT_EQ(until(queue, other, [](const JobRecord& job) { return job.review == "problem"; }).problem, "nobody there");
  EXPECT_EQ(queue.accept(other, "test").review, "accepted");
  (void)until(queue, other, [](const JobRecord& job) { return job.review == "sent"; });
}

// Rules after a restart: a series that waited is looked at, one that came out of a job is not.
TEST_F(Queue, RulesRememberAcrossRestarts) {
  Rule rule;
  rule.run = {"segmentation/ct.body"};
  const fs::path waiting = folder_.path() / "waiting";
  {
    JobQueue queue(archive_, settings());
    const Rules rules(archive_, queue, {rule}, std::chrono::hours(1), waiting);
    const auto id = queue.submit(request(5), true, "test").id;
    ended(queue, id);
    (void)queue.accept(id, "test");  // stores series 3
    (void)archive_.store(staged(archive_, made_text(7, 2, 1)), "test");
  }
  JobQueue queue(archive_, settings());
  const Rules rules(archive_, queue, {rule}, milliseconds(50), waiting);
  for (int i = 0; i < 500 && archive_.catalogue().jobs("1.2.7", std::nullopt, 10).size() < 2; ++i) std::this_thread::sleep_for(milliseconds(10));
  std::this_thread::sleep_for(milliseconds(400));
  const auto jobs = archive_.catalogue().jobs("1.2.7", std::nullopt, 10);
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(request_of(jobs.front().request).inputs.at(0).series_uid, "1.2.7.2");
  EXPECT_TRUE(fs::is_empty(waiting));
}

}  // namespace
}  // namespace penta::engine
