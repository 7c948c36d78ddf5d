#include "server/dicomweb/common.h"

#include <algorithm>
#include <array>

#include "io/dicom/web.h"
#include "server/http/ranges.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

std::string uid_from_path(const Request& request, const char* name) {
  const auto found = request.vars.find(name);
  if (found == request.vars.end()) return {};
  if (!io::dicom::is_uid(found->second)) throw HttpError(400, "the " + std::string(name) + " in the path is no UID");
  return found->second;
}

struct SyntaxRow {
  std::string_view begins, media_type;
};

/// The first row that begins a transfer syntax.
constexpr std::array syntax_rows{
    SyntaxRow{"1.2.840.10008.1.2.4.50", "image/jpeg"},  SyntaxRow{"1.2.840.10008.1.2.4.51", "image/jpeg"},
    SyntaxRow{"1.2.840.10008.1.2.4.57", "image/jpeg"},  SyntaxRow{"1.2.840.10008.1.2.4.70", "image/jpeg"},
    SyntaxRow{"1.2.840.10008.1.2.4.80", "image/jls"},   SyntaxRow{"1.2.840.10008.1.2.4.81", "image/jls"},
    SyntaxRow{"1.2.840.10008.1.2.4.90", "image/jp2"},   SyntaxRow{"1.2.840.10008.1.2.4.91", "image/jp2"},
    SyntaxRow{"1.2.840.10008.1.2.4.92", "image/jpx"},   SyntaxRow{"1.2.840.10008.1.2.4.93", "image/jpx"},
    SyntaxRow{"1.2.840.10008.1.2.4.100", "video/mpeg"}, SyntaxRow{"1.2.840.10008.1.2.4.101", "video/mpeg"},
    SyntaxRow{"1.2.840.10008.1.2.4.102", "video/mp4"},  SyntaxRow{"1.2.840.10008.1.2.4.103", "video/mp4"},
    SyntaxRow{"1.2.840.10008.1.2.4.104", "video/mp4"},  SyntaxRow{"1.2.840.10008.1.2.4.105", "video/mp4"},
    SyntaxRow{"1.2.840.10008.1.2.4.106", "video/mp4"},  SyntaxRow{"1.2.840.10008.1.2.4.107", "video/mp4"},
    SyntaxRow{"1.2.840.10008.1.2.4.108", "video/mp4"},  SyntaxRow{"1.2.840.10008.1.2.4.201", "image/jphc"},
    SyntaxRow{"1.2.840.10008.1.2.4.202", "image/jphc"}, SyntaxRow{"1.2.840.10008.1.2.4.203", "image/jphc"},
    SyntaxRow{"1.2.840.10008.1.2.5", "image/dicom-rle"}};

}  // namespace

PathUids uids_of(const Request& request) {
  return {uid_from_path(request, "study"), uid_from_path(request, "series"), uid_from_path(request, "instance")};
}

std::string root_of(const Request& request) {
  return "http://" + request.header("Host").value_or("localhost") + "/dicomweb";
}

std::string url_of(const std::string& root, const std::string& study, const std::string& series,
                   const std::string& instance) {
  std::string out = root + "/studies/" + study;
  if (!series.empty()) out += "/series/" + series;
  if (!instance.empty()) out += "/instances/" + instance;
  return out;
}

std::vector<MediaType> accepted(const Request& request) {
  if (const auto asked = request.asked("accept")) return parse_accept(*asked);
  std::string all;  // several headers are one list (RFC 9110 5.3)
  for (const auto& [name, value] : request.headers)
    if (same_word(name, "Accept")) all += (all.empty() ? "" : ",") + value;
  return parse_accept(all);
}

void require_json_accepted(const Request& request) {
  constexpr std::array<std::string_view, 2> offers{dicom_json, "application/json"};
  if (!choose(accepted(request), offers)) throw HttpError(406, "this is offered as application/dicom+json only");
}

engine::StoredInstance instance_of(const engine::Catalogue& catalogue, const Request& request) {
  const PathUids uids = uids_of(request);
  auto found = catalogue.instances(uids.study, uids.series, uids.instance);
  if (found.empty()) throw HttpError(404, "instance " + uids.instance + " is not there");
  return std::move(found.front());
}

bool is_picture(const engine::InstanceIndex& index) noexcept {
  constexpr std::string_view segmentation = "1.2.840.10008.5.1.4.1.1.66.4", label_map = "1.2.840.10008.5.1.4.1.1.66.7";
  return index.rows > 0 && index.sop_class != segmentation && index.sop_class != label_map;
}

bool is_native_little_endian(std::string_view transfer_syntax) noexcept {
  return transfer_syntax == "1.2.840.10008.1.2" || transfer_syntax == explicit_little_endian;
}

bool is_encapsulated(std::string_view transfer_syntax) noexcept {
  return !is_native_little_endian(transfer_syntax) && transfer_syntax != "1.2.840.10008.1.2.2" &&
         transfer_syntax != "1.2.840.10008.1.2.1.99";
}

std::string_view media_type_of(std::string_view transfer_syntax) noexcept {
  const auto row = std::find_if(syntax_rows.begin(), syntax_rows.end(), [&](const SyntaxRow& candidate) {
    // Video has variants below its number ("...102.1").
    return transfer_syntax == candidate.begins ||
           (transfer_syntax.size() > candidate.begins.size() &&
            transfer_syntax.substr(0, candidate.begins.size()) == candidate.begins &&
            transfer_syntax[candidate.begins.size()] == '.');
  });
  return row == syntax_rows.end() ? "application/octet-stream" : row->media_type;
}

bool can_be_decoded(std::string_view transfer_syntax) noexcept {
  return media_type_of(transfer_syntax).substr(0, 6) != "video/";
}

}  // namespace penta::server
