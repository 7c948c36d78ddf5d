#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "server/dicomweb/backend.h"
#include "server/dicomweb/common.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

constexpr std::int64_t side_max = 8192;
constexpr std::int64_t thumbnail_side = 128;

double decimal(const std::string& key, std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || end != copy.c_str() + copy.size() || !std::isfinite(value))
    throw HttpError(400, key + ": '" + copy + "' is no number");
  return value;
}

/// window=centre,width,function (PS3.18 8.3.5.1.4).
void read_window(const std::string& text, engine::RenderRequest& out) {
  const auto parts = split_quoted(text, ',');
  if (parts.size() != 2 && parts.size() != 3) throw HttpError(400, "window is centre,width,function");
  if (parts.size() == 3 && lower(parts[2]) != "linear")
    throw HttpError(400, "window: the one function that is offered is linear");
  out.window_centre = decimal("window", parts[0]);
  out.window_width = decimal("window", parts[1]);
  if (out.window_width < 1) throw HttpError(400, "window: the width is at least 1");
}

/// viewport=width,height (PS3.18 8.3.5.1.3); parts of the image are not offered.
void read_viewport(const std::string& text, engine::RenderRequest& out) {
  const auto parts = split_quoted(text, ',');
  if (parts.size() != 2) throw HttpError(400, "viewport is width,height; parts of an image are not offered");
  const auto width = whole_number(parts[0]), height = whole_number(parts[1]);
  if (!width || !height || *width < 1 || *height < 1 || *width > side_max || *height > side_max)
    throw HttpError(400, "viewport: width and height are whole numbers from 1 to 8192");
  out.width = *width;
  out.height = *height;
}

engine::RenderRequest render_request(const Request& request) {
  engine::RenderRequest out;
  constexpr std::array<std::string_view, 2> offers{"image/jpeg", "image/png"};
  const auto chosen = choose(accepted(request), offers);
  if (!chosen) throw HttpError(406, "pictures are offered as image/jpeg and image/png");
  out.media_type = std::string(offers[*chosen]);
  if (const auto window = request.asked("window")) read_window(*window, out);
  if (const auto viewport = request.asked("viewport")) read_viewport(*viewport, out);
  if (const auto quality = request.asked("quality")) {
    const auto number = whole_number(*quality);
    if (!number || *number < 1 || *number > 100) throw HttpError(400, "quality is a whole number from 1 to 100");
    out.quality = static_cast<int>(*number);
  }
  return out;
}

/// The same picture has the same name: instance, frame and everything that changes it.
std::string etag_of(const engine::StoredInstance& instance, const engine::RenderRequest& r) {
  return "\"" + instance.sha256 + "-" + std::to_string(r.frame) + "-" + std::to_string(r.window_centre) + "-" +
         std::to_string(r.window_width) + "-" + std::to_string(r.width) + "x" + std::to_string(r.height) + "-" +
         std::to_string(r.quality) + "-" + r.media_type + "\"";
}

Response picture(const Backend& backend, const Request& request, const engine::StoredInstance& instance,
                 engine::RenderRequest wanted) {
  const std::string etag = etag_of(instance, wanted);
  Response out{200, {{"Content-Type", wanted.media_type}, {"ETag", etag}, {"Vary", "Accept"}}, {}};
  // Who has it already needs no worker.
  if (request.header("If-None-Match").value_or("") == etag) {
    out.status = 304;
    return out;
  }
  wanted.path = backend.path_of(instance);
  const auto bytes = backend.rendered(wanted);
  out.body = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return out;
}

std::int64_t frame_of(const Request& request, const engine::StoredInstance& instance) {
  const auto found = request.vars.find("frame");
  if (found == request.vars.end()) return 1;
  const auto number = whole_number(found->second);
  if (!number || *number < 1) throw HttpError(400, "the frame in the path is no number from 1");
  if (*number > std::max<std::int64_t>(1, instance.index.frame_count))
    throw HttpError(404, "frame " + found->second + " is not there");
  return *number;
}

Response rendered(const Backend& backend, const Request& request) {
  engine::RenderRequest wanted = render_request(request);
  const auto instance = instance_of(*backend.catalogue, request);
  if (!is_picture(instance.index))
    throw HttpError(406, instance.index.rows == 0
                             ? "the instance has no pixels: it is offered as application/dicom"
                             : "the instance holds labels, which are no picture of their own: its frames are offered "
                               "as application/octet-stream");
  wanted.frame = frame_of(request, instance);
  return picture(backend, request, instance, std::move(wanted));
}

/// The middle one of what the path names stands for it.
Response thumbnail(const Backend& backend, const Request& request) {
  engine::RenderRequest wanted = render_request(request);
  if (wanted.width == 0) wanted.width = wanted.height = thumbnail_side;
  const PathUids uids = uids_of(request);
  auto found = backend.catalogue->files(uids.study, uids.series, uids.instance);
  std::erase_if(found, [](const engine::StoredInstance& one) { return !is_picture(one.index); });
  if (found.empty()) throw HttpError(404, "there is no image in this study, series or instance");
  const auto& instance = found[found.size() / 2];
  const bool chosen = request.vars.count("frame") > 0;
  wanted.frame = chosen ? frame_of(request, instance) : std::max<std::int64_t>(1, (instance.index.frame_count + 1) / 2);
  return picture(backend, request, instance, std::move(wanted));
}

}  // namespace

Routes rendered_routes(const Backend& backend) {
  const std::string study = "/dicomweb/studies/{study}", series = study + "/series/{series}",
                    instance = series + "/instances/{instance}", frame = instance + "/frames/{frame}";
  const auto whole = [backend](const Request& request) { return rendered(backend, request); };
  const auto small = [backend](const Request& request) { return thumbnail(backend, request); };
  return {{"GET", instance + "/rendered", whole},  {"GET", frame + "/rendered", whole},
          {"GET", study + "/thumbnail", small},    {"GET", series + "/thumbnail", small},
          {"GET", instance + "/thumbnail", small}, {"GET", frame + "/thumbnail", small}};
}

}  // namespace penta::server
