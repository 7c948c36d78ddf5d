#pragma once

#include <string>

namespace penta {

/// A coded concept (PS3.16): `{"SCT", "10200004", "Liver"}`. Empty scheme: no code.
struct CodedConcept {
  std::string scheme;
  std::string value;
  std::string meaning;

  [[nodiscard]] bool empty() const noexcept { return value.empty(); }
  /// Two codes are one concept when scheme and value agree; the meaning is only a label.
  friend bool operator==(const CodedConcept& a, const CodedConcept& b) {
    return a.scheme == b.scheme && a.value == b.value;
  }
};

}  // namespace penta
