#include "render/text.h"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <string>

namespace penta::render {

namespace {

struct LibraryRelease {
  void operator()(FT_Library library) const noexcept { FT_Done_FreeType(library); }
};
struct FaceRelease {
  void operator()(FT_Face face) const noexcept { FT_Done_Face(face); }
};
using Face = std::unique_ptr<FT_FaceRec_, FaceRelease>;

/// 5 x 7 dots, rows from the top, bit 4 the leftmost: for pictures that must be marked on a machine without fonts.
struct Glyph {
  char letter;
  std::array<std::uint8_t, 7> rows;
};
constexpr std::array<Glyph, 12> built_in{{{'S', {0x0F, 0x10, 0x10, 0x0E, 0x01, 0x01, 0x1E}},
                                          {'Y', {0x11, 0x11, 0x0A, 0x04, 0x04, 0x04, 0x04}},
                                          {'N', {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11}},
                                          {'T', {0x1F, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
                                          {'H', {0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11}},
                                          {'E', {0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F}},
                                          {'I', {0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E}},
                                          {'C', {0x0E, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0E}},
                                          {'R', {0x1E, 0x11, 0x11, 0x1E, 0x14, 0x12, 0x11}},
                                          {'L', {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1F}},
                                          {'A', {0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11}},
                                          {'P', {0x1E, 0x11, 0x11, 0x1E, 0x10, 0x10, 0x10}}}};

/// How much of each pixel the ink of one line covers, 0..255, row by row.
struct Ink {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> cover;
  void add(std::int64_t x, std::int64_t y, std::uint8_t amount) {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    auto& held = cover[static_cast<std::size_t>(x + width * y)];
    held = std::max(held, amount);
  }
};

constexpr char32_t replacement = 0xFFFD;

/// The next character of UTF-8 text, taken off its front; bytes that are no UTF-8 give U+FFFD.
char32_t next_character(std::string_view& text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
  if (length == 0 || length > text.size()) {
    text.remove_prefix(1);
    return replacement;
  }
  char32_t value = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) {
      text.remove_prefix(1);
      return replacement;
    }
    value = (value << 6U) | (next & 0x3FU);
  }
  text.remove_prefix(length);
  return value;
}

Rgb8 mixed(Rgb8 under, Rgb8 over, int amount) noexcept {
  const auto channel = [amount](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>((a * (255 - amount) + b * amount + 127) / 255);
  };
  return {channel(under.red, over.red), channel(under.green, over.green), channel(under.blue, over.blue)};
}

void lay_ink(Picture& picture, const Ink& ink, std::int64_t x0, std::int64_t y0, Rgb8 colour) {
  for (std::int64_t y = std::max<std::int64_t>(0, -y0); y < ink.height && y + y0 < picture.height; ++y)
    for (std::int64_t x = std::max<std::int64_t>(0, -x0); x < ink.width && x + x0 < picture.width; ++x)
      if (const int amount = ink.cover[static_cast<std::size_t>(x + ink.width * y)]; amount > 0)
        picture.at(x + x0, y + y0) = mixed(picture.at(x + x0, y + y0), colour, amount);
}

Ink built_in_ink(std::string_view text, int size_px) {
  const std::int64_t dot = std::max(1, size_px / 9);
  Ink ink{static_cast<std::int64_t>(text.size()) * 6 * dot, Text::line_px(size_px), {}};
  ink.cover.resize(static_cast<std::size_t>(ink.width * ink.height));
  for (std::size_t k = 0; k < text.size(); ++k) {
    const auto* glyph =
        std::find_if(built_in.begin(), built_in.end(), [&](const Glyph& g) { return g.letter == text[k]; });
    if (glyph == built_in.end()) continue;
    for (std::int64_t p = 0; p < 35 * dot * dot; ++p) {
      const std::int64_t x = p % (5 * dot), y = p / (5 * dot);
      if ((glyph->rows[static_cast<std::size_t>(y / dot)] >> (4 - x / dot) & 1) != 0)
        ink.add(static_cast<std::int64_t>(k) * 6 * dot + x, y + dot, 255);
    }
  }
  return ink;
}

}  // namespace

struct Text::Fonts {
  std::unique_ptr<FT_LibraryRec_, LibraryRelease> library;
  std::vector<Face> faces;
  mutable std::mutex mutex;  // a face holds the glyph drawn last

  void add(const char* path) {
    FT_Face face = nullptr;
    if (library && std::filesystem::exists(path) && FT_New_Face(library.get(), path, 0, &face) == 0)
      faces.emplace_back(face);
  }
  /// The face that has the character, with its glyph loaded; null when none can.
  [[nodiscard]] FT_Face load(char32_t character, int size_px) const {
    for (const bool any : {false, true})
      for (const Face& face : faces) {
        const FT_UInt glyph = FT_Get_Char_Index(face.get(), character);
        if (glyph == 0 && !any) continue;
        if (FT_Set_Pixel_Sizes(face.get(), 0, static_cast<FT_UInt>(size_px)) == 0 &&
            FT_Load_Glyph(face.get(), glyph, FT_LOAD_RENDER) == 0)
          return face.get();
      }
    return nullptr;
  }
  [[nodiscard]] std::int64_t width(std::string_view text, int size_px) const {
    std::int64_t pen = 0;
    while (!text.empty())
      if (const FT_Face face = load(next_character(text), size_px)) pen += face->glyph->advance.x;
    return (pen + 63) / 64;
  }
  [[nodiscard]] Ink ink(std::string_view text, int size_px) const {
    Ink ink{width(text, size_px), line_px(size_px), {}};
    ink.cover.resize(static_cast<std::size_t>(ink.width * ink.height));
    std::int64_t pen = 0;
    while (!text.empty()) {
      const FT_Face face = load(next_character(text), size_px);
      if (face == nullptr) continue;
      const FT_GlyphSlot slot = face->glyph;
      for (unsigned row = 0; row < slot->bitmap.rows && slot->bitmap.pixel_mode == FT_PIXEL_MODE_GRAY; ++row)
        for (unsigned column = 0; column < slot->bitmap.width; ++column)
          ink.add(pen / 64 + slot->bitmap_left + column, size_px - slot->bitmap_top + row,
                  slot->bitmap.buffer[static_cast<int>(row) * slot->bitmap.pitch + static_cast<int>(column)]);
      pen += slot->advance.x;
    }
    return ink;
  }
};

Text::Text() : fonts_(std::make_unique<Fonts>()) {
  FT_Library library = nullptr;
  if (FT_Init_FreeType(&library) == 0) fonts_->library.reset(library);
  fonts_->add("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf");
  const std::size_t latin = fonts_->faces.size();
  fonts_->add("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc");
  if (fonts_->faces.empty())
    remarks_.push_back(
        {Severity::note, "font_missing", "no font was found: pictures have no captions (install fonts-dejavu-core)"});
  else if (fonts_->faces.size() == latin)
    remarks_.push_back({Severity::note, "font_missing", "no Chinese font was found (install fonts-wqy-zenhei)"});
}
Text::~Text() = default;
Text::Text(Text&&) noexcept = default;
Text& Text::operator=(Text&&) noexcept = default;

bool Text::has_font() const noexcept { return !fonts_->faces.empty(); }

std::int64_t Text::width_px(std::string_view utf8, int size_px) const {
  if (!has_font()) return built_in_ink(utf8, size_px).width;
  const std::lock_guard lock(fonts_->mutex);
  return fonts_->width(utf8, size_px);
}

void Text::draw(Picture& picture, std::int64_t x, std::int64_t y, std::string_view utf8, const TextStyle& style) const {
  Ink ink;
  if (has_font()) {
    const std::lock_guard lock(fonts_->mutex);
    ink = fonts_->ink(utf8, style.size_px);
  } else {
    ink = built_in_ink(utf8, style.size_px);
  }
  if (style.anchor == Anchor::top_right || style.anchor == Anchor::bottom_right) x -= ink.width;
  if (style.anchor == Anchor::bottom_left || style.anchor == Anchor::bottom_right) y -= ink.height;
  if (style.anchor == Anchor::centre) x -= ink.width / 2, y -= ink.height / 2;
  if (style.halo) {
    const int brightness = style.colour.red + style.colour.green + style.colour.blue;
    const Rgb8 rim = brightness > 380 ? Rgb8{0, 0, 0} : Rgb8{255, 255, 255};
    for (std::int64_t dy = -1; dy <= 1; ++dy)
      for (std::int64_t dx = -1; dx <= 1; ++dx)
        if (dx != 0 || dy != 0) lay_ink(picture, ink, x + dx, y + dy, rim);
  }
  lay_ink(picture, ink, x, y, style.colour);
}

}  // namespace penta::render
