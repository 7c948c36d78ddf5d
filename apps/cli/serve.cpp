#include "apps/cli/commands.h"
#include "core/error.h"

namespace penta::cli {

Command serve_command() {
  return {"serve", "a server with a page, DICOMweb and DIMSE", {}, [](const Given&) -> int { throw Error(Code::wrong_use, "not here yet"); }, {}};
}

}  // namespace penta::cli
