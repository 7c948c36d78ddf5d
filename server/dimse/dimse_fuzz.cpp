#include <cstddef>
#include <cstdint>

#include "server/dimse/command.h"
#include "server/dimse/elements.h"
#include "server/dimse/query.h"

/// What the network part parses itself: command sets, identifiers, the head of a data set, the meta header.
namespace penta::server::dimse {

static void read_all(std::span<const std::byte> bytes) {
  if (const auto command = read_command(bytes)) static_cast<void>(to_bytes(answer_to(*command, 0, command->comment)));
  for (const Encoding encoding : {Encoding::implicit_little, Encoding::explicit_little, Encoding::explicit_big}) {
    static_cast<void>(head_uids(bytes, encoding));
    if (const auto query = read_query(bytes, encoding)) {
      static_cast<void>(search_of(*query));
      static_cast<void>(match_bytes(*query, {}, "PENTA", encoding));
    }
  }
  static_cast<void>(data_set_offset(bytes));
}

}  // namespace penta::server::dimse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  penta::server::dimse::read_all({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
