#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <iconv.h>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

bool is_japanese(const std::string& sets) {
  const std::string between = "\\" + sets + "\\";
  for (const char* set : {"\\ISO_IR 13\\", "\\ISO 2022 IR 13\\", "\\ISO 2022 IR 87\\", "\\ISO 2022 IR 159\\"})
    if (between.find(set) != std::string::npos) return true;
  return false;
}

enum class Half { ascii, kana, x0208, x0212 };

/// ISO 2022 with the escape sequences of PS3.3 C.12.1.1.2, table C.12-3 and C.12-4, as EUC-JP. Byte values from 0xA1 on
/// are half-width katakana, since nothing else of these sets lies there.
std::string euc_of(std::string_view text) {
  std::string out;
  Half half = Half::ascii;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view rest = text.substr(i + 1);
    if (byte == 0x1B) {
      const bool long_one = rest.starts_with("$(D");
      if (rest.starts_with("$B") || rest.starts_with("$@")) half = Half::x0208;
      else if (long_one) half = Half::x0212;
      else if (rest.starts_with("(I")) half = Half::kana;
      else if (rest.starts_with("(")) half = Half::ascii;
      i += long_one ? 3 : 2;
    } else if (byte >= 0xA1) {
      out += {'\x8E', static_cast<char>(byte)};
    } else if (byte < 0x21 || half == Half::ascii) {
      out += static_cast<char>(byte);
    } else if (half == Half::kana) {
      out += {'\x8E', static_cast<char>(byte | 0x80)};
    } else if (i + 1 < text.size()) {
      if (half == Half::x0212) out += '\x8F';
      out += {static_cast<char>(byte | 0x80), static_cast<char>(text[++i] | 0x80)};
    }
  }
  return out;
}

/// Nothing where the text is not of these sets.
std::optional<std::string> utf8_of_euc(std::string text) {
  const iconv_t converter = iconv_open("UTF-8", "EUC-JP");
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string out(text.size() * 3 + 8, '\0');
  char *from = text.data(), *to = out.data();
  std::size_t left = text.size(), room = out.size();
  const bool good = iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
  iconv_close(converter);
  if (!good) return std::nullopt;
  out.resize(out.size() - room);
  return out;
}

bool has_character_set(DcmEVR vr) noexcept {
  return vr == EVR_SH || vr == EVR_LO || vr == EVR_ST || vr == EVR_LT || vr == EVR_UC || vr == EVR_UT || vr == EVR_PN;
}

void convert_element(DcmElement& element) {
  char* value = nullptr;
  Uint32 length = 0;
  if (element.getString(value, length).bad() || value == nullptr || length == 0) return;
  if (const auto converted = utf8_of_euc(euc_of({value, length})))
    static_cast<void>(element.putString(converted->c_str(), static_cast<Uint32>(converted->size())));
}

// Without an own (0008,0005) an item has that of what holds it (PS3.5 6.1.2.4).
void convert_item(DcmItem& item, std::string sets) {
  OFString own;
  const bool given = item.findAndGetOFStringArray(DCM_SpecificCharacterSet, own).good() && !own.empty();
  if (given) sets.assign(own.c_str(), own.size());
  const bool japanese = is_japanese(sets);
  const bool needed = !sets.empty() && sets != "ISO_IR 192" && sets != "ISO_IR 6";
  // What DCMTK cannot convert stays as it is; text() then shows a question mark for each foreign byte.
  if (given && needed && !japanese) {
    static_cast<void>(item.convertToUTF8());
    return;
  }
  DcmObject* at = nullptr;
  while ((at = item.nextInContainer(at)) != nullptr) {
    auto* element = dynamic_cast<DcmElement*>(at);
    if (japanese && element != nullptr && has_character_set(element->ident())) convert_element(*element);
    auto* list = at->ident() == EVR_SQ ? dynamic_cast<DcmSequenceOfItems*>(at) : nullptr;
    DcmObject* inner = nullptr;
    while (list != nullptr && (inner = list->nextInContainer(inner)) != nullptr)
      if (auto* one = dynamic_cast<DcmItem*>(inner)) convert_item(*one, sets);
  }
  if (given && japanese) static_cast<void>(item.putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192"));
}

}  // namespace

void texts_to_utf8(DcmItem& data) { convert_item(data, {}); }

}  // namespace penta::io::dicom
