#include "engine/jobs/render_frame.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <variant>

#include "core/error.h"
#include "io/dicom/show.h"
#include "io/png/png.h"
#include "render/overlay.h"
#include "render/window.h"

namespace penta::engine {

namespace {

using io::dicom::ShownFile;
using io::dicom::ShownFrame;
using io::dicom::Voi;

// The file that was read last: a cine is asked for frame by frame.
const ShownFile& file_of(const std::filesystem::path& path) {
  struct Kept {
    std::string path;
    std::unique_ptr<const ShownFile> file;
  };
  thread_local Kept last;
  if (last.path != path.string() || !last.file) {
    last.file.reset();
    last.file = std::make_unique<const ShownFile>(path);
    last.path = path.string();
  }
  return *last.file;
}

Voi between(double low, double high) { return {Voi::Kind::linear_exact, (low + high) / 2, std::max(high - low, 1e-12), 0, {}}; }

// Where neither the request nor the file says how to look at it.
Voi usual_voi(const ShownFrame& frame, const std::vector<float>& values) {
  if (frame.modality == "CT" && frame.rescaled) return {Voi::Kind::linear, 40, 400, 0, {}};
  if (!frame.rescaled && frame.bits >= 1 && frame.bits <= 8) return between(0, static_cast<double>((1 << frame.bits) - 1));
  const render::Window window = render::robust_window(values);
  return between(window.centre - window.width / 2, window.centre + window.width / 2);
}

Voi voi_for(const ShownFrame& frame, const std::vector<float>& values, const RenderRequest& request) {
  if (request.window_width > 0) return {Voi::Kind::linear, request.window_centre, request.window_width, 0, {}};
  return frame.voi.kind == Voi::Kind::none ? usual_voi(frame, values) : frame.voi;
}

// Levels 0 to 255. Windows are one line, taken at once; the rest asks Voi.
class Levels {
 public:
  explicit Levels(const Voi& voi) : voi_(voi) {
    const bool sharp = voi.kind == Voi::Kind::linear && voi.width <= 1;
    is_line_ = !sharp && (voi.kind == Voi::Kind::linear || voi.kind == Voi::Kind::linear_exact);
    if (!is_line_) return;
    const double at_0 = voi.kind == Voi::Kind::linear ? 0.5 - (voi.centre - 0.5) / (voi.width - 1) : 0.5 - voi.centre / voi.width;
    slope_ = 255 / (voi.kind == Voi::Kind::linear ? voi.width - 1 : voi.width);
    at_0_ = 255 * at_0;
  }
  [[nodiscard]] std::uint8_t of(double value) const noexcept {
    const double level = is_line_ ? value * slope_ + at_0_ : voi_.grey(value) * 255;
    return level > 0 ? static_cast<std::uint8_t>(std::min(level, 255.0) + 0.5) : std::uint8_t{0};  // NaN is 0
  }

 private:
  const Voi& voi_;
  bool is_line_ = false;
  double slope_ = 0, at_0_ = 0;
};

Picture picture_of(const ShownFrame& frame, const RenderRequest& request) {
  Picture picture(frame.width, frame.height);
  if (const auto* colours = std::get_if<std::vector<Rgb8>>(&frame.pixels)) {
    picture.pixels = *colours;
    return picture;
  }
  const auto& values = std::get<std::vector<float>>(frame.pixels);
  const Voi voi = voi_for(frame, values, request);
  const Levels levels(voi);
  std::transform(values.begin(), values.end(), picture.pixels.begin(), [&](float value) {
    const std::uint8_t level = levels.of(static_cast<double>(value));
    const auto grey = static_cast<std::uint8_t>(frame.inverted ? 255 - level : level);
    return Rgb8{grey, grey, grey};
  });
  return picture;
}

// The mean of the pixels that one pixel of a smaller picture covers.
Rgb8 mean_of(const Picture& picture, std::int64_t x0, std::int64_t x1, std::int64_t y0, std::int64_t y1) {
  std::int64_t red = 0, green = 0, blue = 0;
  for (std::int64_t y = y0; y < y1; ++y)
    for (std::int64_t x = x0; x < x1; ++x) {
      const Rgb8& pixel = picture.pixels[static_cast<std::size_t>(y * picture.width + x)];
      red += pixel.red;
      green += pixel.green;
      blue += pixel.blue;
    }
  const std::int64_t count = (x1 - x0) * (y1 - y0), half = count / 2;
  return {static_cast<std::uint8_t>((red + half) / count), static_cast<std::uint8_t>((green + half) / count),
          static_cast<std::uint8_t>((blue + half) / count)};
}

// As large as it fits in; each pixel the mean of what it covers, or the nearest where it is enlarged.
Picture fitted(Picture picture, const RenderRequest& request) {
  const double wide = request.width > 0 ? static_cast<double>(request.width) / static_cast<double>(picture.width) : 0;
  const double high = request.height > 0 ? static_cast<double>(request.height) / static_cast<double>(picture.height) : 0;
  const double scale = wide > 0 && high > 0 ? std::min(wide, high) : std::max(wide, high);
  if (scale <= 0 || std::abs(scale - 1) < 1e-9) return picture;
  Picture out(std::max<std::int64_t>(1, std::lround(static_cast<double>(picture.width) * scale)),
              std::max<std::int64_t>(1, std::lround(static_cast<double>(picture.height) * scale)));
  for (std::int64_t y = 0; y < out.height; ++y)
    for (std::int64_t x = 0; x < out.width; ++x) {
      const std::int64_t x0 = x * picture.width / out.width, y0 = y * picture.height / out.height;
      const std::int64_t x1 = std::max(x0 + 1, (x + 1) * picture.width / out.width), y1 = std::max(y0 + 1, (y + 1) * picture.height / out.height);
      out.pixels[static_cast<std::size_t>(y * out.width + x)] = mean_of(picture, x0, x1, y0, y1);
    }
  return out;
}

}  // namespace

std::vector<std::byte> rendered_picture(const RenderRequest& request) {
  constexpr std::int64_t side_max = 16384;
  if (request.width > side_max || request.height > side_max) throw Error(Code::wrong_use, "a picture may have sides of 16384 pixels at most");
  const ShownFrame frame = file_of(request.path).frame(request.frame);
  Picture picture = fitted(picture_of(frame, request), request);
  if (frame.synthetic) {
    thread_local const render::Text text;
    render::stamp_synthetic(picture, text);
  }
  if (request.media_type == "image/jpeg") return io::png::write_jpeg(picture, request.quality);
  if (request.media_type == "image/png") return io::png::write_quick(picture);
  throw Error(Code::wrong_use, "a picture is image/png or image/jpeg, not '" + request.media_type + "'");
}

}  // namespace penta::engine
