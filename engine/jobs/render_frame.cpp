#include "engine/jobs/render_frame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <variant>

#include "core/error.h"
#include "io/dicom/dicom.h"
#include "io/png/png.h"
#include "render/window.h"

namespace penta::engine {

namespace {

struct Plane {
  std::int64_t width = 0, height = 0;
  std::variant<std::vector<float>, std::vector<Rgb8>> pixels;
};

// What was read last: a cine is asked for frame by frame.
struct Kept {
  std::string path;
  std::shared_ptr<const io::Content> content;
};

Kept& kept() {
  thread_local Kept last;
  return last;
}

const Image& image_of_file(const std::filesystem::path& path) {
  Kept& last = kept();
  if (last.path != path.string()) {
    const std::array<std::filesystem::path, 1> files{path};
    const io::dicom::Catalogue found = io::dicom::scan(files);
    if (found.series.empty())
      throw Error(Code::bad_input, found.faults.empty() ? "there is no image in it" : found.faults.front().text);
    last.content = std::make_shared<const io::Content>(io::dicom::read(found.series.front()));
    last.path = path.string();
  }
  const auto* image = std::get_if<Image>(last.content.get());
  if (image == nullptr) throw Error(Code::bad_input, "what it holds is no image that can be shown as a picture");
  return *image;
}

[[noreturn]] void no_such_frame(std::int64_t frame) {
  throw Error(Code::nothing_to_do, "there is no frame " + std::to_string(frame));
}

Plane plane_of(const Frame2d& frame) {
  Plane plane{frame.width, frame.height, {}};
  if (const auto* colours = std::get_if<std::vector<Rgb8>>(&frame.pixels)) plane.pixels = *colours;
  else plane.pixels = frame.grey();
  return plane;
}

// The frame as it is stored: row 0 on top, nothing turned.
Plane plane_of(const Image& image, std::int64_t frame) {
  if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) {
    if (frame < 1 || frame > static_cast<std::int64_t>(frames->size())) no_such_frame(frame);
    return plane_of((*frames)[static_cast<std::size_t>(frame - 1)]);
  }
  if (const auto* stack = std::get_if<SliceStack>(&image.pixels)) {
    if (frame < 1 || frame > static_cast<std::int64_t>(stack->slices.size())) no_such_frame(frame);
    return {stack->width, stack->height, stack->slices[static_cast<std::size_t>(frame - 1)].pixels};
  }
  std::int64_t left = frame - 1;
  for (const AnyVolume& volume : std::get<VolumeSequence>(image.pixels)) {
    const auto size = grid_of(volume).size();
    if (left < 0 || left >= size[2]) {
      left -= size[2];
      continue;
    }
    const std::size_t pixels = static_cast<std::size_t>(size[0] * size[1]);
    const auto offset = static_cast<std::ptrdiff_t>(pixels) * left;
    if (const auto* colours = std::get_if<Volume<Rgb8>>(&volume)) {
      const auto begin = colours->voxels().begin() + offset;
      return {size[0], size[1], std::vector<Rgb8>(begin, begin + static_cast<std::ptrdiff_t>(pixels))};
    }
    const Volume<float> values = to_float(volume);
    const auto begin = values.voxels().begin() + offset;
    return {size[0], size[1], std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(pixels))};
  }
  no_such_frame(frame);
}

// As large as it fits in; each pixel the mean of what it covers, or the nearest where it is enlarged.
Plane fitted(const Plane& plane, const RenderRequest& request) {
  const double wide = request.width > 0 ? static_cast<double>(request.width) / static_cast<double>(plane.width) : 0;
  const double high = request.height > 0 ? static_cast<double>(request.height) / static_cast<double>(plane.height) : 0;
  const double scale = wide > 0 && high > 0 ? std::min(wide, high) : std::max(wide, high);
  if (scale <= 0 || std::abs(scale - 1) < 1e-9) return plane;
  Plane out;
  out.width = std::max<std::int64_t>(1, std::lround(static_cast<double>(plane.width) * scale));
  out.height = std::max<std::int64_t>(1, std::lround(static_cast<double>(plane.height) * scale));
  std::visit(
      [&](const auto& pixels) {
        auto& made = out.pixels.emplace<std::decay_t<decltype(pixels)>>();
        made.reserve(static_cast<std::size_t>(out.width * out.height));
        for (std::int64_t y = 0; y < out.height; ++y)
          for (std::int64_t x = 0; x < out.width; ++x)
            made.push_back(pixels[static_cast<std::size_t>((y * 2 + 1) * plane.height / (2 * out.height) * plane.width +
                                                           (x * 2 + 1) * plane.width / (2 * out.width))]);
      },
      plane.pixels);
  return out;
}

Picture picture_of(const Plane& plane, const render::Window& window) {
  Picture picture(plane.width, plane.height);
  if (const auto* colours = std::get_if<std::vector<Rgb8>>(&plane.pixels)) {
    picture.pixels = *colours;
    return picture;
  }
  const auto& values = std::get<std::vector<float>>(plane.pixels);
  std::transform(values.begin(), values.end(), picture.pixels.begin(), [&](float value) { return window.colour(value); });
  return picture;
}

render::Window window_of(const Image& image, const RenderRequest& request) {
  if (request.window_width <= 0) return render::default_windows(image).front();
  render::Window window;
  window.centre = request.window_centre;
  window.width = request.window_width;
  return window;
}

}  // namespace

std::vector<std::byte> rendered_picture(const RenderRequest& request) {
  constexpr std::int64_t side_max = 16384;
  if (request.width > side_max || request.height > side_max) throw Error(Code::wrong_use, "a picture may have sides of 16384 pixels at most");
  const Image& image = image_of_file(request.path);
  const Picture picture = picture_of(fitted(plane_of(image, request.frame), request), window_of(image, request));
  if (request.media_type == "image/jpeg") return io::png::write_jpeg(picture, request.quality);
  if (request.media_type == "image/png") return io::png::write(picture);
  throw Error(Code::wrong_use, "a picture is image/png or image/jpeg, not '" + request.media_type + "'");
}

}  // namespace penta::engine
