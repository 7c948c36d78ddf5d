#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <thread>

#include "engine/store/store_test.h"

namespace penta::engine {
namespace {

using Outcome = Stored::Outcome;

std::size_t files_below(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

TEST(Archive, WhatWasStoredIsThereAfterARestart) {
  const TestFolder folder;
  std::string told;
  {
    Archive archive(folder.path(), index_made);
    archive.on_stored([&](const std::string& study, const std::string& series) { told = study + ' ' + series; });
    std::vector<StagedFile> files;
    for (int i = 1; i <= 3; ++i) files.push_back(staged(archive, made_text(1, 2, i)));
    for (const Stored& stored : archive.store(files, "test")) EXPECT_EQ(stored.outcome, Outcome::stored) << stored.why;
  }
  EXPECT_EQ(told, "1.2.1 1.2.1.2");
  Archive archive(folder.path(), index_made);
  const auto there = archive.catalogue().instances("1.2.1", "", "");
  ASSERT_EQ(there.size(), 3U);
  EXPECT_EQ(content_of(archive.path_of(there[1])), made_text(1, 2, 2));
  EXPECT_EQ(there[1].index.metadata, Made({1, 2, 2}).index().metadata);
  EXPECT_EQ(there[1].index.frames.at(0).at(0).offset, 1002);
  EXPECT_EQ(files_below(folder.path() / "staging"), 0U);
  const auto trail = archive.catalogue().audit_trail(10);
  ASSERT_EQ(trail.size(), 1U);
  EXPECT_EQ(trail[0].object, "1.2.1/1.2.1.2");
}

TEST(Archive, RefusesOneAndKeepsTheRest) {
  const TestFolder folder;
  Archive archive(folder.path(), index_made);
  static_cast<void>(archive.store(staged(archive, made_text(1, 1, 1)), "test"));
  std::vector<StagedFile> files;
  for (const auto& text : {made_text(1, 1, 1), made_text(1, 1, 1, "other"), std::string("no instance"), made_text(-1, 1, 1), made_text(1, 1, 2),
                           made_text(1, 1, 2), made_text(1, 1, 2, "other")})
    files.push_back(staged(archive, text));
  const auto stored = archive.store(files, "test");
  ASSERT_EQ(stored.size(), 7U);
  const std::array<Outcome, 7> expected{Outcome::same,   Outcome::refused, Outcome::refused, Outcome::quarantined,
                                        Outcome::stored, Outcome::same,    Outcome::refused};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(stored[i].outcome, expected[i]) << i << ' ' << stored[i].why;
  EXPECT_NE(stored[1].why.find("1.2.1.1.1"), std::string::npos);
  EXPECT_EQ(stored[2].why, "reading the instance: not three numbers");
  files.clear();
  EXPECT_EQ(files_below(folder.path() / "blobs"), 2U);
  EXPECT_EQ(files_below(folder.path() / "staging"), 0U);
  EXPECT_EQ(files_below(folder.path() / "quarantine"), 2U);
}

TEST(Archive, RemovesFilesWithTheirStudy) {
  const TestFolder folder;
  Archive archive(folder.path(), index_made);
  for (int series = 1; series <= 2; ++series) static_cast<void>(archive.store(staged(archive, made_text(1, series, 1)), "test"));
  archive.remove("1.2.1", "1.2.1.1", "test");
  EXPECT_EQ(files_below(folder.path() / "blobs"), 1U);
  EXPECT_EQ(archive.catalogue().search({}).at(0).attributes.at("00201208").at("Value").items()[0].integer(), 1);
  archive.remove("1.2.1", "", "test");
  EXPECT_EQ(files_below(folder.path() / "blobs"), 0U);
  EXPECT_TRUE(archive.catalogue().search({}).empty());
  EXPECT_EQ(archive.store(staged(archive, made_text(1, 1, 1)), "test").outcome, Outcome::stored);
}

TEST(Archive, ManyThreadsStoreAtOnce) {
  const TestFolder folder;
  Archive archive(folder.path(), index_made);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&archive, t] {
      // Every instance comes twice, from two threads.
      for (int i = 0; i < 20; ++i) {
        const auto outcome = archive.store(staged(archive, made_text(t / 2, 1, i)), "test").outcome;
        EXPECT_TRUE(outcome == Outcome::stored || outcome == Outcome::same);
      }
    });
  for (auto& thread : threads) thread.join();
  Search all;
  all.level = Level::instance;
  EXPECT_EQ(archive.catalogue().count(all), 80);
  EXPECT_EQ(files_below(folder.path() / "blobs"), 80U);
}

// The child stores and says what was acknowledged, until it is killed.
[[noreturn]] void store_for_ever(const std::filesystem::path& folder, int study, int answers) {
  Archive archive(folder, index_made);
  for (int i = 1;; ++i) {
    std::vector<StagedFile> files;
    for (int k = 1; k <= i % 4 + 1; ++k) files.push_back(staged(archive, made_text(study, i, k, std::string(20000, 'x'))));
    for (const Stored& stored : archive.store(files, "child")) {
      const std::string line = stored.index.sop_uid + '\n';
      if (stored.outcome != Outcome::stored || ::write(answers, line.data(), line.size()) < 0) ::_exit(1);
    }
  }
}

std::set<std::string> acknowledged_before_the_kill(const std::filesystem::path& folder, int study, int milliseconds) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) store_for_ever(folder, study, pipe[1]);
  ::close(pipe[1]);
  ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  std::string all;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(pipe[0], piece.data(), piece.size())) > 0;) all.append(piece.data(), static_cast<std::size_t>(got));
  ::close(pipe[0]);
  std::istringstream lines(all.substr(0, all.rfind('\n') + 1));
  std::set<std::string> out;
  for (std::string line; lines >> line;) out.insert(line);
  return out;
}

TEST(ArchiveKilled, LosesNothingThatItAcknowledgedAndKeepsNothingByHalves) {
  const TestFolder folder;
  std::mt19937 random(7);
  std::set<std::string> acknowledged;
  for (int round = 1; round <= 20; ++round) {
    acknowledged.merge(acknowledged_before_the_kill(folder.path(), round, 20 + static_cast<int>(random() % 150)));
    Archive archive(folder.path(), index_made);
    const auto there = archive.catalogue().files("", "", "");
    std::set<std::string> found;
    for (const StoredInstance& one : there) {
      found.insert(one.index.sop_uid);
      ASSERT_EQ(Sha256().add(content_of(archive.path_of(one))).hex(), one.sha256);
    }
    for (const std::string& uid : acknowledged) ASSERT_TRUE(found.contains(uid)) << uid;
    ASSERT_EQ(files_below(folder.path() / "blobs"), there.size());
    ASSERT_EQ(files_below(folder.path() / "staging"), 0U);
  }
  EXPECT_GT(acknowledged.size(), 20U);
}

}  // namespace
}  // namespace penta::engine
