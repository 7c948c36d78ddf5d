// Requests a second and the time of 95 of 100, of a small answer and of one frame of 512 KiB, over kept connections of
// this machine: what HTTP itself costs, without archive and workers. Prints one line a case.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server/http/client_test.h"
#include "server/http/server.h"

namespace {

using namespace penta::server;
using Clock = std::chrono::steady_clock;

std::vector<double> ask_ms(std::uint16_t port, const char* path, int count) {
  Client client(port);
  std::vector<double> out;
  for (int i = 0; i < count; ++i) {
    const auto begun = Clock::now();
    if (client.ask("GET", path).status != 200) return {};
    out.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
  }
  return out;
}

void measure(std::uint16_t port, const char* path, int clients, int count) {
  std::vector<std::vector<double>> times(static_cast<std::size_t>(clients));
  const auto begun = Clock::now();
  std::vector<std::thread> threads;
  for (auto& own : times) threads.emplace_back([&] { own = ask_ms(port, path, count); });
  for (auto& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  std::vector<double> all;
  for (const auto& own : times) all.insert(all.end(), own.begin(), own.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) return;
  std::printf("%-7s %3d clients  %8.0f requests/s  median %6.3f ms  p95 %6.3f ms\n", path, clients,
              static_cast<double>(all.size()) / seconds, all[all.size() / 2], all[all.size() * 95 / 100]);
}

}  // namespace

int main() {
  const auto file = std::filesystem::temp_directory_path() / ("penta_frame_" + std::to_string(::getpid()));
  std::ofstream(file) << std::string(600'000, 'x');
  HttpSettings settings;
  settings.port = 0;
  const HttpServer server(
      settings,
      {{"GET", "/small", [](const Request&) { return json_response(penta::Json::object().set("status", "ok")); }},
       {"GET", "/frame", [file](const Request&) {
          return Response{
              200, {{"Content-Type", "application/octet-stream"}}, PiecesBody{FileBody{file, 1000, 512 * 1024}}};
        }}});
  for (const int clients : {1, 4}) {
    measure(server.port(), "/small", clients, 20'000 / clients);
    measure(server.port(), "/frame", clients, 4'000 / clients);
  }
  std::filesystem::remove(file);
}
