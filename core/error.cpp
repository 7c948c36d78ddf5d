#include "core/error.h"

#include <array>

namespace penta {

namespace {

constexpr std::array<CodeRow, 9> rows{{
    {Code::wrong_use, "wrong use", 2, 400, "see the command's --help"},
    {Code::bad_input, "bad input", 3, 422, "check the file with 'penta info'"},
    {Code::nothing_to_do, "nothing to do", 4, 404, "name a folder or file that holds images"},
    {Code::model_missing, "model or method missing", 5, 404, "see 'penta methods'; a changed model must be restored"},
    {Code::out_of_memory, "out of the memory budget", 6, 507, "raise --memory-gb or crop the image"},
    {Code::cancelled, "cancelled", 7, 499, "run again; --resume goes on where it stopped"},
    {Code::partly_done, "some but not all inputs done", 8, 207, "the remarks name the inputs that failed"},
    {Code::output_failed, "output cannot be written", 9, 507, "check that the folder is writable and the disk not full"},
    {Code::internal, "internal fault", 70, 500, "please report it with the command and the message"},
}};

}  // namespace

const CodeRow& code_row(Code code) noexcept {
  for (const CodeRow& row : rows)
    if (row.code == code) return row;
  return rows.back();
}

void rethrow_with(const Error& cause, std::string_view doing) {
  throw Error(cause.code(), std::string(doing) + ": " + cause.what());
}

}  // namespace penta
