#pragma once

#include <tiffio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penta::io::tiff {

/// A TIFF in memory behind libtiff's handle, with its messages kept instead of printed.
class Memory {
 public:
  /// For reading. Throws Error{bad_input} that starts with `doing`.
  Memory(std::span<const std::byte> bytes, std::string doing);
  /// For writing; `big` for more than 4 GiB.
  explicit Memory(bool big);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  [[nodiscard]] ::TIFF* handle() const noexcept { return handle_; }
  [[nodiscard]] const std::string& doing() const noexcept { return doing_; }
  /// Throws Error{bad_input} with what libtiff said last.
  [[noreturn]] void fail(const std::string& what) const;
  /// What libtiff warned of while the file was read; the first only.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  /// Ends writing and gives the file.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  struct Calls;
  std::string doing_, fault_;
  std::span<const std::byte> input_;
  std::vector<std::byte> output_;
  bool writes_ = false;
  std::size_t at_ = 0;
  ::TIFF* handle_ = nullptr;
};

}  // namespace penta::io::tiff
