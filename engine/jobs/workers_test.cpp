#include "engine/jobs/workers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/test_data.h"

namespace penta::engine {
namespace {

std::filesystem::path program() { return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "penta"; }

bool is_there() { return std::filesystem::exists(program()); }

// A sanitizer ends a process in its own way, and calls what the sandbox bars.
bool is_sanitized() { return std::getenv("PENTA_SANITIZED") != nullptr; }

std::string refusal(Workers& workers, const Json& request, Code code) {
  try {
    (void)workers.ask(request);
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), code) << fault.what();
    return fault.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(Workers, ACrashCostsOneRequest) {
  if (!is_there()) GTEST_SKIP() << "the program is not built";
  if (is_sanitized()) GTEST_SKIP() << "the sandbox and the sanitizer do not go together";
  Workers workers(program(), 1, {});
  const Json crash = Json::object().set("do", "crash"), unknown = Json::object().set("do", "nonsense");
  EXPECT_NE(refusal(workers, crash, Code::internal).find("signal 6"), std::string::npos);
  EXPECT_NE(refusal(workers, unknown, Code::wrong_use).find("nonsense"), std::string::npos);
  EXPECT_NE(refusal(workers, crash, Code::internal).find("signal 6"), std::string::npos);
}

TEST(Workers, ManyAtOnceShareThem) {
  if (!is_there()) GTEST_SKIP() << "the program is not built";
  if (is_sanitized()) GTEST_SKIP() << "the sandbox and the sanitizer do not go together";
  Workers workers(program(), 2, {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      const Json request = Json::object().set("do", i % 2 == 0 ? "crash" : "nonsense");
      (void)refusal(workers, request, i % 2 == 0 ? Code::internal : Code::wrong_use);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(Workers, ABrokenFileIsRefusedWithASentence) {
  if (!is_there()) GTEST_SKIP() << "the program is not built";
  const auto file = std::filesystem::temp_directory_path() / ("penta-broken-" + std::to_string(getpid()));
  std::ofstream(file) << "no DICOM at all";
  Workers workers(program(), 1, {});
  RenderRequest request;
  request.path = file;
  EXPECT_THROW((void)workers.rendered(request), Error);
  std::filesystem::remove(file);
}

// What a worker that was taken over would try.
TEST(Sandbox, BarsWhatAWorkerMustNotDo) {
  if (!is_there()) GTEST_SKIP() << "the program is not built";
  if (is_sanitized()) GTEST_SKIP() << "the sandbox and the sanitizer do not go together";
  Workers workers(program(), 1, {});
  const std::vector<std::byte> answer = workers.ask(Json::object().set("do", "try_forbidden"));
  const std::string text(reinterpret_cast<const char*>(answer.data()), answer.size());
  EXPECT_EQ(text, "socket EPERM, fork EPERM, exec EPERM, write EPERM, ptrace EPERM, thread yes");
}

}  // namespace
}  // namespace penta::engine
