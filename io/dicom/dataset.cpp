#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "io/dicom/internal.h"
#include "io/dicom/nesting.h"

namespace penta::io::dicom {

namespace {

constexpr std::int64_t first_read = 256 << 10;

// DCMTK logs to standard error unless told otherwise; what matters is in our own faults.
void set_up_dcmtk() {
  static const bool ready = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    return true;
  }();
  static_cast<void>(ready);
}

/// Bytes that outlive the data set. DCMTK then leaves long values where they are until someone asks for them, so a
/// value that claims four gigabytes costs nothing.
class MemoryFactory : public DcmInputStreamFactory {
 public:
  explicit MemoryFactory(std::span<const std::byte> bytes) : bytes_(bytes) {}
  [[nodiscard]] DcmInputStream* create() const override;
  [[nodiscard]] DcmInputStreamFactory* clone() const override {
    return std::make_unique<MemoryFactory>(bytes_).release();
  }
  [[nodiscard]] DcmInputStreamFactoryType ident() const override { return DFT_DcmInputTempFileStreamFactory; }

 private:
  std::span<const std::byte> bytes_;
};

class MemoryStream : public DcmInputBufferStream {
 public:
  explicit MemoryStream(std::span<const std::byte> bytes) : bytes_(bytes) {
    setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
    setEos();
  }
  [[nodiscard]] DcmInputStreamFactory* newFactory() const override {
    return std::make_unique<MemoryFactory>(bytes_.subspan(static_cast<std::size_t>(tell()))).release();
  }

 private:
  std::span<const std::byte> bytes_;
};

DcmInputStream* MemoryFactory::create() const { return std::make_unique<MemoryStream>(bytes_).release(); }

std::vector<std::byte> read_file(const Source& source, std::int64_t limit, Object& object) {
  const File file(source.path, source.name);
  object.stamp = file.stamp();
  object.file_bytes = object.stamp.bytes;
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(object.file_bytes, limit)));
  file.read(0, bytes);
  return bytes;
}

std::uint32_t number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t count, bool big) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= static_cast<std::uint32_t>(bytes[at + i]) << (8 * (big ? count - 1 - i : i));
  return value;
}

bool starts_big_endian(std::span<const std::byte> bytes) noexcept {
  return bytes.size() > 1 && bytes[0] == std::byte{0} && bytes[1] != std::byte{0};
}

// As the bytes are, not as the meta header says.
bool is_implicit(std::span<const std::byte> bytes) noexcept {
  const auto capital = [&](std::size_t i) { return bytes[i] >= std::byte{'A'} && bytes[i] <= std::byte{'Z'}; };
  return bytes.size() > 5 && !(capital(4) && capital(5));
}

// DCMTK stops behind the header of the first element from (7FE0,0008) on: the pixel data, or something after it.
void find_pixels(Object& object, std::size_t value, bool explicit_vr) {
  const auto bytes = object.bytes;
  const bool big = object.big_endian;
  // Eight bytes of header, or twelve where an explicit VR has a 32-bit length (PS3.5 7.1.2).
  bool is_long = false;
  if (explicit_vr && value >= 12) {
    const char first = static_cast<char>(bytes[value - 8]), second = static_cast<char>(bytes[value - 7]);
    is_long = (first == 'O' && second >= 'A' && second <= 'Z') || (first == 'U' && second == 'N');
    object.words = first == 'O' && second == 'W';
  }
  const std::size_t header = is_long ? 12 : 8;
  if (value < header) return;
  const Tag found{static_cast<std::uint16_t>(number_at(bytes, value - header, 2, big)),
                  static_cast<std::uint16_t>(number_at(bytes, value - header + 2, 2, big))};
  if (found.group != 0x7FE0 || found.element < 8 || found.element > 0x10) return;
  const std::size_t width = is_long || !explicit_vr ? 4 : 2;
  object.pixel_length = number_at(bytes, value - width, width, big);
  if (!explicit_vr) object.words = true;
  object.pixel_tag = found;
  object.pixel_offset = static_cast<std::int64_t>(value);
}

[[noreturn]] void fail(const Object& object, const OFCondition& status) {
  const std::string reason = status == EC_StreamNotifyClient || status == EC_EndOfStream || status == EC_InvalidStream
                                 ? "the file ends inside its header (truncated)"
                                 : std::string("not a readable DICOM data set (") + status.text() + ")";
  throw Error(Code::bad_input, "reading " + object.name + ": " + reason);
}

/// The elements of group 0002, explicit little endian (PS3.10 7.1); gives where the data set starts. Some writers leave
/// out the group's length, which is not needed, and a few the VR.
std::size_t read_meta(Object& object) {
  const auto bytes = object.bytes;
  std::size_t at = bytes.size() >= 132 && bytes[128] == std::byte{'D'} && bytes[129] == std::byte{'I'} ? 132 : 0;
  while (at + 8 <= bytes.size() && number_at(bytes, at, 2, false) == 2) {
    const std::uint32_t element = number_at(bytes, at + 2, 2, false);
    const bool brief = !is_implicit(bytes.subspan(at));
    const bool is_long = brief && (bytes[at + 4] == std::byte{'O'} ||
                                   (bytes[at + 4] == std::byte{'U'} && bytes[at + 5] == std::byte{'N'}));
    const std::size_t header = is_long ? 12 : 8;
    if (at + header > bytes.size()) break;
    const std::size_t length = is_long ? number_at(bytes, at + 8, 4, false)
                               : brief ? number_at(bytes, at + 6, 2, false)
                                       : number_at(bytes, at + 4, 4, false);
    if (length > bytes.size() - at - header) break;
    std::string value(reinterpret_cast<const char*>(bytes.data()) + at + header, std::min<std::size_t>(length, 128));
    while (!value.empty() && (value.back() == '\0' || value.back() == ' ')) value.pop_back();
    if (element == 0x0010) object.transfer_syntax = value;
    if (element == 0x0002) object.media_class = value;
    at += header + length;
  }
  return at;
}

/// Parses `object.bytes`; false when they end before the pixel data although the file goes on.
bool parse(Object& object) {
  std::size_t at = read_meta(object);
  if (object.transfer_syntax == "1.2.840.10008.1.2.1.99") {
    if (!object.complete) return false;
    object.storage = inflate_data_set(object.bytes.subspan(std::min(at, object.bytes.size())), object.name);
    object.bytes = object.storage;
    at = 0;
  }
  const auto rest = object.bytes.subspan(std::min(at, object.bytes.size()));
  // Byte order and VR are as the bytes are: some files name another syntax. All encapsulated ones are explicit little
  // endian (PS3.5 A.4).
  const bool big = starts_big_endian(rest), implicit = !big && is_implicit(rest);
  const E_TransferSyntax syntax =
      big ? EXS_BigEndianExplicit : implicit ? EXS_LittleEndianImplicit : EXS_LittleEndianExplicit;
  const Nesting nesting = nesting_of(rest, big, implicit);
  if (nesting.depth > nesting_limit)
    throw Error(Code::bad_input, "reading " + object.name + ": sequences are nested deeper than 32");
  // DCMTK would set aside the bytes that a value claims to have.
  if (nesting.overrun && !object.complete) return false;
  if (nesting.overrun)
    throw Error(Code::bad_input, "reading " + object.name + ": the file ends inside its header (truncated)");

  MemoryStream body(rest);
  object.dataset = std::make_unique<DcmDataset>();
  object.dataset->transferInit();
  const OFCondition status =
      object.dataset->readUntilTag(body, syntax, EGL_noChange, DCM_MaxReadLength, DcmTagKey(0x7FE0, 0x0008));
  object.dataset->transferEnd();
  const auto stopped = static_cast<std::size_t>(body.tell());
  if (!object.complete && (status.bad() || stopped >= rest.size())) return false;
  if (status.bad()) fail(object, status);
  const DcmXfer actual(object.dataset->getOriginalXfer());
  object.big_endian = actual.isBigEndian();
  if (object.transfer_syntax.empty()) object.transfer_syntax = actual.getXferID();
  find_pixels(object, at + stopped, actual.isExplicitVR());
  return true;
}

std::string clean(std::string value) {
  for (std::size_t i = 0; i < value.size();) {
    const auto first = static_cast<unsigned char>(value[i]);
    const std::size_t length = first < 0x80 ? 1 : first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : 2;
    bool good = first < 0x80 || (first >= 0xC2 && first < 0xF5 && i + length <= value.size());
    for (std::size_t k = 1; good && k < length; ++k) good = (static_cast<unsigned char>(value[i + k]) & 0xC0) == 0x80;
    if (good && length == 1 && (first < 0x20 || first == 0x7F)) value[i] = ' ';
    if (!good) value[i] = '?';
    i += good ? length : 1;
  }
  const auto begin = value.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return value.substr(begin, value.find_last_not_of(' ') - begin + 1);
}

DcmElement* element_of(DcmItem& item, Tag tag) {
  DcmElement* element = nullptr;
  return item.findAndGetElement(DcmTagKey(tag.group, tag.element), element).good() ? element : nullptr;
}

}  // namespace

Object::Object() = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

DcmItem& Object::data() const { return *dataset; }

Object load(const Source& source, bool whole, Texts texts) {
  set_up_dcmtk();
  Object object;
  object.name = source.name;
  const bool in_memory = source.path.empty();
  for (const std::int64_t limit : {whole ? std::numeric_limits<std::int64_t>::max() : first_read,
                                   std::numeric_limits<std::int64_t>::max()}) {
    if (in_memory) {
      object.bytes = source.bytes;
      object.file_bytes = static_cast<std::int64_t>(source.bytes.size());
    } else {
      object.storage = read_file(source, limit, object);
      object.bytes = object.storage;
    }
    object.complete = object.file_bytes == static_cast<std::int64_t>(object.bytes.size());
    if (!sniff(object.bytes)) throw Error(Code::bad_input, "reading " + object.name + ": not a DICOM file");
    if (parse(object)) break;
  }
  if (texts == Texts::utf8) texts_to_utf8(*object.dataset);
  return object;
}

Object reopen(const Instance& instance) {
  const File file(instance.source.path, instance.source.name);
  if (file.stamp() != instance.stamp)
    throw Error(Code::bad_input, "reading " + instance.source.name + ": the file changed while it was being read");
  const PixelPlace& place = *instance.place;
  Object object;
  object.name = instance.source.name;
  object.transfer_syntax = instance.transfer_syntax;
  object.stamp = file.stamp();
  object.file_bytes = object.stamp.bytes;
  object.big_endian = place.big_endian;
  object.words = place.words;
  object.pixel_tag = Tag{0x7FE0, 0x0010};
  object.pixel_length = place.length;
  object.storage.resize(static_cast<std::size_t>(std::min<std::int64_t>(place.length, object.file_bytes - place.offset)));
  file.read(place.offset, object.storage);
  object.bytes = object.storage;
  object.dataset = std::make_unique<DcmDataset>();
  return object;
}

bool has(DcmItem& item, Tag tag) { return item.tagExistsWithValue(DcmTagKey(tag.group, tag.element)); }

std::string text(DcmItem& item, Tag tag) {
  DcmElement* element = element_of(item, tag);
  if (element == nullptr) return {};
  if (element->ident() == EVR_UN || element->ident() == EVR_OB) {
    // A private or unknown element: its bytes are taken as text.
    Uint8* bytes = nullptr;
    if (element->getUint8Array(bytes).bad() || bytes == nullptr) return {};
    return clean(std::string(reinterpret_cast<const char*>(bytes), std::min<std::size_t>(element->getLength(), 4096)));
  }
  if (element->isaString()) {
    // As stored: DCMTK's own joining of values takes quadratic time, and contours have thousands of numbers.
    char* value = nullptr;
    Uint32 length = 0;
    if (element->getString(value, length).bad() || value == nullptr) return {};
    return clean(std::string(value, length));
  }
  OFString value;
  if (element->getOFStringArray(value).bad()) return {};
  return clean(std::string(value.c_str(), value.size()));
}

std::vector<std::string> words(DcmItem& item, Tag tag) {
  const std::string all = text(item, tag);
  std::vector<std::string> parts;
  if (all.empty()) return parts;
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find('\\', at), all.size());
    parts.push_back(clean(all.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

std::vector<DcmItem*> items(DcmItem& item, Tag sequence) {
  std::vector<DcmItem*> out;
  DcmElement* element = element_of(item, sequence);
  if (element == nullptr || element->ident() != EVR_SQ) return out;
  auto* list = dynamic_cast<DcmSequenceOfItems*>(element);
  DcmObject* at = nullptr;
  while (list != nullptr && (at = list->nextInContainer(at)) != nullptr)
    if (auto* one = dynamic_cast<DcmItem*>(at)) out.push_back(one);
  return out;
}

DcmItem* first_item(DcmItem& item, Tag sequence) {
  const auto all = items(item, sequence);
  return all.empty() ? nullptr : all.front();
}

std::vector<std::uint16_t> words16(DcmItem& item, Tag tag) {
  DcmElement* element = element_of(item, tag);
  if (element == nullptr) return {};
  std::vector<std::uint16_t> out;
  Uint16* values = nullptr;
  Uint8* bytes = nullptr;
  if (element->getUint16Array(values).good() && values != nullptr) {
    out.assign(values, values + element->getLength() / 2);
  } else if (element->getUint8Array(bytes).good() && bytes != nullptr) {
    out.resize(element->getLength() / 2);
    std::memcpy(out.data(), bytes, out.size() * 2);
  }
  return out;
}

std::vector<std::uint64_t> raw_numbers64(DcmItem& item, Tag tag) {
  DcmElement* element = element_of(item, tag);
  if (element == nullptr) return {};
  std::vector<std::uint64_t> out;
  Uint64* values = nullptr;
  Uint8* bytes = nullptr;
  const std::size_t count = element->getLength() / 8;
  if (element->getUint64Array(values).good() && values != nullptr) {
    out.assign(values, values + count);
  } else if (element->getUint8Array(bytes).good() && bytes != nullptr) {
    out.resize(count);
    std::memcpy(out.data(), bytes, count * 8);
  }
  return out;
}

std::string uid_name(const std::string& uid) {
  const char* found = dcmFindNameOfUID(uid.c_str());
  return found == nullptr ? uid : std::string(found) + " (" + uid + ")";
}

}  // namespace penta::io::dicom
