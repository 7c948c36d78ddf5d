#include "io/tiff/memory.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "core/error.h"

namespace penta::io::tiff {

namespace {

// Sixteen thousand pixels square of RGB in one strip fit; more in one piece is no picture of this field.
constexpr tmsize_t allocation_bytes_max = tmsize_t{1} << 30;

}  // namespace

/// What libtiff calls for its file and its messages; `self` is the Memory.
struct Memory::Calls {
  static std::size_t size(const Memory& m) { return m.writes_ ? m.output_.size() : m.input_.size(); }

  static tmsize_t read(thandle_t self, void* buffer, tmsize_t count) {
    auto& m = *static_cast<Memory*>(self);
    const std::byte* data = m.writes_ ? m.output_.data() : m.input_.data();
    const std::size_t left = m.at_ < size(m) ? size(m) - m.at_ : 0;
    const std::size_t take = std::min(left, static_cast<std::size_t>(std::max<tmsize_t>(count, 0)));
    if (take > 0) std::memcpy(buffer, data + m.at_, take);
    m.at_ += take;
    return static_cast<tmsize_t>(take);
  }
  static tmsize_t write(thandle_t self, void* buffer, tmsize_t count) {
    auto& m = *static_cast<Memory*>(self);
    if (!m.writes_ || count < 0) return -1;
    const auto bytes = static_cast<std::size_t>(count);
    if (m.output_.size() < m.at_ + bytes) m.output_.resize(m.at_ + bytes);
    if (bytes > 0) std::memcpy(m.output_.data() + m.at_, buffer, bytes);
    m.at_ += bytes;
    return count;
  }
  static toff_t seek(thandle_t self, toff_t offset, int whence) {
    auto& m = *static_cast<Memory*>(self);
    const std::size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m.at_ : size(m);
    m.at_ = base + static_cast<std::size_t>(offset);
    return m.at_;
  }
  static int close(thandle_t /*self*/) { return 0; }
  static toff_t file_size(thandle_t self) { return size(*static_cast<Memory*>(self)); }

  static int say(::TIFF* /*tiff*/, void* self, const char* /*module*/, const char* format, va_list arguments) {
    auto& m = *static_cast<Memory*>(self);
    if (!m.fault_.empty()) return 1;
    std::array<char, 200> text{};
    // libtiff's messages are printf's; there is no other form of them.
    std::vsnprintf(text.data(), text.size(), format, arguments);
    m.fault_ = text.data();
    return 1;
  }
  static int hush(::TIFF* /*tiff*/, void* /*self*/, const char* /*module*/, const char* /*format*/, va_list /*a*/) {
    return 1;
  }

  static ::TIFF* open(Memory& m, const char* mode) {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   &TIFFOpenOptionsFree);
    if (!options) return nullptr;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), allocation_bytes_max);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), say, &m);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), hush, &m);
    return TIFFClientOpenExt("memory", mode, &m, read, write, seek, close, file_size, nullptr, nullptr, options.get());
  }
};

Memory::Memory(std::span<const std::byte> bytes, std::string doing) : doing_(std::move(doing)), input_(bytes) {
  handle_ = Calls::open(*this, "rm");
  if (handle_ == nullptr) fail("it cannot be opened");
}

Memory::Memory(bool big) : doing_("writing TIFF: "), writes_(true) {
  handle_ = Calls::open(*this, big ? "wl8" : "wl");
  if (handle_ == nullptr) throw Error(Code::internal, doing_ + "libtiff gives no file");
}

Memory::~Memory() {
  if (handle_ != nullptr) TIFFClose(handle_);
}

void Memory::fail(const std::string& what) const {
  throw Error(Code::bad_input, doing_ + what + (fault_.empty() ? "" : " (" + fault_ + ")"));
}

std::vector<std::byte> Memory::finish() {
  TIFFClose(handle_);
  handle_ = nullptr;
  if (!fault_.empty()) throw Error(Code::internal, doing_ + fault_);
  return std::move(output_);
}

}  // namespace penta::io::tiff
