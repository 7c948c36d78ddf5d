#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "apps/cli/commands.h"
#include "core/error.h"

namespace {

// The one place where an error becomes an exit code and a line on standard error.
int say(const penta::Error& fault) {
  const penta::CodeRow& row = penta::code_row(fault.code());
  std::fprintf(stderr, "penta: %s (%s)\n", fault.what(), std::string(row.what_to_do).c_str());
  return row.exit_code;
}

int run(int argc, char** argv) {
  try {
    return penta::cli::parse_and_run(penta::cli::all_commands(), penta::cli::version_text(), argc, argv);
  } catch (const penta::Error& fault) {
    return say(fault);
  } catch (const std::bad_alloc&) {
    return say(penta::Error(penta::Code::out_of_memory, "the machine's memory does not suffice"));
  } catch (const std::filesystem::filesystem_error& fault) {
    return say(penta::Error(penta::Code::bad_input, fault.what()));
  } catch (const std::exception& fault) {
    return say(penta::Error(penta::Code::internal, fault.what()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int exit_code = run(argc, argv);
  // What was written is whole by now. To take the libraries of networks down piece by piece costs 20 ms for nothing.
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(exit_code);
}
