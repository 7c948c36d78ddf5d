#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/catalogue.h"
#include "server/http/accept.h"
#include "server/http/message.h"

namespace penta::server {

inline constexpr std::string_view dicom_json = "application/dicom+json";
inline constexpr std::string_view explicit_little_endian = "1.2.840.10008.1.2.1";

/// The UIDs of a request's path; those that it has not are empty.
struct PathUids {
  std::string study, series, instance;
};
/// Throws HttpError 400 for what is no UID.
[[nodiscard]] PathUids uids_of(const Request& request);

/// "http://<host>/dicomweb", as the client called us.
[[nodiscard]] std::string root_of(const Request& request);
[[nodiscard]] std::string url_of(const std::string& root, const std::string& study, const std::string& series = {},
                                 const std::string& instance = {});

/// The ranges of the query's "accept" (PS3.18 8.3.3.1), or else of the header.
[[nodiscard]] std::vector<MediaType> accepted(const Request& request);
/// Throws HttpError 406 where DICOM JSON is not taken.
void require_json_accepted(const Request& request);

/// The one instance of the path. Throws HttpError 404.
[[nodiscard]] engine::StoredInstance instance_of(const engine::Catalogue& catalogue, const Request& request);

/// Whether it has pixels of its own that can be shown: labels need the image that they lie upon.
[[nodiscard]] bool is_picture(const engine::InstanceIndex& index) noexcept;

/// Transfer syntaxes with plain little-endian samples.
[[nodiscard]] bool is_native_little_endian(std::string_view transfer_syntax) noexcept;
[[nodiscard]] bool is_encapsulated(std::string_view transfer_syntax) noexcept;
/// The media type of encapsulated frames as they are stored (PS3.18 table 8.7.3-3); octet-stream where it has none.
[[nodiscard]] std::string_view media_type_of(std::string_view transfer_syntax) noexcept;
/// Whether workers turn it into explicit little endian: everything but video.
[[nodiscard]] bool can_be_decoded(std::string_view transfer_syntax) noexcept;

}  // namespace penta::server
