#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "engine/store/frame_bytes.h"
#include "engine/store/matching.h"
#include "engine/store/schema.h"
#include "engine/store/store_test.h"

namespace penta::engine {
namespace {

TEST(FrameBytes, Inverse) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<ByteRange>> frames(random() % 20);
    for (auto& frame : frames) {
      frame.resize(random() % 4);
      for (auto& range : frame) range = {static_cast<std::int64_t>(random() >> (random() % 63 + 1)), static_cast<std::int64_t>(random() >> 40)};
    }
    const auto back = frames_from_bytes(frames_to_bytes(frames));
    ASSERT_EQ(back.size(), frames.size());
    for (std::size_t f = 0; f < frames.size(); ++f) {
      ASSERT_EQ(back[f].size(), frames[f].size());
      for (std::size_t i = 0; i < frames[f].size(); ++i) {
        EXPECT_EQ(back[f][i].offset, frames[f][i].offset);
        EXPECT_EQ(back[f][i].length, frames[f][i].length);
      }
    }
  }
  EXPECT_THROW(static_cast<void>(frames_from_bytes(std::vector<std::byte>(2, std::byte{0xFF}))), Error);
}

bool plain_wildcard(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return plain_wildcard(pattern.substr(1), text) || (!text.empty() && plain_wildcard(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && plain_wildcard(pattern.substr(1), text.substr(1));
}

TEST(Matching, WildcardsTwin) {
  std::mt19937 random(5);
  const auto word = [&](std::string_view letters, unsigned longest) {
    std::string out;
    for (auto n = random() % longest; n > 0; --n) out += letters[random() % letters.size()];
    return out;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = word("ab*?", 8), text = word("ab", 8);
    ASSERT_EQ(wildcard_match(pattern, text), plain_wildcard(pattern, text)) << pattern << ' ' << text;
  }
  EXPECT_TRUE(wildcard_match("M?ller", "M\u00fcller"));
}

// Published: PS3.4 C.2.2.2.1 to .5 and PS3.18 8.3.4.2.
TEST(Matching, PublishedRules) {
  const auto matches = [](MatchKind kind, const char* query, const char* value) { return Pattern(kind, query).matches(value); };
  EXPECT_TRUE(matches(MatchKind::text, "Head*", "Head CT"));
  EXPECT_FALSE(matches(MatchKind::text, "head*", "Head CT"));
  EXPECT_TRUE(matches(MatchKind::text, "CT", "MR\\CT"));
  EXPECT_TRUE(matches(MatchKind::name, "doe^j*", "Doe^Jane"));
  EXPECT_TRUE(matches(MatchKind::name, "m\u00dcller", "M\u00fcller^"));
  EXPECT_TRUE(matches(MatchKind::name, "\u5c71\u7530*", "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce"));
  EXPECT_FALSE(matches(MatchKind::name, "Jane", "Doe^Jane"));
  EXPECT_TRUE(matches(MatchKind::fuzzy_name, "jan do", "Doe^Jane"));
  EXPECT_FALSE(matches(MatchKind::fuzzy_name, "ane", "Doe^Jane"));
  EXPECT_TRUE(matches(MatchKind::uid, "1.2\\1.3", "1.3"));
  EXPECT_FALSE(matches(MatchKind::uid, "1.2\\1.3", "1.33"));
  EXPECT_TRUE(matches(MatchKind::date, "20240101-20240201", "20240131"));
  EXPECT_TRUE(matches(MatchKind::date, "-20240201", "2024.01.31"));
  EXPECT_TRUE(matches(MatchKind::date, "20240131-", "20240131"));
  EXPECT_FALSE(matches(MatchKind::date, "20240201-", "20240131"));
  EXPECT_FALSE(matches(MatchKind::date, "20240201-", ""));
  EXPECT_TRUE(matches(MatchKind::time, "10-1030", "103059.12"));
  EXPECT_FALSE(matches(MatchKind::time, "10-1030", "103100"));
}

TEST(Catalogue, AddsOnceAndSaysWhatDiffers) {
  const TestFolder folder;
  const auto catalogue = open_sqlite_catalogue(folder.path());
  StoredInstance one = Made().stored();
  EXPECT_EQ(catalogue->add(std::vector{one, one}), (std::vector{Catalogue::Added::added, Catalogue::Added::same}));
  one.sha256 = std::string(64, '0');
  EXPECT_EQ(catalogue->add(std::vector{one}), std::vector{Catalogue::Added::differs});
  const auto rows = catalogue->search({});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].attributes.at("00100010").at("Value").items()[0].text_or("Alphabetic", ""), "Doe^Jane");
  EXPECT_EQ(rows[0].attributes.at("00080061").at("Value").items()[0].text(), "CT");
  EXPECT_EQ(rows[0].attributes.at("00201208").at("Value").items()[0].integer(), 1);
}

std::vector<Made> many(int studies) {
  const std::array<std::string, 4> names{"Doe^Jane", "M\u00fcller^Hans", "DOE^JOHN", "Smith^Ann^B"};
  const std::array<std::string, 3> modalities{"CT", "MR", "PT"};
  std::vector<Made> out;
  for (int study = 1; study <= studies; ++study)
    for (int series = 1; series <= study % 3 + 1; ++series)
      for (int number = 1; number <= 3; ++number) {
        Made made{study, series, number};
        made.patient = names[static_cast<std::size_t>(study) % names.size()];
        made.patient_id = "P" + std::to_string(study % 5);
        made.date = std::to_string(20240101 + study % 28);
        made.modality = modalities[static_cast<std::size_t>(study + series) % modalities.size()];
        made.description = study % 2 == 0 ? "Head CT" : "Abdomen";
        out.push_back(made);
      }
  return out;
}

bool plain_match(const Made& made, const std::vector<Made>& all, const std::string& tag, const std::string& query, bool fuzzy) {
  const auto matches = [&](MatchKind kind, const std::string& value) { return Pattern(kind, query).matches(value); };
  if (tag == "00100010") return matches(fuzzy ? MatchKind::fuzzy_name : MatchKind::name, made.patient);
  if (tag == "00100020") return matches(MatchKind::text, made.patient_id);
  if (tag == "00080020") return matches(MatchKind::date, made.date);
  if (tag == "00081030") return matches(MatchKind::text, made.description);
  if (tag == "00080050") return matches(MatchKind::text, "A" + std::to_string(made.study));
  if (tag == "00080060") return matches(MatchKind::text, made.modality);
  if (tag == "00200011") return matches(MatchKind::text, std::to_string(made.series));
  if (tag == "00200013") return matches(MatchKind::text, std::to_string(made.number));
  if (tag == "0020000D") return matches(MatchKind::uid, made.study_uid());
  if (tag == "00080018") return matches(MatchKind::uid, made.sop_uid());
  return std::any_of(all.begin(), all.end(), [&](const Made& other) { return other.study == made.study && matches(MatchKind::uid, other.modality); });
}

std::string key_of(const Made& made, Level level) {
  return level == Level::study ? made.study_uid() : level == Level::series ? made.series_uid() : made.sop_uid();
}

// Twin: every search against a loop over all instances.
TEST(Catalogue, SearchesTwin) {
  const TestFolder folder;
  const auto catalogue = open_sqlite_catalogue(folder.path());
  const std::vector<Made> all = many(40);
  std::vector<StoredInstance> stored;
  for (const Made& made : all) stored.push_back(made.stored());
  static_cast<void>(catalogue->add(stored));
  const std::vector<std::pair<std::string, std::string>> keys{
      {"00100010", "doe^*"}, {"00100010", "Jo"}, {"00100020", "P3"}, {"00100020", "P?"}, {"00080020", "20240105-20240110"}, {"00080020", "-20240103"},
      {"00080020", "20240107"}, {"00081030", "Head*"}, {"00081030", "*CT"}, {"00080050", "A7"}, {"00080061", "MR"}, {"00080061", "MR\\PT"},
      {"0020000D", "1.2.3\\1.2.4"}, {"00100010", ""}, {"00080060", "CT"}, {"00200011", "2"}, {"00200013", "3"}, {"00080018", "1.2.3.1.2\\1.2.4.1.9"}};
  for (const Level level : {Level::study, Level::series, Level::instance})
    for (const auto& one : keys)
      for (const auto& two : keys)
        for (const bool fuzzy : {false, true}) {
          Search search{level, {one, two}, {}, {}, fuzzy, 1000, 0};
          std::set<std::string> expected, found;
          for (const Made& made : all) {
            bool good = true;
            for (const auto& [tag, query] : search.match) {
              if (!searchable(level, tag)) continue;
              const std::string asked = level == Level::study && tag == "00080060" ? "00080061" : tag;
              good = good && plain_match(made, all, asked, query, fuzzy);
            }
            if (good) expected.insert(key_of(made, level));
          }
          for (const Row& row : catalogue->search(search)) found.insert(level == Level::study ? row.study_uid : level == Level::series ? row.series_uid : row.sop_uid);
          ASSERT_EQ(found, expected) << one.first << '=' << one.second << ' ' << two.first << '=' << two.second << ' ' << static_cast<int>(level);
          ASSERT_EQ(catalogue->count(search), static_cast<std::int64_t>(expected.size()));
        }
}

TEST(RowAttributes, TextAndJsonTwin) {
  for (const char* tag : {"00080005", "00080050", "00100010", "00200013", "FFFFFFFE"})
    for (const std::string& before : {std::string("{}"), std::string(R"({"00080050":{"vr":"SH","Value":["A\"}{"]},"00100010":{"vr":"PN"}})")}) {
      RowAttributes text(before), json{Json::parse(before)};
      ASSERT_EQ(text.has(tag), json.has(tag));
      if (text.has(tag)) continue;
      text.insert(tag, R"({"vr":"UR","Value":["x"]})");
      json.insert(tag, R"({"vr":"UR","Value":["x"]})");
      EXPECT_TRUE(text.has(tag));
      std::string last;
      const Json parsed = Json::parse(text.text());
      for (const auto& [key, value] : parsed.members()) {
        EXPECT_LT(std::exchange(last, key), key);
        EXPECT_EQ(value.dump(), json.at(key).dump());
      }
      EXPECT_EQ(text.members().size(), json.members().size());
    }
}

TEST(Catalogue, PagesMakeTheWhole) {
  const TestFolder folder;
  const auto catalogue = open_sqlite_catalogue(folder.path());
  std::vector<StoredInstance> stored;
  for (const Made& made : many(10)) stored.push_back(made.stored());
  static_cast<void>(catalogue->add(stored));
  Search search;
  search.level = Level::instance;
  search.limit = 7;
  std::set<std::string> found;
  for (std::vector<Row> page; !(page = catalogue->search(search)).empty(); search.offset += 7)
    for (const Row& row : page) EXPECT_TRUE(found.insert(row.sop_uid).second);
  EXPECT_EQ(found.size(), stored.size());
}

TEST(Catalogue, MigratesAnOlderDataBase) {
  const TestFolder folder;
  {
    Connection old(folder.path() / "catalogue.sqlite");
    migrate(old, 1);
    old.run("INSERT INTO studies(uid, patient_id, patient_name, accession, study_date, received_ms) VALUES('1.2.9', 'P', 'Old^One', '', '', 5)");
    old.run("INSERT INTO study_attributes VALUES(1, '{}')");
  }
  const auto catalogue = open_sqlite_catalogue(folder.path());
  EXPECT_EQ(catalogue->search({}).at(0).study_uid, "1.2.9");
  EXPECT_EQ(catalogue->add_job({}), 1);
}

TEST(Catalogue, RefusesANewerDataBase) {
  const TestFolder folder;
  {
    Connection newer(folder.path() / "catalogue.sqlite");
    migrate(newer);
    newer.run("PRAGMA user_version = 99");
  }
  try {
    static_cast<void>(open_sqlite_catalogue(folder.path()));
    FAIL() << "it was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    EXPECT_NE(std::string(error.what()).find("99"), std::string::npos);
  }
}

TEST(Catalogue, JobsInOrderAndAfterARestart) {
  const TestFolder folder;
  {
    const auto catalogue = open_sqlite_catalogue(folder.path());
    EXPECT_FALSE(catalogue->take_job());
    JobRecord job;
    job.study_uid = "1.2";
    job.request = Json::parse(R"({"task": "report"})");
    static_cast<void>(catalogue->add_job(job));
    static_cast<void>(catalogue->add_job(job));
    job.interactive = true;
    static_cast<void>(catalogue->add_job(job));
    for (const std::int64_t id : {3, 1, 2}) {
      const auto taken = catalogue->take_job();
      ASSERT_TRUE(taken);
      EXPECT_EQ(taken->id, id);
      EXPECT_EQ(taken->attempts, 1);
      EXPECT_EQ(taken->request.text_or("task", ""), "report");
    }
    EXPECT_FALSE(catalogue->take_job());
    auto first = *catalogue->job(1);
    first.state = JobState::done;
    first.progress = 1;
    catalogue->change_job(first);
    EXPECT_EQ(catalogue->jobs("1.2", JobState::done, 10).size(), 1U);
    catalogue->audit({0, "someone", "look", "1.2", "done"});
  }
  const auto catalogue = open_sqlite_catalogue(folder.path());
  EXPECT_EQ(catalogue->requeue_running(), 2);
  EXPECT_EQ(catalogue->take_job()->id, 3);
  EXPECT_EQ(catalogue->job(1)->state, JobState::done);
  EXPECT_FALSE(catalogue->job(9));
  EXPECT_EQ(catalogue->audit_trail(5).at(0).who, "someone");
}

// Each job goes to one taker, however many ask.
TEST(Catalogue, TakesEachJobOnce) {
  const TestFolder folder;
  const auto catalogue = open_sqlite_catalogue(folder.path());
  for (int i = 0; i < 40; ++i) static_cast<void>(catalogue->add_job({}));
  std::mutex mutex;
  std::multiset<std::int64_t> taken;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      while (const auto job = catalogue->take_job()) {
        const std::lock_guard lock(mutex);
        taken.insert(job->id);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken.size(), 40U);
  EXPECT_EQ(std::set<std::int64_t>(taken.begin(), taken.end()).size(), 40U);
}

// What a person types finds studies by name, id, accession or description, in one search that pages.
TEST(Catalogue, FreeTextFindsStudies) {
  const TestFolder folder;
  const auto catalogue = open_sqlite_catalogue(folder.path());
  std::vector<StoredInstance> all;
  for (int i = 1; i <= 5; ++i) {
    Made made;
    made.study = i;
    made.patient = i == 3 ? "Curie^Marie" : "Doe^Jane";
    made.patient_id = "P" + std::to_string(i * 111);
    made.description = i == 5 ? "Thorax ABC" : "Head";
    all.push_back(made.stored());
  }
  (void)catalogue->add(all);
  const auto found = [&](const std::string& text) {
    Search search;
    search.text = text;
    std::string out;
    for (const Row& row : catalogue->search(search)) out += row.study_uid + ' ';
    EXPECT_EQ(catalogue->count(search), std::count(out.begin(), out.end(), ' '));
    return out;
  };
  EXPECT_EQ(found("mar cur"), "1.2.3 ");
  EXPECT_EQ(found("P222"), "1.2.2 ");
  EXPECT_EQ(found("22"), "1.2.2 ");
  EXPECT_EQ(found("A4"), "1.2.4 ");
  EXPECT_EQ(found("x ABC"), "1.2.5 ");
  EXPECT_EQ(found("nobody"), "");
  EXPECT_EQ(found("'; DROP TABLE studies; --"), "");
  EXPECT_EQ(found(""), "1.2.5 1.2.4 1.2.3 1.2.2 1.2.1 ");
}

}  // namespace
}  // namespace penta::engine
