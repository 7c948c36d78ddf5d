#include "modality/contrast.h"

#include <algorithm>
#include <cctype>

namespace penta {

bool contrast_given(const Fact<std::string>& agent) {
  if (!agent || agent->empty()) return false;
  std::string text = *agent;
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text != "NO" && text != "NONE" && text != "N" && text != "NOT ADMINISTERED";
}

}  // namespace penta
