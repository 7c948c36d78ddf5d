#pragma once

#include <string>
#include <string_view>

#include "core/json.h"

namespace penta::engine {

/// The sentences that a report shows, in one language, from engine/texts/<language>.json.
class Texts {
 public:
  /// Throws Error{wrong_use} for a language that there is not (en, zh).
  explicit Texts(const std::string& language);
  /// The sentence of a key; the English one where the language lacks it; the key itself where both do.
  [[nodiscard]] std::string operator()(std::string_view key) const;

 private:
  Json texts_, english_;
};

/// The style sheet of the report.
[[nodiscard]] const std::string& report_style();

}  // namespace penta::engine
