#include "engine/warm.h"

#include "nn/warm.h"

namespace penta::engine {

void warm(const Methods& methods, const Method& method) noexcept {
  try {
    std::vector<std::string> keys{method.card().key()};
    for (const Gate::Recognised& wanted : method.card().gate.recognised)
      for (const Method* recogniser : methods.suppliers(wanted.method)) keys.push_back(recogniser->card().key());
    nn::warm(methods.models(), keys);
  } catch (...) {
    return;  // what is not warm is read when it is needed
  }
}

}  // namespace penta::engine
