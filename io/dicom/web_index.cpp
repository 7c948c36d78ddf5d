#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "io/dicom/web_parts.h"

namespace penta::io::dicom {

namespace {

constexpr std::string_view deflated_data_set = "1.2.840.10008.1.2.1.99";

[[noreturn]] void fail(const Object& object, const std::string& what) {
  throw Error(Code::bad_input, "reading " + object.name + ": " + what);
}

std::string uid_of(const Object& object, Tag tag, const std::string& what) {
  const std::string uid = text(object.data(), tag);
  if (uid.empty()) fail(object, "it has no " + what);
  if (!is_uid(uid)) fail(object, what + " is no UID (digits and points, at most 64)");
  return uid;
}

ByteReader reader_of(const Object& object, const File* file) {
  if (file != nullptr)
    return {file->stamp().bytes, [file](std::int64_t offset, std::span<std::byte> out) { file->read(offset, out); }};
  return {static_cast<std::int64_t>(object.bytes.size()), [&object](std::int64_t offset, std::span<std::byte> out) {
            std::copy_n(object.bytes.begin() + offset, out.size(), out.begin());
          }};
}

void native_ranges(const Object& object, const Layout& layout, bool in_file, WebIndex& index) {
  // Of a data set that was unpacked the length is that of its own bytes.
  const std::int64_t end = in_file ? object.file_bytes : static_cast<std::int64_t>(object.bytes.size());
  std::int64_t frame_bytes = layout.frame_bytes();
  const std::int64_t there = std::min<std::int64_t>(object.pixel_length, end - object.pixel_offset);
  // Some writers store YBR_FULL_422 at full resolution.
  if (layout.photometric == "YBR_FULL_422" && there >= layout.pixels() * 3 * layout.frames) frame_bytes = layout.pixels() * 3;
  const std::int64_t needed = layout.bits_allocated == 1 ? layout.native_bytes() : frame_bytes * layout.frames;
  if (there < needed)
    fail(object, "truncated: " + std::to_string(there) + " bytes of pixel data, " + std::to_string(needed) + " are needed");
  const bool swapped = object.big_endian && (layout.bits_allocated > 8 || object.words);
  const bool split_bits = layout.bits_allocated == 1 && (layout.frames > 1 && layout.pixels() % 8 != 0);
  index.frames_by_decoding = !in_file || swapped || split_bits;
  for (std::int64_t f = 0; !index.frames_by_decoding && f < layout.frames; ++f)
    index.frames.push_back({{object.pixel_offset + f * frame_bytes, frame_bytes}});
}

void encapsulated_ranges(const Object& object, const Layout& layout, const ByteReader& read, WebIndex& index) {
  for (const auto& frame : frame_ranges(object, layout.frames, read)) {
    auto& ranges = index.frames.emplace_back();
    for (const PixelRange& range : frame) ranges.push_back({range.offset, range.length});
  }
}

void add_frames(const Object& object, const File* file, WebIndex& index) {
  if (!object.has_pixels()) return;
  if (!object.encapsulated() && object.pixel_length == 0) return;
  Layout layout;
  try {
    layout = layout_of(object);
  } catch (const Error&) {
    return;  // it is kept as it is; its pixels are not read
  }
  index.rows = layout.rows;
  index.columns = layout.columns;
  index.frame_count = layout.frames;
  const bool in_file = object.transfer_syntax != deflated_data_set;
  if (!object.encapsulated()) return native_ranges(object, layout, in_file, index);
  if (!in_file) return;
  const ByteReader read = reader_of(object, file);
  try {
    encapsulated_ranges(object, layout, read, index);
  } catch (const Error&) {
    // A video is one stream for all its frames; others may hold other frames than they say. All are kept as they are.
    index.frames.clear();
  }
  if (const auto cut = cut_fragment(object, read)) fail(object, *cut);
}

/// Whether values of this VR are characters that no character set changes.
bool is_plain_text(DcmEVR vr) noexcept {
  constexpr std::array<DcmEVR, 10> plain{EVR_AE, EVR_AS, EVR_CS, EVR_DA, EVR_DS, EVR_DT, EVR_IS, EVR_TM, EVR_UI, EVR_UR};
  return std::find(plain.begin(), plain.end(), vr) != plain.end();
}

/// PS3.5 6.2.2: an element of VR UN whose tag the dictionary knows has its VR. Texts without character set only, so that
/// what is found by them (UIDs, dates, modalities) is found; others stay UN.
void name_unknown(DcmItem& item) {
  std::vector<std::pair<DcmTag, std::string>> known;
  DcmObject* at = nullptr;
  while ((at = item.nextInContainer(at)) != nullptr) {
    if (auto* list = dynamic_cast<DcmSequenceOfItems*>(at))
      for (unsigned long i = 0; i < list->card(); ++i) name_unknown(*list->getItem(i));
    auto* element = dynamic_cast<DcmElement*>(at);
    if (element == nullptr || element->ident() != EVR_UN || element->getGTag() % 2 != 0 || element->getLength() > 65534) continue;
    const DcmTag tag(element->getGTag(), element->getETag());
    if (!is_plain_text(tag.getEVR())) continue;
    const std::vector<std::byte> bytes = little_endian_bytes(*element);
    known.emplace_back(tag, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  for (auto& [tag, value] : known) {
    while (!value.empty() && (value.back() == '\0' || value.back() == ' ')) value.pop_back();
    item.putAndInsertOFStringArray(tag, value.c_str(), OFTrue);
  }
}

WebIndex index_of(const Object& object, const File* file) {
  name_unknown(object.data());
  WebIndex index;
  index.study_uid = uid_of(object, tag::study_uid, "Study Instance UID (0020,000D)");
  index.series_uid = uid_of(object, tag::series_uid, "Series Instance UID (0020,000E)");
  index.sop_uid = uid_of(object, tag::sop_instance, "SOP Instance UID (0008,0018)");
  index.sop_class = uid_of(object, tag::sop_class, "SOP Class UID (0008,0016)");
  if (!is_uid(object.transfer_syntax)) fail(object, "its transfer syntax (0002,0010) is no UID");
  index.transfer_syntax = object.transfer_syntax;
  add_frames(object, file, index);
  index.metadata = dicom_json(object);
  return index;
}

void check_part10(std::span<const std::byte> bytes, const std::string& name) {
  const bool marked = bytes.size() >= 132 && bytes[128] == std::byte{'D'} && bytes[129] == std::byte{'I'} &&
                      bytes[130] == std::byte{'C'} && bytes[131] == std::byte{'M'};
  if (!marked) throw Error(Code::bad_input, "reading " + name + ": not a DICOM file (PS3.10): 'DICM' does not stand at byte 128");
}

/// The element that a path names; nothing where there is none.
DcmElement* element_at(DcmItem& item, std::string_view path) {
  const auto number = [](std::string_view text, int base) -> std::optional<unsigned long> {
    unsigned long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  };
  DcmItem* in = &item;
  for (;;) {
    const auto tag_end = std::min(path.find('/'), path.size());
    const auto tag = tag_end == 8 ? number(path.substr(0, 8), 16) : std::nullopt;
    DcmElement* element = nullptr;
    if (!tag || in->findAndGetElement(DcmTagKey(static_cast<Uint16>(*tag >> 16), static_cast<Uint16>(*tag & 0xFFFF)), element).bad())
      return nullptr;
    if (tag_end == path.size()) return element->ident() == EVR_SQ ? nullptr : element;
    path.remove_prefix(tag_end + 1);
    const auto item_end = path.find('/');
    const auto index = number(path.substr(0, std::min(item_end, path.size())), 10);
    auto* list = dynamic_cast<DcmSequenceOfItems*>(element);
    if (!index || item_end == std::string_view::npos || list == nullptr || *index >= list->card()) return nullptr;
    in = list->getItem(*index);
    path.remove_prefix(item_end + 1);
  }
}

std::vector<std::byte> pixel_bytes(const Object& object) {
  if (object.encapsulated()) {
    std::vector<std::byte> out;
    for (const auto& frame : fragments_by_frame(object, 1))
      for (const auto piece : frame) out.insert(out.end(), piece.begin(), piece.end());
    return out;
  }
  const std::int64_t there = static_cast<std::int64_t>(object.bytes.size()) - object.pixel_offset;
  const auto first = object.bytes.begin() + object.pixel_offset;
  std::vector<std::byte> out(first, first + std::min<std::int64_t>(object.pixel_length, there));
  const int bits = integer(object.data(), tag::bits_allocated).value_or(8);
  const std::size_t width = object.pixel_tag.element == 9   ? 8
                            : object.pixel_tag.element == 8 ? 4
                            : bits > 8                      ? static_cast<std::size_t>(bits / 8)
                                                            : (object.words ? 2 : 1);
  for (std::size_t i = 0; object.big_endian && width > 1 && i + width <= out.size(); i += width)
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(i + width));
  return out;
}

}  // namespace

bool is_uid(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

WebIndex web_index(const std::filesystem::path& path) {
  const std::string name = "the instance";  // files of an archive have hashes for names
  const Object object = load({name, path}, false);
  const File file(path, name);
  std::array<std::byte, 132> head{};
  if (file.stamp().bytes >= 132) file.read(0, head);
  check_part10(head, name);
  return index_of(object, &file);
}

WebIndex web_index(std::span<const std::byte> bytes, const std::string& name) {
  check_part10(bytes, name);
  return index_of(load({name, {}, bytes}, true), nullptr);
}

std::vector<std::byte> bulk_value(const std::filesystem::path& path, const std::string& bulk_path) {
  const std::string name = "the instance";  // files of an archive have hashes for names
  if (bulk_path == "7FE00008" || bulk_path == "7FE00009" || bulk_path == "7FE00010") {
    const Object object = load({name, path}, true);
    if (object.has_pixels() && bulk_path.ends_with(object.pixel_tag.element == 8   ? "08"
                                                   : object.pixel_tag.element == 9 ? "09"
                                                                                   : "10"))
      return pixel_bytes(object);
    throw Error(Code::bad_input, "reading " + name + ": there is no element " + bulk_path);
  }
  const Object object = load({name, path}, false);
  DcmElement* element = element_at(object.data(), bulk_path);
  if (element == nullptr) throw Error(Code::bad_input, "reading " + name + ": there is no element " + bulk_path);
  return little_endian_bytes(*element);
}

}  // namespace penta::io::dicom
