#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "apps/cli/commands.h"
#include "apps/cli/import.h"
#include "core/error.h"
#include "engine/jobs/rules.h"
#include "engine/save.h"
#include "server/api/api.h"
#include "server/api/config.h"
#include "server/api/ohif.h"
#include "server/dicomweb/dicomweb.h"
#include "server/dimse/dimse.h"
#include "server/http/server.h"

namespace penta::cli {

namespace {

namespace fs = std::filesystem;

std::uint16_t port_of(const Given& given, const std::string& name, std::uint16_t otherwise) {
  const std::int64_t port = whole_number(given, name, otherwise);
  if (port > 65535) throw Error(Code::wrong_use, "--" + name + " " + given.one(name) + ": a port is at most 65535");
  return static_cast<std::uint16_t>(port);
}

server::Config config_of(const Given& given, const fs::path& data) {
  server::Config config = server::read_config(data / "penta.json");
  config.http.port = port_of(given, "port", config.http.port);
  config.http.address = given.one_or("address", config.http.address);
  config.http.on_fault = [](const std::string& fault) { std::fprintf(stderr, "penta serve: %s\n", fault.c_str()); };
  config.dicom = config.dicom || given.has("dicom-port");
  config.dimse.port = port_of(given, "dicom-port", config.dimse.port);
  config.dimse.address = config.http.address;
  config.ohif = config.ohif || given.has("ohif-port") || given.has("ohif");
  config.ohif_port = port_of(given, "ohif-port", config.ohif_port);
  config.ohif_folder = given.one_or("ohif", config.ohif_folder);
  return config;
}

// Where tools/web.sh puts the page: beside the folder of the program, or in $PENTA_WEB.
fs::path page_folder(const fs::path& program) {
  if (const char* set = std::getenv("PENTA_WEB")) return set;
  return program.parent_path().parent_path() / "web";
}

// Results go to peers from here on, and studies come from them.
std::unique_ptr<server::DimseServer> serve_dicom(const server::Config& config, engine::Archive& archive, engine::JobQueue& queue,
                                                 const server::Transcode& transcode) {
  queue.set_sender([config, transcode](const std::string& name, std::span<const fs::path> files) {
    for (const server::DicomPeer& peer : config.dimse.peers)
      if (peer.name == name) return server::send_to(peer, config.dimse.ae_title, files, transcode);
    throw Error(Code::output_failed, "there is no peer '" + name + "'");
  });
  if (!config.dicom) return nullptr;
  server::DimseSettings settings = config.dimse;
  settings.transcode = transcode;
  return std::make_unique<server::DimseServer>(std::move(settings), archive);
}

// OHIF needs the root of a site, so it has a server of its own.
std::unique_ptr<server::HttpServer> serve_ohif(const server::Config& config, const fs::path& program, std::uint16_t dicomweb_port) {
  if (!config.ohif) return nullptr;
  const fs::path folder = config.ohif_folder.empty() ? program.parent_path().parent_path() / "ohif" : fs::path(config.ohif_folder);
  if (!fs::is_regular_file(folder / "index.html"))
    throw Error(Code::wrong_use, "'" + folder.string() + "' is no built OHIF (it has no index.html): run tools/ohif.sh, or name its folder by --ohif");
  server::HttpSettings settings = config.http;
  settings.port = config.ohif_port;
  return std::make_unique<server::HttpServer>(std::move(settings), server::ohif_routes(folder, dicomweb_port));
}

// Signals that end the server are waited for by one thread; all others, made after this, leave them alone.
sigset_t hold_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ending;
}

// Whether a signal that ends the server waits to be taken.
bool is_ending() {
  sigset_t waiting;
  sigpending(&waiting);
  return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1;
}

std::string host_text(const std::string& address) { return address.find(':') == std::string::npos ? address : "[" + address + "]"; }

int run_serve(const Given& given) {
  const fs::path data = fs::absolute(given.one_or("data", "penta-data"));
  const sigset_t ending = hold_signals();
  const server::Config config = config_of(given, data);
  engine::make_folder(data);
  const fs::path program = fs::read_symlink("/proc/self/exe");
  engine::Workers workers(program, config.workers, config.worker);
  engine::Archive archive(data, [&](const fs::path& file) { return workers.index(file); }, config.workers);
  engine::JobQueue queue(archive, {program, data / "results", config.jobs_at_once, config.job_attempts, config.jobs_memory_gb, server::peer_names(config), config.job_seconds});
  archive.on_stored([&](const std::string& study, const std::string& series) {
    queue.tell({"study", Json::object().set("study_uid", study).set("series_uid", series)});
  });
  const engine::Rules rules(archive, queue, config.rules, config.quiet, data / "waiting");
  const auto dimse = serve_dicom(config, archive, queue, [&](const fs::path& file, const std::string& syntax) { return workers.transcoded(file, syntax); });
  server::Routes routes = server::api_routes(archive, queue, {version_text(), server::rules_json(config)});
  for (auto& more : {server::dicomweb_routes(archive, workers), server::page_routes(page_folder(program))})
    routes.insert(routes.end(), more.begin(), more.end());
  const server::HttpServer http(config.http, std::move(routes));
  const auto ohif = serve_ohif(config, program, http.port());
  if (given.has("import")) import_files(archive, given.one("import"), [&] { return is_ending(); });
  std::cout << "http://" << host_text(config.http.address) << ":" << http.port() << "/";
  if (dimse) std::cout << ", DICOM " << config.dimse.ae_title << " at port " << dimse->port();
  if (ohif) std::cout << ", OHIF http://" << host_text(config.http.address) << ":" << ohif->port() << "/";
  std::cout << " (data in " << data.string() << ")" << std::endl;
  int signal = 0;
  while (sigwait(&ending, &signal) != 0) continue;
  queue.tell({"closing", Json()});  // ends the streams of events
  return 0;
}

}  // namespace

Command serve_command() {
  using enum Option::Kind;
  Command command{"serve", "a server with a page, DICOMweb and DIMSE, for this machine only (docs/guide/server.md)", {}, run_serve, {}};
  command.options = {{one, "--port", "of the page and DICOMweb (default 8042; 0: any free one)", false},
                     {one, "--data", "the folder for studies and results (default penta-data)", false},
                     {one, "--import", "a folder: its DICOM files are stored first", false},
                     {one, "--dicom-port", "serve DIMSE too, at this port", false},
                     {one, "--ohif-port", "serve the OHIF viewer too, at this port", false},
                     {one, "--ohif", "the folder of the built OHIF (default build/ohif, made by tools/ohif.sh)", false},
                     {one, "--address", "to listen at: 127.0.0.1 (default) or ::1", false}};
  return command;
}

}  // namespace penta::cli
