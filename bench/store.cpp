// For bench/store.py: bench_store FOLDER WORK stores the DICOM files of FOLDER in archives below WORK by 1, 4 and 16
// threads and in batches, in turns with writing them plainly with an fsync each. bench_store --search N WORK asks a
// catalogue of N instances. One line 'name: number unit' each.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>

#include "engine/store/archive.h"
#include "io/dicom/web.h"

namespace {

using namespace penta;
using namespace penta::engine;
namespace fs = std::filesystem;

double seconds_of(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Of this thread: what else the machine does is not in it.
double cpu_ms() {
  ::timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::vector<std::string> contents(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

using Files = std::span<const std::string>;

void plain(Files files, const fs::path& folder) {
  static_cast<void>(fs::create_directories(folder));
  for (const std::string& file : files) {
    std::string name = (folder / "XXXXXX").string();
    const int handle = ::mkostemp(name.data(), O_CLOEXEC);
    if (::write(handle, file.data(), file.size()) != static_cast<ssize_t>(file.size()) || ::fsync(handle) != 0)
      throw Error(Code::output_failed, "writing plainly");
    ::close(handle);
  }
}

StagedFile staged(const Archive& archive, const std::string& text) {
  StagedFile file = archive.stage();
  file.add(std::as_bytes(std::span(text)));
  return file;
}

void check(const Stored& stored) {
  if (stored.outcome != Stored::Outcome::stored) throw Error(Code::internal, "not stored: " + stored.why);
}

void in_batches(Archive& archive, Files files, std::size_t batch) {
  for (std::size_t first = 0; first < files.size(); first += batch) {
    std::vector<StagedFile> some;
    for (std::size_t i = first; i < std::min(first + batch, files.size()); ++i) some.push_back(staged(archive, files[i]));
    for (const Stored& stored : archive.store(some, "bench")) check(stored);
  }
}

void by_threads(const std::function<void(Files)>& body, Files files, int count) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < count; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < files.size(); i = next++) body(files.subspan(i, 1));
    });
}

/// One way of storing, with an archive or a folder of its own, and how long it took so far.
struct Way {
  std::string name;
  std::function<void(Files)> body;
  double seconds = 0;
};

// The ways take turns, so that what else the machine does falls on all of them.
void store_all(const fs::path& from, const fs::path& work) {
  constexpr std::size_t turn = 50;
  const std::vector<std::string> files = contents(from);
  const auto index = [](const fs::path& file) { return io::dicom::web_index(file); };
  std::vector<std::unique_ptr<Archive>> archives;
  std::vector<Way> ways;
  const auto one_by_one = [](Archive& archive) { return [&archive](Files some) { in_batches(archive, some, 1); }; };
  for (const int threads : {1, 4, 16}) {
    const std::string by = " by " + std::to_string(threads);
    ways.push_back({"written plainly, fsync each," + by, [=](Files some) { by_threads([&](Files one) { plain(one, work / "plain"); }, some, threads); }});
    archives.push_back(std::make_unique<Archive>(work / std::to_string(archives.size()), index));
    ways.push_back({"stored one by one," + by, [=, body = one_by_one(*archives.back())](Files some) { by_threads(body, some, threads); }});
  }
  for (const std::size_t batch : {std::size_t{10}, turn}) {
    archives.push_back(std::make_unique<Archive>(work / std::to_string(archives.size()), index));
    ways.push_back({"stored, batches of " + std::to_string(batch), [batch, &archive = *archives.back()](Files some) { in_batches(archive, some, batch); }});
  }
  for (std::size_t first = 0; first < files.size(); first += turn)
    for (Way& way : ways) way.seconds += seconds_of([&] { way.body(Files(files).subspan(first, std::min(turn, files.size() - first))); });
  const double plainly = ways.front().seconds;
  for (const Way& way : ways)
    std::cout << way.name << ": " << static_cast<double>(files.size()) / way.seconds << " /s, " << plainly / way.seconds << " of plain writing by 1\n";
  archives.clear();
  fs::remove_all(work);
}

std::string attribute(const char* tag, const char* vr, const std::string& value) {
  return std::string("\"") + tag + R"(":{"vr":")" + vr + R"(","Value":[)" + value + "]}";
}

StoredInstance made(std::int64_t number) {
  const std::int64_t slice = number % 50, series = number / 50, study = number / 150;
  const std::string study_uid = "1.2." + std::to_string(study), series_uid = "1.3." + std::to_string(series), uid = "1.4." + std::to_string(number);
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  std::string json = "{" + attribute("00080016", "UI", quoted("1.2.840.10008.5.1.4.1.1.2")) + ',' + attribute("00080018", "UI", quoted(uid)) + ',' +
                     attribute("00080020", "DA", quoted(std::to_string(20200101 + study % 28))) + ',' + attribute("00080050", "SH", quoted("A" + std::to_string(study))) + ',' +
                     attribute("00080060", "CS", quoted(series % 3 == 0 ? "CT" : "MR")) + ',' + attribute("00081030", "LO", quoted("Study " + std::to_string(study))) + ',' +
                     attribute("00100010", "PN", "{\"Alphabetic\":\"Name" + std::to_string(study) + "^First\"}") + ',' + attribute("00100020", "LO", quoted("P" + std::to_string(study))) + ',' +
                     attribute("0020000D", "UI", quoted(study_uid)) + ',' + attribute("0020000E", "UI", quoted(series_uid)) + ',' +
                     attribute("00200011", "IS", std::to_string(series)) + ',' + attribute("00200013", "IS", std::to_string(slice));
  for (int i = 0; i < 60; ++i) json += ',' + attribute(("0009" + std::to_string(1000 + i)).c_str(), "LO", quoted("private value " + std::to_string(number + i)));
  StoredInstance out{{study_uid, series_uid, uid, "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", json + "}", {{{4000, 524288}}}, false, 512, 512, 1}, std::string(64, 'a'), 528288};
  return out;
}

void ask_all(std::int64_t count, const fs::path& work) {
  const auto catalogue = open_sqlite_catalogue(work);
  const double filled = seconds_of([&] {
    for (std::int64_t first = 0; first < count; first += 1000) {
      std::vector<StoredInstance> some;
      for (std::int64_t i = first; i < std::min(first + 1000, count); ++i) some.push_back(made(i));
      static_cast<void>(catalogue->add(some));
    }
  });
  std::cout << "rows added: " << static_cast<double>(count) / filled << " /s\n";
  const std::string some = std::to_string(count / 300), series = std::to_string(count / 100), instance = std::to_string(count / 2);
  const std::vector<std::pair<std::string, Search>> asked{
      {"newest 100 studies", {}}, {"study by name", {Level::study, {{"00100010", "name" + some + "*"}}, {}, {}, false, 100, 0}},
      {"study by fuzzy name", {Level::study, {{"00100010", "first name" + some}}, {}, {}, true, 100, 0}},
      {"study by id", {Level::study, {{"00100020", "P" + some}}, {}, {}, false, 100, 0}},
      {"studies of a range of days", {Level::study, {{"00080020", "20200105-20200107"}}, {}, {}, false, 100, 0}},
      {"studies by modality and description", {Level::study, {{"00080061", "MR"}, {"00081030", "*" + some}}, {}, {}, false, 100, 0}},
      {"studies, a page far behind", {Level::study, {}, {}, {}, false, 100, count / 300}},
      {"series of a study", {Level::series, {}, "1.2." + some, {}, false, 100, 0}}, {"100 series of all", {Level::series, {}, {}, {}, false, 100, 0}},
      {"instances of a series", {Level::instance, {}, "1.2." + some, {}, false, 100, 0}}, {"100 instances of all", {Level::instance, {}, {}, {}, false, 100, 0}},
      {"instance by uid", {Level::instance, {{"00080018", "1.4." + instance}}, {}, {}, false, 100, 0}},
      {"instances by number, of all", {Level::instance, {{"00200013", "7"}}, {}, {}, false, 100, 0}}};
  for (const auto& [name, search] : asked)
    for (const bool counted : {false, true}) {
      std::vector<double> times;
      const double before = cpu_ms();
      for (int i = 0; i < 40; ++i)
        times.push_back(seconds_of([&] { counted ? static_cast<void>(catalogue->count(search)) : static_cast<void>(catalogue->search(search)); }));
      std::sort(times.begin(), times.end());
      std::cout << (counted ? "  how many " : "") << name << ": " << times[37] * 1e3 << " ms, " << (cpu_ms() - before) / 40 << " of CPU on average" << std::endl;
    }
  std::vector<double> times;
  for (int i = 0; i < 40; ++i) times.push_back(seconds_of([&] { static_cast<void>(catalogue->instances({}, "1.3." + series, {})); }));
  std::sort(times.begin(), times.end());
  std::cout << "metadata of 50 instances: " << times[37] * 1e3 << " ms" << std::endl;
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count == 4 && std::string(words[1]) == "--search") ask_all(std::stoll(words[2]), words[3]);
    else if (count == 3) store_all(words[1], words[2]);
    else return 2;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 9;
  }
}
