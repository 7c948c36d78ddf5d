#include "engine/pdf.h"

#include <hpdf.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "core/error.h"
#include "engine/pdf_text.h"

namespace penta::engine {

namespace {

constexpr const char* latin_file = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
constexpr const char* wide_file = "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc";

// Points (1/72 inch), A4.
constexpr double page_width = 595, page_height = 842, margin = 40, band = 18, top = page_height - 36, bottom = 42;
constexpr double text_width = page_width - 2 * margin;
constexpr double body_size = 9, table_size = 7.5, line_factor = 1.35, cell_gap = 6, picture_gap = 10;
constexpr Pdf::Colour black{0, 0, 0}, grey{0.4, 0.4, 0.4}, rule{0.8, 0.8, 0.8}, white{1, 1, 1}, band_red{0.48, 0.12, 0.12};

void keep_error(HPDF_STATUS code, HPDF_STATUS detail, void* kept) {
  auto& first = *static_cast<std::array<unsigned long, 2>*>(kept);
  if (first[0] == 0) first = {code, detail};
}

std::vector<HPDF_BYTE> rgb_of(const Picture& picture) {
  std::vector<HPDF_BYTE> bytes;
  bytes.reserve(picture.pixels.size() * 3);
  for (const Rgb8& p : picture.pixels) bytes.insert(bytes.end(), {p.red, p.green, p.blue});
  return bytes;
}

}  // namespace

struct Pdf::Document {
  std::array<unsigned long, 2> error{};
  HPDF_Doc doc = nullptr;
  HPDF_Font latin = nullptr, wide = nullptr;
  std::vector<HPDF_Page> pages;
  HPDF_Outline part = nullptr;
  double y = 0;
  std::string notice, foot;
  bool left_taken = false;   ///< a picture stands on the left half
  double row_height = 0;     ///< of the pictures' row

  HPDF_Font load(const char* file) {
    const std::string name = std::filesystem::path(file).extension() == ".ttc" ? HPDF_LoadTTFontFromFile2(doc, file, 0, HPDF_TRUE)
                                                                               : HPDF_LoadTTFontFromFile(doc, file, HPDF_TRUE);
    return HPDF_GetFont(doc, name.c_str(), "UTF-8");
  }

  // The Chinese font is 16 MB: read only where a text needs it.
  HPDF_Font font_of(char32_t c) {
    if (!is_wide(c)) return latin;
    if (wide == nullptr) wide = std::filesystem::exists(wide_file) ? load(wide_file) : latin;
    return wide;
  }

  double width_of(char32_t c, double size) {
    return HPDF_Font_GetUnicodeWidth(font_of(c), static_cast<HPDF_UNICODE>(c)) * size / 1000;
  }

  double width_of(const std::string& text, double size) {
    double width = 0;
    for (std::string_view left = text; !left.empty();) width += width_of(next_of(left), size);
    return width;
  }

  std::vector<std::string> lines_of(const std::string& text, double size, double width) {
    return wrap(shown(text), width, [&](char32_t c) { return width_of(c, size); });
  }

  HPDF_Page page() { return pages.back(); }

  void new_page() {
    HPDF_Page added = HPDF_AddPage(doc);
    HPDF_Page_SetSize(added, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    pages.push_back(added);
    y = top;
    left_taken = false;
    fill(0, page_height - band, page_width, band, band_red);
    write(margin, page_height - band + 5.5, notice, 8, white);
  }

  void need(double height) {
    if (pages.empty() || y - height < bottom) new_page();
  }

  void fill(double x, double at, double width, double height, Colour c) {
    HPDF_Page_SetRGBFill(page(), static_cast<float>(c.red), static_cast<float>(c.green), static_cast<float>(c.blue));
    HPDF_Page_Rectangle(page(), static_cast<float>(x), static_cast<float>(at), static_cast<float>(width), static_cast<float>(height));
    HPDF_Page_Fill(page());
  }

  // One line of shown() text, in runs of one font.
  void write(double x, double at, const std::string& text, double size, Colour c) {
    HPDF_Page_SetRGBFill(page(), static_cast<float>(c.red), static_cast<float>(c.green), static_cast<float>(c.blue));
    HPDF_Page_BeginText(page());
    for (std::string_view left = text; !left.empty();) {
      std::string_view rest = left;
      const HPDF_Font font = font_of(next_of(rest));
      double width = 0;
      for (std::string_view ahead = left; !ahead.empty(); rest = ahead) {
        const char32_t next = next_of(ahead);
        if (font_of(next) != font) break;
        width += width_of(next, size);
      }
      const std::string run(left.substr(0, left.size() - rest.size()));
      HPDF_Page_SetFontAndSize(page(), font, static_cast<float>(size));
      HPDF_Page_TextOut(page(), static_cast<float>(x), static_cast<float>(at), run.c_str());
      x += width;
      left = rest;
    }
    HPDF_Page_EndText(page());
  }

  void block(const std::string& text, double size, Colour c, double x, double width) {
    const double line = size * line_factor;
    for (const std::string& one : lines_of(text, size, width)) {
      need(line);
      y -= line;
      write(x, y + size * 0.3, one, size, c);
    }
  }

  using Wrapped = std::vector<std::vector<std::string>>;

  Wrapped wrapped(const std::vector<Column>& columns, const Cells& cells, double total) {
    Wrapped out;
    for (std::size_t i = 0; i < columns.size(); ++i)
      out.push_back(lines_of(i < cells.size() ? cells[i] : std::string(), table_size,
                             text_width * columns[i].share / total - cell_gap));
    return out;
  }

  static double height_of(const Wrapped& cells) {
    std::size_t most = 1;
    for (const auto& lines : cells) most = std::max(most, lines.size());
    return static_cast<double>(most) * table_size * line_factor + 3;
  }

  void row(const std::vector<Column>& columns, const Wrapped& cells, double total, bool head) {
    double x = margin;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const double width = text_width * columns[i].share / total;
      double at = y - table_size * line_factor;
      for (const std::string& line : cells[i]) {
        const double shift = columns[i].right ? width - cell_gap - width_of(line, table_size) : 0;
        write(x + shift, at + 1, line, table_size, head ? grey : black);
        at -= table_size * line_factor;
      }
      x += width;
    }
    y -= height_of(cells);
    fill(margin, y + 0.8, text_width, head ? 0.8 : 0.4, rule);
  }

  void draw_picture(const Picture& picture, const std::string& caption, double x, double width) {
    const std::vector<HPDF_BYTE> bytes = rgb_of(picture);
    const HPDF_Image image = HPDF_LoadRawImageFromMem(doc, bytes.data(), static_cast<HPDF_UINT>(picture.width),
                                                      static_cast<HPDF_UINT>(picture.height), HPDF_CS_DEVICE_RGB, 8);
    if (image == nullptr) return;
    const double height = width * static_cast<double>(picture.height) / static_cast<double>(picture.width);
    HPDF_Page_DrawImage(page(), image, static_cast<float>(x), static_cast<float>(y - height), static_cast<float>(width),
                        static_cast<float>(height));
    double at = y - height;
    for (const std::string& line : lines_of(caption, table_size, width)) {
      at -= table_size * line_factor;
      write(x, at, line, table_size, grey);
    }
  }

  void feet() {
    for (std::size_t i = 0; i < pages.size(); ++i) {
      std::swap(pages[i], pages.back());  // write() writes on the last
      const std::string number = std::to_string(i + 1) + " / " + std::to_string(pages.size());
      write(margin, 22, foot, 7, grey);
      write(page_width - margin - width_of(number, 7), 22, number, 7, grey);
      std::swap(pages[i], pages.back());
    }
  }
};

Pdf::Pdf(const std::string& title, std::string notice, std::string foot) : document_(std::make_unique<Document>()) {
  if (!std::filesystem::exists(latin_file))
    throw Error(Code::internal, std::string("writing a PDF: the font ") + latin_file + " is missing (install fonts-dejavu-core)");
  Document& d = *document_;
  d.notice = shown(notice);
  d.foot = shown(foot);
  d.doc = HPDF_New(keep_error, &d.error);
  if (d.doc == nullptr) throw Error(Code::out_of_memory, "writing a PDF: no memory");
  HPDF_SetCompressionMode(d.doc, HPDF_COMP_ALL);
  HPDF_UseUTFEncodings(d.doc);
  HPDF_SetInfoAttr(d.doc, HPDF_INFO_TITLE, title.c_str());
  HPDF_SetPageMode(d.doc, HPDF_PAGE_MODE_USE_OUTLINE);
  d.latin = d.load(latin_file);
}

Pdf::~Pdf() {
  if (document_->doc != nullptr) HPDF_Free(document_->doc);
}

void Pdf::heading(const std::string& text, int level) {
  Document& d = *document_;
  const double size = level == 1 ? 16 : level == 2 ? 12 : 10;
  d.need(size * line_factor + 60);  // not alone at the foot of a page
  d.y -= size * 0.5;
  d.block(text, size, black, margin, text_width);
  d.y -= 3;
  if (level == 2) d.fill(margin, d.y + 1, text_width, 1, rule);
  if (level > 2) return;
  const HPDF_Outline line = HPDF_CreateOutline(d.doc, level == 1 ? nullptr : d.part, shown(text).c_str(), HPDF_GetEncoder(d.doc, "UTF-8"));
  if (level == 1) d.part = line;
  HPDF_Outline_SetDestination(line, HPDF_Page_CreateDestination(d.page()));
}

void Pdf::paragraph(const std::string& text, bool muted) {
  document_->block(text, muted ? table_size : body_size, muted ? grey : black, margin, text_width);
  document_->y -= 2;
}

void Pdf::remark(const std::string& text, Colour colour) {
  Document& d = *document_;
  for (const std::string& line : d.lines_of(text, table_size, text_width - 10)) {
    d.need(table_size * line_factor);
    d.y -= table_size * line_factor;
    d.fill(margin, d.y, 2, table_size * line_factor, colour);
    d.write(margin + 8, d.y + 2.5, line, table_size, black);
  }
  d.y -= 3;
}

void Pdf::label(const std::string& text, Colour ground) {
  Document& d = *document_;
  d.need(16);
  d.y -= 16;
  const std::string line = shown(text);
  d.fill(margin, d.y, d.width_of(line, body_size) + 12, 14, ground);
  d.write(margin + 6, d.y + 4, line, body_size, white);
  d.y -= 3;
}

void Pdf::table(const std::vector<Column>& columns, const std::vector<Cells>& rows) {
  Document& d = *document_;
  double total = 0;
  Cells heads;
  for (const Column& column : columns) {
    total += column.share;
    heads.push_back(column.head);
  }
  const auto head = d.wrapped(columns, heads, total);
  bool begun = false;
  for (const Cells& cells : rows) {
    const auto row = d.wrapped(columns, cells, total);
    const double height = Document::height_of(row);
    if (!begun || d.y - height < bottom) {
      d.need(height + Document::height_of(head));
      d.row(columns, head, total, true);
      begun = true;
    }
    d.row(columns, row, total, false);
  }
  d.y -= 4;
}

void Pdf::picture(const Picture& picture, const std::string& caption) {
  if (picture.width < 1 || picture.height < 1) return;
  Document& d = *document_;
  const bool broad = picture.width > 2 * picture.height;  // a strip takes the whole width
  if (broad) end_pictures();
  const double most_high = 300, half = (text_width - picture_gap) / 2;
  const double ratio = static_cast<double>(picture.height) / static_cast<double>(picture.width);
  const double width = std::min({broad ? text_width : half, most_high / ratio});
  const double height = width * ratio + static_cast<double>(d.lines_of(caption, table_size, width).size()) * table_size * line_factor + 6;
  if (d.left_taken && d.y - height < bottom) end_pictures();
  d.need(height);
  d.draw_picture(picture, caption, d.left_taken ? margin + half + picture_gap : margin, width);
  d.row_height = std::max(d.left_taken ? d.row_height : 0, height);
  d.left_taken = !d.left_taken;
  if (broad || !d.left_taken) {
    d.left_taken = true;
    end_pictures();
  }
}

void Pdf::end_pictures() {
  Document& d = *document_;
  if (d.left_taken) d.y -= d.row_height + 4;
  d.left_taken = false;
  d.row_height = 0;
}

std::vector<std::byte> Pdf::finish() {
  Document& d = *document_;
  d.feet();
  HPDF_SaveToStream(d.doc);
  std::vector<std::byte> bytes(HPDF_GetStreamSize(d.doc));
  auto count = static_cast<HPDF_UINT32>(bytes.size());
  HPDF_ReadFromStream(d.doc, reinterpret_cast<HPDF_BYTE*>(bytes.data()), &count);
  if (d.error[0] != 0 || count != bytes.size() || bytes.empty()) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "writing a PDF: libharu error %04lX, %lu", d.error[0], d.error[1]);
    throw Error(Code::internal, text.data());
  }
  return bytes;
}

}  // namespace penta::engine
