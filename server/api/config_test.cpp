#include "server/api/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace penta::server {
namespace {

Config read_text(const std::string& text) {
  const auto file = std::filesystem::temp_directory_path() / ("penta-config-" + std::to_string(getpid()) + ".json");
  std::ofstream(file) << text;
  try {
    Config config = read_config(file);
    std::filesystem::remove(file);
    return config;
  } catch (...) {
    std::filesystem::remove(file);
    throw;
  }
}

std::string refusal(const std::string& text) {
  try {
    (void)read_text(text);
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::wrong_use);
    return fault.what();
  }
  return "";
}

TEST(Config, WithoutAFileIsTheUsualOne) {
  const Config config = read_config("/nowhere/penta.json");
  EXPECT_EQ(config.http.port, 8042);
  EXPECT_EQ(config.http.address, "127.0.0.1");
  EXPECT_FALSE(config.dicom);
}

TEST(Config, TakesAllThatItKnows) {
  const Config config = read_text(R"({"http":{"port":81,"address":"::1"},"workers":3,
      "rules":[{"when":{"modality":"CT"},"run":["report"],"send_to":["PACS"]}],
      "dicom":{"ae_title":"HERE","port":104,"peers":[{"name":"PACS","ae_title":"THERE","host":"127.0.0.1","port":105}]},
      "limits":{"worker_seconds":5,"jobs_memory_gb":2.5,"quiet_seconds":0.5},"ohif":{"port":106,"folder":"/viewer"}})");
  EXPECT_EQ(config.http.port, 81);
  EXPECT_EQ(config.workers, 3);
  EXPECT_TRUE(config.dicom);
  ASSERT_EQ(config.dimse.peers.size(), 1U);
  EXPECT_EQ(config.dimse.peers[0].port, 105);
  ASSERT_EQ(config.rules.size(), 1U);
  EXPECT_TRUE(config.ohif);
  EXPECT_EQ(config.ohif_port, 106);
  EXPECT_EQ(config.ohif_folder, "/viewer");
  EXPECT_EQ(config.worker.seconds.count(), 5);
  EXPECT_EQ(config.quiet.count(), 500);
}

TEST(Config, NamesWhatIsUnknownOrWrong) {
  EXPECT_NE(refusal(R"({"htpt":{}})").find("'htpt'"), std::string::npos);
  EXPECT_NE(refusal(R"({"http":{"prot":1}})").find("'http.prot'"), std::string::npos);
  EXPECT_NE(refusal(R"({"http":{"port":70000}})").find("port"), std::string::npos);
  EXPECT_NE(refusal(R"({"workers":"two"})").find("workers"), std::string::npos);
  EXPECT_NE(refusal(R"({"dicom":{"peers":[{"name":"A"}]}})").find("ae_title"), std::string::npos);
  EXPECT_NE(refusal(R"({"dicom":{"ae_title":"MORE THAN 16 CHARACTERS"}})").find("AE title"), std::string::npos);
  EXPECT_NE(refusal(R"({"rules":[{"run":["report"],"send_to":["NOBODY"]}]})").find("NOBODY"), std::string::npos);
  EXPECT_NE(refusal("{").find("penta-config"), std::string::npos);
}

}  // namespace
}  // namespace penta::server
