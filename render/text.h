#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/picture.h"
#include "core/remark.h"

namespace penta::render {

/// Which point of the text lies at the place given.
enum class Anchor { top_left, top_right, bottom_left, bottom_right, centre };

struct TextStyle {
  int size_px = 14;  ///< of the em square
  Rgb8 colour{255, 255, 255};
  bool halo = true;  ///< a dark (or, around dark text, bright) rim that keeps it readable on any picture
  Anchor anchor = Anchor::top_left;
};

/// Draws UTF-8 text: DejaVu Sans, and WenQuanYi Zen Hei for what it lacks (Chinese). Where the fonts are not on the
/// machine only the few built-in letters of orientation marks and of SYNTHETIC are drawn, and a remark says so.
/// Safe to use from several threads.
class Text {
 public:
  Text();  ///< looks for the fonts under /usr/share/fonts/truetype
  ~Text();
  Text(Text&&) noexcept;
  Text& operator=(Text&&) noexcept;
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  [[nodiscard]] bool has_font() const noexcept;
  [[nodiscard]] const std::vector<Remark>& remarks() const noexcept { return remarks_; }
  /// Width of one line in pixels.
  [[nodiscard]] std::int64_t width_px(std::string_view utf8, int size_px) const;
  /// Height of one line in pixels.
  [[nodiscard]] static std::int64_t line_px(int size_px) noexcept { return size_px + size_px / 4; }
  /// One line; what falls outside of the picture is left out.
  void draw(Picture& picture, std::int64_t x, std::int64_t y, std::string_view utf8, const TextStyle& style = {}) const;

 private:
  struct Fonts;
  std::unique_ptr<Fonts> fonts_;
  std::vector<Remark> remarks_;
};

}  // namespace penta::render
