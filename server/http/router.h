#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/http/message.h"
#include "server/http/text.h"

namespace penta::server {

/// Finds the route of a request. Names of a pattern before {variables}, {variables} before {rest*}; a pattern that
/// begins with a variable takes no path whose first segment is a name in another pattern.
class Router {
 public:
  explicit Router(Routes routes);

  /// Runs the handler that fits, with `vars` set; HEAD runs that of GET. Throws HttpError 404; answers 405 with Allow.
  [[nodiscard]] Response answer(Request& request, const Target& target) const;
  /// Methods that the path takes, "GET, HEAD, POST"; empty: no such path.
  [[nodiscard]] std::string allowed(const Target& target) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;  ///< of the pattern
  };
  [[nodiscard]] std::vector<const Entry*> fitting(const Target& target) const;
  std::vector<Entry> entries_;
};

}  // namespace penta::server
