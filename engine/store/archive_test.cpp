#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
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
  auto open = std::make_unique<Archive>(folder.path(), index_made);
  Archive& archive = *open;
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
  open.reset();
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
  // Every other time what is settled in the background is part of what is interrupted.
  const Settling often{std::chrono::milliseconds(3), 5};
  Archive archive(folder, index_made, 2, study % 2 == 0 ? often : Settling{});
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

// Names of blobs that were given and not synced: a power cut may take them.
void lose_unsynced_places(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "blobs"))
    if (entry.is_regular_file() && entry.hard_link_count() > 1) std::filesystem::remove(entry.path());
}

void expect_whole(const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
  Archive archive(folder, index_made);
  const auto there = archive.catalogue().files("", "", "");
  std::set<std::string> found;
  for (const StoredInstance& one : there) {
    found.insert(one.index.sop_uid);
    ASSERT_EQ(Sha256().add(content_of(archive.path_of(one))).hex(), one.sha256);
  }
  for (const std::string& uid : acknowledged) ASSERT_TRUE(found.contains(uid)) << uid;
  ASSERT_EQ(files_below(folder / "blobs"), there.size());
  ASSERT_EQ(files_below(folder / "staging"), 0U);
}

TEST(ArchiveKilled, LosesNothingThatItAcknowledgedAndKeepsNothingByHalves) {
  const TestFolder folder;
  std::mt19937 random(7);
  std::set<std::string> acknowledged;
  for (int round = 1; round <= 20; ++round) {
    acknowledged.merge(acknowledged_before_the_kill(folder.path(), round, 20 + static_cast<int>(random() % 150)));
    if (round % 3 == 0) lose_unsynced_places(folder.path());
    ASSERT_NO_FATAL_FAILURE(expect_whole(folder.path(), acknowledged)) << round;
  }
  EXPECT_GT(acknowledged.size(), 20U);
}

const Settling never{std::chrono::hours(1), 1'000'000};

void copy_catalogue(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  for (const char* name : {"catalogue.sqlite", "catalogue.sqlite-wal", "catalogue.sqlite-shm"}) fs::remove(to / name);
  for (const char* name : {"catalogue.sqlite", "catalogue.sqlite-wal"})
    if (fs::exists(from / name)) fs::copy_file(from / name, to / name);
}

// An archive whose rows of the second half were never synced: copies of its folder are what a power cut may leave.
class ArchivePowerCut : public testing::Test {
 protected:
  ArchivePowerCut() {
    for (int i = 1; i <= 5; ++i) store(1, i);
    copy_catalogue(work_.path(), early_.path());
    for (int i = 1; i <= 25; ++i) store(2, i);
  }

  void store(int study, int number) {
    const Stored stored = archive_.store(staged(archive_, made_text(study, 1, number, std::string(30000, 'x'))), "test");
    EXPECT_EQ(stored.outcome, Outcome::stored) << stored.why;
    acknowledged_.insert(stored.index.sop_uid);
  }

  void copy_to(const std::filesystem::path& folder) const {
    for (const char* part : {"staging", "blobs"})
      std::filesystem::copy(work_.path() / part, folder / part, std::filesystem::copy_options::recursive);
    copy_catalogue(work_.path(), folder);
  }

  const TestFolder work_, early_;
  std::set<std::string> acknowledged_;
  Archive archive_{work_.path(), index_made, 2, never};
};

TEST_F(ArchivePowerCut, RowsAndPlacesAreLostAndStagedNamesBringThemBack) {
  for (const bool places_too : {false, true}) {
    const TestFolder cut;
    copy_to(cut.path());
    if (places_too) std::filesystem::remove_all(cut.path() / "blobs");
    copy_catalogue(early_.path(), cut.path());
    ASSERT_NO_FATAL_FAILURE(expect_whole(cut.path(), acknowledged_));
    ASSERT_NO_FATAL_FAILURE(expect_whole(cut.path(), acknowledged_));
  }
}

TEST_F(ArchivePowerCut, TheLogOfTheCatalogueIsGone) {
  const TestFolder cut;
  copy_to(cut.path());
  for (const char* name : {"catalogue.sqlite", "catalogue.sqlite-wal"}) std::filesystem::remove(cut.path() / name);
  ASSERT_NO_FATAL_FAILURE(expect_whole(cut.path(), acknowledged_));
}

TEST_F(ArchivePowerCut, TheLogOfTheCatalogueEndsAnywhere) {
  const auto wal = "catalogue.sqlite-wal";
  const auto from = std::filesystem::file_size(early_.path() / wal), to = std::filesystem::file_size(work_.path() / wal);
  ASSERT_GT(to, from);
  std::mt19937 random(11);
  for (int round = 0; round < 12; ++round) {
    const TestFolder cut;
    copy_to(cut.path());
    std::filesystem::resize_file(cut.path() / wal, from + random() % (to - from));
    ASSERT_NO_FATAL_FAILURE(expect_whole(cut.path(), acknowledged_)) << round;
  }
}

TEST_F(ArchivePowerCut, HalfWrittenFilesGo) {
  const TestFolder cut;
  copy_to(cut.path());
  copy_catalogue(early_.path(), cut.path());
  const std::string text = made_text(3, 1, 1, std::string(5000, 'y'));
  const std::string name = Sha256().add(text).hex() + '.' + std::to_string(text.size()) + '.';
  const auto put = [&](const std::string& as, const std::string& bytes) { std::ofstream(cut.path() / "staging" / as, std::ios::binary) << bytes; };
  put(name + "short1", text.substr(0, 4096));
  put(name + "zeros1", text.substr(0, 4096) + std::string(text.size() - 4096, '\0'));
  put(name + "empty1", "");
  put("Ab12Cd", text);
  ASSERT_NO_FATAL_FAILURE(expect_whole(cut.path(), acknowledged_));
  Archive archive(cut.path(), index_made);
  EXPECT_TRUE(archive.catalogue().files("1.2.3", "", "").empty());
}

TEST_F(ArchivePowerCut, WhatCannotBeIndexedAgainStaysForTheNextStart) {
  const TestFolder cut;
  copy_to(cut.path());
  copy_catalogue(early_.path(), cut.path());
  {
    const Archive archive(cut.path(), [](const std::filesystem::path&) -> InstanceIndex { throw Error(Code::internal, "no worker"); });
    EXPECT_EQ(files_below(cut.path() / "staging"), 25U);
  }
  ASSERT_NO_FATAL_FAILURE(expect_whole(cut.path(), acknowledged_));
}

TEST_F(ArchivePowerCut, WhatWasRemovedStaysAway) {
  archive_.remove("1.2.2", "", "test");
  const TestFolder cut;
  copy_to(cut.path());
  Archive archive(cut.path(), index_made);
  EXPECT_EQ(archive.catalogue().files("", "", "").size(), 5U);
}

// A PS3.10 file that index_made() reads too: its numbers stand in the preamble.
std::string made_part10(const std::string& syntax, const std::string& data) {
  std::string file = made_text(1, 1, 1);
  file.resize(128);
  file += "DICM";
  for (const auto& [element, value] : {std::pair('\x10', syntax), {'\x13', std::string("SOMEBODY")}})
    file += std::string("\2\0", 2) + element + std::string("\0UI", 3) + static_cast<char>(value.size()) + '\0' + value;
  return file + data;
}

TEST(Archive, OtherMetaHeadersAreTheSameInstance) {
  const TestFolder folder;
  Archive archive(folder.path(), [](const std::filesystem::path& path) {
    InstanceIndex index = index_made(path);
    index.transfer_syntax = content_of(path).find("1.2.840.10008.1.2.2") == std::string::npos ? "1.2.840.10008.1.2.1" : "1.2.840.10008.1.2.2";
    return index;
  });
  const std::string data = std::string("\x08\0\x05\0CS\0\0", 8) + std::string(3'000'000, 'd');
  const auto store = [&](const std::string& text) { return archive.store(staged(archive, text), "test"); };
  EXPECT_EQ(store(made_part10("1.2.840.10008.1.2.1", data)).outcome, Outcome::stored);
  EXPECT_EQ(store(made_part10(std::string("1.2.840.10008.1.2.1\0", 20), data)).outcome, Outcome::same);
  for (const std::string& other : {made_part10("1.2.840.10008.1.2.2", data), made_part10("1.2.840.10008.1.2.1", data + "  "),
                                   made_part10("1.2.840.10008.1.2.1", data.substr(0, data.size() - 1) + "e"), made_text(1, 1, 1)}) {
    const Stored stored = store(other);
    EXPECT_EQ(stored.outcome, Outcome::refused);
    EXPECT_NE(stored.why.find("with other contents"), std::string::npos);
  }
  EXPECT_EQ(files_below(folder.path() / "blobs"), 1U);
}

TEST(Archive, TwoThatDifferAreNotBothStored) {
  const TestFolder folder;
  Archive archive(folder.path(), index_made);
  std::atomic<int> stored{0}, refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto outcome = archive.store(staged(archive, made_text(1, 1, i, std::to_string(t))), "test").outcome;
        (outcome == Outcome::stored ? stored : refused) += 1;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored, 20);
  EXPECT_EQ(refused, 100);
  EXPECT_EQ(files_below(folder.path() / "blobs"), 20U);
}

}  // namespace
}  // namespace penta::engine
