#include "io/packed.h"

#include <libdeflate.h>

#include <memory>

#include "core/error.h"

namespace penta::io {

namespace {

struct Free {
  void operator()(libdeflate_compressor* it) const noexcept { libdeflate_free_compressor(it); }
  void operator()(libdeflate_decompressor* it) const noexcept { libdeflate_free_decompressor(it); }
};

}  // namespace

std::vector<std::byte> packed(std::string_view text) {
  const std::unique_ptr<libdeflate_compressor, Free> packer(libdeflate_alloc_compressor(1));
  if (!packer) throw Error(Code::internal, "packing a text: no memory");
  std::vector<std::byte> out(libdeflate_deflate_compress_bound(packer.get(), text.size()));
  out.resize(libdeflate_deflate_compress(packer.get(), text.data(), text.size(), out.data(), out.size()));
  return out;
}

std::string unpacked(std::span<const std::byte> bytes, std::size_t size) {
  const std::unique_ptr<libdeflate_decompressor, Free> unpacker(libdeflate_alloc_decompressor());
  std::string out(size, '\0');
  if (!unpacker || libdeflate_deflate_decompress(unpacker.get(), bytes.data(), bytes.size(), out.data(), size, nullptr) !=
                       LIBDEFLATE_SUCCESS)
    throw Error(Code::internal, "unpacking a text: its bytes are damaged");
  return out;
}

}  // namespace penta::io
