// A DICOM server on a folder, for tests/peers/dimse.py and its speed: dimse_server FOLDER [AE_TITLE HOST PORT]...
// Says its port on the first line and runs until its standard input ends.
#include <cstdio>
#include <iostream>
#include <string>

#include "io/dicom/web.h"
#include "server/dimse/dimse.h"

int main(int argc, char** argv) {
  using namespace penta;
  engine::Archive archive(argv[1], [](const std::filesystem::path& file) { return io::dicom::web_index(file); });
  server::DimseSettings settings;
  settings.port = 0;
  for (int i = 2; i + 2 < argc; i += 3)
    settings.peers.push_back({argv[i], argv[i], argv[i + 1], static_cast<std::uint16_t>(std::stoi(argv[i + 2]))});
  const server::DimseServer server(settings, archive);
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {}
  return 0;
}
