#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "server/http/message.h"

/// The parameters of the API's requests. All throw HttpError 400 with a sentence that names the parameter.
namespace penta::server {

/// Refuses what is not among `known`, and one that is given twice.
void check_query(const Request& request, std::initializer_list<std::string_view> known);
[[nodiscard]] std::int64_t number_asked(const Request& request, std::string_view name, std::int64_t otherwise,
                                        std::int64_t least, std::int64_t most);
/// A text of at most 200 characters without control characters.
[[nodiscard]] std::string text_asked(const Request& request, std::string_view name);
/// A UID, or empty where it is not asked for.
[[nodiscard]] std::string uid_asked(const Request& request, std::string_view name);
[[nodiscard]] std::string uid_in_path(const Request& request, const std::string& name);
[[nodiscard]] std::int64_t id_in_path(const Request& request);
/// The body as a JSON object; HttpError 415 where it is not sent as application/json.
[[nodiscard]] Json body_of(const Request& request);

}  // namespace penta::server
