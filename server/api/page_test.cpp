#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/api/api.h"

namespace penta::server {
namespace {

namespace fs = std::filesystem;

/// A built page of two files, and a file beside its folder that is nobody's.
class PageRoutes : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("penta-page-" + std::to_string(getpid()));
    fs::create_directories(root_ / "web" / "assets");
    std::ofstream(root_ / "web" / "index.html") << "<p>page";
    std::ofstream(root_ / "web" / "assets" / "page.js") << "1";
    std::ofstream(root_ / "secret") << "2";
  }
  void TearDown() override { fs::remove_all(root_); }

  /// The name of the file that a path gives, or "404".
  std::string file_of(const std::string& rest) const {
    Request request;
    request.vars["rest"] = rest;
    try {
      const Response answer = page_routes(root_ / "web").back().handler(request);
      return std::get<FileBody>(answer.body).path.filename();
    } catch (const HttpError& fault) {
      return std::to_string(fault.status());
    }
  }

  fs::path root_;
};

TEST_F(PageRoutes, PhantomEveryPlaceOfThePageIsThePage) {
  for (const char* place : {"", "jobs", "study/1.2.840.113619", "task/segmentation", "nothing.html"}) EXPECT_EQ(file_of(place), "index.html") << place;
  EXPECT_EQ(file_of("assets/page.js"), "page.js");
}

TEST_F(PageRoutes, PhantomWhatProgramsAskForIsThereOrNot) {
  for (const char* name : {"assets/old.js", "api/nothing", "api", "dicomweb/nothing"}) EXPECT_EQ(file_of(name), "404") << name;
}

TEST_F(PageRoutes, PhantomNothingOutsideTheFolder) {
  for (const char* name : {"../secret", "/secret"}) EXPECT_EQ(file_of(name), "index.html") << name;
  EXPECT_EQ(file_of("assets/../../secret"), "404");
}

}  // namespace
}  // namespace penta::server
