#pragma once

#include "core/results.h"

namespace penta {

/// The case index behind retrieval; the engine owns the one there is.
class CaseIndex {
 public:
  virtual ~CaseIndex() = default;
  [[nodiscard]] virtual Ranking nearest(const Embedding& query, int count) const = 0;
};

}  // namespace penta
