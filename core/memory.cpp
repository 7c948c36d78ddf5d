#include "core/memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace penta {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::align_val_t alignment{64};

// Under the address sanitizer every block comes from its heap, which knows where it ends.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t mapped_from = SIZE_MAX;
#else
constexpr std::size_t mapped_from = 2 * huge_page;
#endif

std::size_t rounded(std::size_t bytes) noexcept { return (bytes + huge_page - 1) / huge_page * huge_page; }

// One huge page more than needed is asked for, and what lies before the first boundary and behind the end goes back.
void* mapped(std::size_t bytes) {
  const std::size_t length = rounded(bytes);
  if (length < bytes || length > SIZE_MAX - huge_page) throw std::bad_alloc();
  void* all = mmap(nullptr, length + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw std::bad_alloc();
  auto* first = static_cast<std::byte*>(all);
  const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(all) % huge_page) % huge_page;
  if (before > 0) munmap(first, before);
  munmap(first + before + length, huge_page - before);
  // A request: without huge pages the memory is the same, only slower at the first touch.
  static_cast<void>(madvise(first + before, length, MADV_HUGEPAGE));
  return first + before;
}

}  // namespace

void* zeroed_memory(std::size_t bytes) {
  if (bytes >= mapped_from) return mapped(bytes);
  void* memory = ::operator new[](bytes, alignment);
  std::memset(memory, 0, bytes);
  return memory;
}

void release_memory(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  if (bytes >= mapped_from) munmap(memory, rounded(bytes));
  else ::operator delete[](memory, alignment);
}

}  // namespace penta
