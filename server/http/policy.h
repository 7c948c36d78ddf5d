#pragma once

#include <string>

#include "server/http/message.h"

namespace penta::server {

/// Content-Security-Policy of our own pages.
[[nodiscard]] std::string page_policy();

/// Throws HttpError 421 for a Host that is not this machine (a name that was bound to 127.0.0.1 by someone else), 403
/// for an Origin that is not.
void check_sender(const Request& request);

/// Throws HttpError 415 for a body that is packed (Content-Encoding): bombs come so, and no client of DICOM needs it.
void check_coding(const Request& request);

/// The answer to an OPTIONS request. `allowed`: methods of the path.
[[nodiscard]] Response preflight(const Request& request, const std::string& allowed);

/// Adds what every answer carries: policies, and leave for pages of other ports of this machine to read it.
void add_policies(Response& response, const Request& request, const std::string& policy_of_pages);

}  // namespace penta::server
