#include "core/control.h"

#include "core/error.h"

namespace penta {

void Control::check_cancelled() const {
  if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) throw Error(Code::cancelled, "cancelled");
}

}  // namespace penta
