#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/picture.h"

namespace penta::engine {

/// An A4 document that flows from page to page, with its fonts embedded (DejaVu Sans, and WenQuanYi Zen Hei for Chinese,
/// only the glyphs in use). The same calls give the same bytes: it holds no date and no random id.
class Pdf {
 public:
  struct Column {
    std::string head;
    double share = 1;    ///< of the page's width, beside the others'
    bool right = false;  ///< numbers
  };
  struct Colour {
    double red = 0, green = 0, blue = 0;  ///< 0..1
  };
  using Cells = std::vector<std::string>;

  /// `notice` stands at the top of every page, `foot` at its end beside the page's number. Throws Error{internal} where
  /// the fonts are not on the machine.
  Pdf(const std::string& title, std::string notice, std::string foot);
  ~Pdf();

  void heading(const std::string& text, int level);  ///< 1 to 3; of 1 and 2 the document's outline is made
  void paragraph(const std::string& text, bool muted = false);
  /// A text with a coloured line beside it.
  void remark(const std::string& text, Colour colour);
  /// A text on a coloured ground.
  void label(const std::string& text, Colour ground);
  /// The head is repeated on each page; long cells wrap.
  void table(const std::vector<Column>& columns, const std::vector<Cells>& rows);
  /// Two side by side; call end_pictures after the last.
  void picture(const Picture& picture, const std::string& caption);
  void end_pictures();

  /// The bytes; call once. Throws Error{internal} that names the library's error.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

}  // namespace penta::engine
