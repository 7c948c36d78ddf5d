#include <algorithm>

#include "server/dicomweb/backend.h"
#include "server/dicomweb/common.h"
#include "server/http/multipart.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

constexpr std::string_view octets = "application/octet-stream";
constexpr std::size_t frames_max = 10'000;

/// "1,3,5" of the path. Throws HttpError 400, and 404 for frames that are not there.
std::vector<std::int64_t> frame_list(const std::string& text, std::int64_t count) {
  std::vector<std::int64_t> out;
  for (const std::string_view part : split_quoted(text, ',')) {
    const auto number = whole_number(part);
    if (!number || *number < 1) throw HttpError(400, "the frames in the path are no list of numbers from 1");
    if (*number > count)
      throw HttpError(404, "frame " + std::string(part) + " is not there: the instance has " + std::to_string(count));
    out.push_back(*number);
  }
  if (out.empty() || out.size() > frames_max)
    throw HttpError(400, "the frames in the path are no list of numbers from 1");
  return out;
}

/// How frames are sent.
struct Form {
  bool multipart = true, as_stored = false;
  std::string type;    ///< of one frame
  std::string syntax;  ///< of what is sent
};

bool has_ranges(const engine::InstanceIndex& index) { return !index.frames.empty() && !index.frames_by_decoding; }

/// What one range of Accept asks for, where that can be had (PS3.18 8.7.3.5, tables 8.7.3-2 and -5).
std::optional<Form> form_for(const MediaType& range, const engine::InstanceIndex& index, std::size_t frames) {
  MediaType part = range;
  Form form;
  form.multipart = range.takes("multipart/related");
  if (form.multipart) {
    const auto inner = parse_media_type(range.parameter("type").value_or(std::string(octets)));
    if (!inner) return {};
    part.type = inner->type;
    part.subtype = inner->subtype;
  } else if (frames != 1) {
    return {};
  }
  const std::string asked = part.parameter("transfer-syntax").value_or("");
  const bool encapsulated = is_encapsulated(index.transfer_syntax);
  const std::string_view stored_type = media_type_of(index.transfer_syntax);
  form.as_stored = has_ranges(index) && (encapsulated ? asked == "*" || asked == index.transfer_syntax ||
                                                            (asked.empty() && !part.takes(octets))
                                                      : is_native_little_endian(index.transfer_syntax));
  if (form.as_stored && encapsulated) {
    if (!part.takes(octets) && !part.takes(stored_type)) return {};
    form.type = part.takes(stored_type) ? stored_type : octets;
    form.syntax = index.transfer_syntax;
    return form;
  }
  const bool plain = asked.empty() || asked == "*" || asked == explicit_little_endian;
  if (!plain || !part.takes(octets) || !can_be_decoded(index.transfer_syntax)) return {};
  form.type = octets;
  form.syntax = explicit_little_endian;
  return form;
}

Form choose_form(const Request& request, const engine::InstanceIndex& index, std::size_t frames) {
  for (const MediaType& range : accepted(request))
    if (auto form = form_for(range, index, frames)) return *form;
  throw HttpError(406, "frames are offered as multipart/related (one also alone) of application/octet-stream, and as " +
                           std::string(media_type_of(index.transfer_syntax)) + ", as they are stored");
}

void add_stored(PiecesBody& out, const std::filesystem::path& path, const std::vector<engine::ByteRange>& ranges) {
  for (const engine::ByteRange& range : ranges) out.emplace_back(FileBody{path, range.offset, range.length});
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Frames that a worker decodes, each in memory only while it is sent.
StreamBody decoded_parts(const Backend& backend, std::filesystem::path path, std::vector<std::int64_t> frames,
                         std::string content_type, std::string boundary, std::string location) {
  return [=](const Writer& writer) {
    for (const std::int64_t frame : frames) {
      const auto bytes = backend.native_frame(path, frame);
      const std::string head =
          part_head(boundary, content_type, {{"Content-Location", location + std::to_string(frame)}});
      if (!writer(std::as_bytes(std::span(head))) || !writer(bytes)) return;
    }
    const std::string end = multipart_end(boundary);
    (void)writer(std::as_bytes(std::span(end)));
  };
}

Response frames(const Backend& backend, const Request& request) {
  const auto instance = instance_of(*backend.catalogue, request);
  const engine::InstanceIndex& index = instance.index;
  const std::int64_t count = std::max(index.frame_count, static_cast<std::int64_t>(index.frames.size()));
  const auto list = frame_list(request.vars.at("frames"), count);
  const Form form = choose_form(request, index, list.size());
  const auto path = backend.path_of(instance);
  const std::string type = form.type + "; transfer-syntax=" + form.syntax;
  const std::string etag = "\"" + instance.sha256 + "-" + request.vars.at("frames") + "-" + form.syntax + "\"";
  Response out{200, {{"Content-Type", type}, {"ETag", etag}, {"Vary", "Accept"}}, {}};
  PiecesBody pieces;
  if (!form.multipart) {
    if (form.as_stored)
      add_stored(pieces, path, index.frames[static_cast<std::size_t>(list[0] - 1)]);
    else
      pieces.emplace_back(text_of(backend.native_frame(path, list[0])));
    out.body = std::move(pieces);
    return out;
  }
  // Not random: the same frames are the same bytes, which their ETag says.
  const std::string boundary = "penta-" + instance.sha256.substr(0, 40);
  const std::string location = url_of(root_of(request), index.study_uid, index.series_uid, index.sop_uid) + "/frames/";
  out.headers[0].second = related_type(form.type, boundary);
  if (!form.as_stored) {
    out.body = decoded_parts(backend, path, list, type, boundary, location);
    return out;
  }
  for (const std::int64_t frame : list) {
    pieces.emplace_back(part_head(boundary, type, {{"Content-Location", location + std::to_string(frame)}}));
    add_stored(pieces, path, index.frames[static_cast<std::size_t>(frame - 1)]);
  }
  pieces.emplace_back(multipart_end(boundary));
  out.body = std::move(pieces);
  return out;
}

}  // namespace

Routes frame_routes(const Backend& backend) {
  return {{"GET", "/dicomweb/studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
           [backend](const Request& request) { return frames(backend, request); }}};
}

}  // namespace penta::server
