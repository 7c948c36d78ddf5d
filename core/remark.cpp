#include "core/remark.h"

#include <algorithm>

namespace penta {

void add_new(std::vector<Remark>& to, const std::vector<Remark>& from) {
  for (const Remark& remark : from) {
    const auto same = [&](const Remark& other) { return other.code == remark.code && other.text == remark.text; };
    if (std::none_of(to.begin(), to.end(), same)) to.push_back(remark);
  }
}

}  // namespace penta
