#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "server/http/multipart.h"

namespace {

/// Gives bytes in pieces whose length they say themselves.
class FuzzSource final : public penta::server::BodySource {
 public:
  explicit FuzzSource(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t read(std::span<std::byte> out) override {
    if (bytes_.empty()) return 0;
    const std::size_t step = 1 + std::to_integer<std::size_t>(bytes_[0]);
    const std::size_t count = std::min({step, out.size(), bytes_.size()});
    std::memcpy(out.data(), bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace

/// Any bytes must give parts or a refusal; the first line is taken for the Content-Type, too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string boundary = "b";
  try {
    boundary = penta::server::parse_related(text.substr(0, text.find('\n'))).boundary;
  } catch (const penta::server::HttpError&) {
  }
  try {
    FuzzSource source(bytes);
    penta::server::MultipartReader reader(source, boundary);
    std::size_t content = 0;
    while (reader.next())
      for (auto piece = reader.piece(); !piece.empty(); piece = reader.piece()) content += piece.size();
    if (content > size) std::abort();
  } catch (const penta::server::HttpError&) {
  }
  return 0;
}
