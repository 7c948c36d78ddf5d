#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "io/nifti/nifti.h"

namespace {

using penta::io::nifti::Compression;

/// What was read must be written and read again, alone and as a pair.
void write_and_read(const penta::Image& image) {
  namespace nifti = penta::io::nifti;
  (void)nifti::read(nifti::write(image, Compression::gzip), "again.nii.gz");
  const nifti::Pair pair = nifti::write_pair(image);
  (void)nifti::read(pair.header, "again.hdr", [&](const std::string&) { return pair.voxels; });
}

template <class Body>
void expect_error(Body body) {
  try {
    body();
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
}

}  // namespace

/// Any bytes must give an image, labels, or an Error. The bytes behind the first 352 are also the .img of a pair.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto rest = bytes.subspan(std::min<std::size_t>(size, 352));
  const penta::io::ReadBeside beside = [&](const std::string&) {
    return std::vector<std::byte>(rest.begin(), rest.end());
  };
  (void)penta::io::nifti::sniff(bytes);
  expect_error([&] { write_and_read(penta::io::nifti::read(bytes, "fuzz.hdr", beside)); });
  expect_error([&] { (void)penta::io::nifti::read_labels(bytes, "fuzz.hdr", beside); });
  return 0;
}
