#include "apps/cli/import.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "core/error.h"

namespace penta::cli {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t at_once = 32;

std::vector<fs::path> files_of(const fs::path& from) {
  if (!fs::exists(from)) throw Error(Code::bad_input, "--import: '" + from.string() + "' is not there");
  if (!fs::is_directory(from)) return {from};
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from, fs::directory_options::skip_permission_denied))
    if (entry.is_regular_file() && entry.path().filename().string().front() != '.') files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

engine::StagedFile staged(engine::Archive& archive, const fs::path& path) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::vector<char> buffer(piece);
  engine::StagedFile file = archive.stage();
  std::ifstream in(path, std::ios::binary);
  while (in.read(buffer.data(), static_cast<std::streamsize>(piece)) || in.gcount() > 0)
    file.add(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(in.gcount()))));
  return file;
}

}  // namespace

void import_files(engine::Archive& archive, const fs::path& from, const std::function<bool()>& ends) {
  using Outcome = engine::Stored::Outcome;
  const std::vector<fs::path> files = files_of(from);
  std::size_t stored = 0, same = 0, refused = 0;
  std::string first_refusal;
  for (std::size_t i = 0; i < files.size() && !ends(); i += at_once) {
    std::vector<engine::StagedFile> batch;
    const std::size_t end = std::min(files.size(), i + at_once);
    for (std::size_t k = i; k < end; ++k) batch.push_back(staged(archive, files[k]));
    const std::vector<engine::Stored> outcomes = archive.store(batch, "import");
    for (std::size_t k = 0; k < outcomes.size(); ++k) {
      if (outcomes[k].outcome == Outcome::stored) ++stored;
      else if (outcomes[k].outcome == Outcome::same) ++same;
      else if (refused++ == 0) first_refusal = "'" + files[i + k].string() + "': " + outcomes[k].why;
    }
  }
  std::fprintf(stderr, "penta serve: %zu instances of '%s' taken, %zu were there already, %zu files refused\n", stored, from.c_str(), same, refused);
  if (refused > 0) std::fprintf(stderr, "penta serve: the first that was refused: %s\n", first_refusal.c_str());
}

}  // namespace penta::cli
