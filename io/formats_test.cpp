#include "io/formats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "core/error.h"
#include "io/metaimage/metaimage.h"
#include "io/nifti/nifti.h"
#include "io/nrrd/nrrd.h"

namespace penta::io {
namespace {

namespace fs = std::filesystem;

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("penta_formats_" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), {}));
  }

 private:
  fs::path path_;
};

Code code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::internal;
}

TEST(Formats, InverseOfWriteIsRead) {
  const Folder folder;
  const std::vector<std::byte> bytes(10000, std::byte{42});
  write_file(folder / "a", bytes);
  write_file(folder / "a", bytes);
  EXPECT_EQ(read_file(folder / "a"), bytes);
  EXPECT_EQ(folder.count(), 1U);
}

TEST(Formats, TheFirstBytesSayTheFormat) {
  const Folder folder;
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(Volume<float>(Grid({2, 2, 2}, {1, 1, 1})));
  image.pixels = std::move(volumes);
  write_file(folder / "odd.name", nifti::write(image));
  EXPECT_EQ(format_of(folder / "odd.name"), "NIfTI");
  EXPECT_TRUE(read_image(folder / "odd.name").is_volume());
  write_file(folder / "odd.name", nrrd::write(image));
  EXPECT_EQ(format_of(folder / "odd.name"), "NRRD");
  EXPECT_TRUE(read_image(folder / "odd.name").is_volume());
  write_file(folder / "odd.name", metaimage::write(image));
  EXPECT_EQ(format_of(folder / "odd.name"), "MetaImage");
  EXPECT_TRUE(read_image(folder / "odd.name").is_volume());
  std::ofstream(folder / "text.png") << "no picture";
  EXPECT_EQ(format_of(folder / "text.png"), "");
  EXPECT_EQ(code_of([&] { (void)read_image(folder / "text.png"); }), Code::bad_input);
}

TEST(Formats, WhatCannotBeDoneIsNamed) {
  const Folder folder;
  const std::vector<std::byte> bytes(10);
  EXPECT_EQ(code_of([&] { (void)read_file(folder / "none"); }), Code::bad_input);
  EXPECT_EQ(code_of([&] { (void)read_file(folder / "."); }), Code::bad_input);
  write_file(folder / "ten", bytes);
  EXPECT_EQ(code_of([&] { (void)read_file(folder / "ten", 9); }), Code::bad_input);
  EXPECT_EQ(code_of([&] { write_file(folder / "no_folder/a", bytes); }), Code::output_failed);
  EXPECT_EQ(format_of(folder / "none"), "");
  fs::create_directory(folder / "taken");
  EXPECT_EQ(code_of([&] { write_file(folder / "taken", bytes); }), Code::output_failed);
  EXPECT_EQ(folder.count(), 2U);
}

}  // namespace
}  // namespace penta::io
