#pragma once

#include <string_view>

#include "core/card.h"

namespace penta::engine {

/// The command of a task: "segment" for segmentation.
[[nodiscard]] constexpr std::string_view verb_of(Task task) noexcept {
  switch (task) {
    case Task::processing: return "process";
    case Task::segmentation: return "segment";
    case Task::recognition: return "recognize";
    case Task::detection: return "detect";
    case Task::generation: return "generate";
    case Task::classification: return "classify";
    case Task::annotation: return "annotate";
    case Task::synthesis: return "synthesize";
    case Task::analysis: return "analyze";
    case Task::retrieval: return "retrieve";
  }
  return "";
}

}  // namespace penta::engine
