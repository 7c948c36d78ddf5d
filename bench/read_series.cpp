// Reads (or writes) what bench/read.py asks for, once a line of standard input, and says how long it took.
//
// usage: bench_read_series dicom FOLDER | nifti FILE | write FILE OUT      (THREADS in the environment, default 2)
// lines: run -> seconds; dump FILE -> voxels as int16 and the shape; peak -> peak RSS in KiB; anything else ends it

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>

#include "core/error.h"
#include "core/parallel.h"
#include "io/dicom/dicom.h"
#include "io/formats.h"
#include "io/nifti/nifti.h"

namespace {

namespace fs = std::filesystem;

penta::Image read_series(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator(folder)) files.push_back(item.path());
  const auto catalogue = penta::io::dicom::scan(files);
  if (catalogue.series.size() != 1)
    throw penta::Error(penta::Code::bad_input, "one series is expected in " + folder.string());
  return std::get<penta::Image>(penta::io::dicom::read(catalogue.series.front()));
}

void dump(const penta::Image& image, const fs::path& path) {
  const auto& volume = std::get<penta::Volume<std::int16_t>>(image.volume());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(volume.voxels().data()),
             static_cast<std::streamsize>(volume.voxels().size_bytes()));
  for (const std::int64_t n : volume.grid().size()) std::cout << n << ' ';
  std::cout << std::endl;
}

// Not of getrusage: its figure starts at that of the program that started this one.
std::string peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:" && status >> word) return word;
  return "0";
}

int serve(const std::string& what, const fs::path& in, const fs::path& out) {
  std::optional<penta::Image> image;
  if (what == "write") image = penta::io::read_image(in);
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "run") {
      if (what != "write") image.reset();
      const auto begin = std::chrono::steady_clock::now();
      if (what == "dicom") image = read_series(in);
      else if (what == "nifti") image = penta::io::read_image(in);
      else penta::io::write_file(out, penta::io::nifti::write(*image));
      std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() << std::endl;
    } else if (line.starts_with("dump ") && image) {
      dump(*image, line.substr(5));
    } else if (line == "peak") {
      std::cout << peak_kib() << std::endl;
    } else {
      break;
    }
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  const char* threads = std::getenv("THREADS");
  const penta::ThreadLimit limit(threads != nullptr ? std::atoi(threads) : 2);
  try {
    return serve(words[1], words[2], count > 3 ? words[3] : "");
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
