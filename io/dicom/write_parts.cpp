#include "io/dicom/write_parts.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dctk.h>

#include <array>
#include <charconv>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"

namespace penta::io::dicom::parts {

namespace {

void check(const OFCondition& status, const DcmTagKey& tag) {
  if (status.bad())
    throw Error(Code::internal,
                std::string("writing DICOM: cannot set ") + tag.toString().c_str() + ": " + status.text());
}

// Cuts a UTF-8 text at a character's border.
std::string cut(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return std::string(text);
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0U) == 0x80U) --longest;
  return std::string(text.substr(0, longest));
}

// PS3.10 7.1, with ourselves as the implementation (DcmFileFormat would name DCMTK).
void fill_meta(DcmMetaInfo& meta, DcmDataset& data, const char* transfer_syntax) {
  constexpr std::array<Uint8, 2> version{0, 1};
  OFString sop_class, sop_instance;
  check(data.findAndGetOFString(DCM_SOPClassUID, sop_class), DCM_SOPClassUID);
  check(data.findAndGetOFString(DCM_SOPInstanceUID, sop_instance), DCM_SOPInstanceUID);
  check(meta.putAndInsertUint32(DCM_FileMetaInformationGroupLength, 0), DCM_FileMetaInformationGroupLength);
  check(meta.putAndInsertUint8Array(DCM_FileMetaInformationVersion, version.data(), version.size()),
        DCM_FileMetaInformationVersion);
  put(meta, DCM_MediaStorageSOPClassUID, sop_class.c_str());
  put(meta, DCM_MediaStorageSOPInstanceUID, sop_instance.c_str());
  put(meta, DCM_TransferSyntaxUID, transfer_syntax);
  put(meta, DCM_ImplementationClassUID, uid_from("pentascope implementation"));
  put(meta, DCM_ImplementationVersionName, "PENTASCOPE");
  check(meta.computeGroupLengthAndPadding(EGL_recalcGL, EPD_noChange, META_HEADER_DEFAULT_TRANSFERSYNTAX),
        DCM_FileMetaInformationGroupLength);
}

// Writes through a small buffer: DCMTK asks to be called again each time that it is full.
template <class Write>
void write_all(std::vector<std::byte>& bytes, const Write& write) {
  std::vector<char> buffer(1U << 16U);
  DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
  OFCondition status = EC_StreamNotifyClient;
  while (status == EC_StreamNotifyClient) {
    status = write(stream);
    void* filled = nullptr;
    offile_off_t length = 0;
    stream.flushBuffer(filled, length);
    const auto* first = static_cast<const std::byte*>(filled);
    bytes.insert(bytes.end(), first, first + length);
  }
  if (status.bad()) throw Error(Code::internal, std::string("writing DICOM to memory: ") + status.text());
}

}  // namespace

void put(DcmItem& item, const DcmTagKey& tag, std::string_view value) {
  const DcmTag named(tag);
  std::string text(value);
  // ACR-NEMA wrote 1994.11.05 and 14:04:38, which old files still hold (PS3.5 6.2: not to be written any more).
  if (named.getEVR() == EVR_DA) std::erase(text, '.');
  if (named.getEVR() == EVR_TM) std::erase(text, ':');
  check(item.putAndInsertOFStringArray(named, OFString(text.data(), text.size())), tag);
}

void put_text(DcmItem& item, const DcmTagKey& tag, std::string_view value, std::size_t longest) {
  std::string text(value);
  for (char& c : text) {
    if (c == '\\') c = '/';
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  }
  put(item, tag, cut(text, longest));
}

std::string decimal_text(double value) {
  if (!std::isfinite(value)) throw Error(Code::bad_input, "writing DICOM: a number is not finite");
  std::array<char, 40> text{};
  const auto shortest = std::to_chars(text.data(), text.data() + text.size(), value);
  if (shortest.ptr - text.data() <= 16) return {text.data(), shortest.ptr};
  for (int digits = 15; digits > 0; --digits) {
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, digits).ptr;
    if (end - text.data() <= 16) return {text.data(), end};
  }
  return "0";
}

double as_written(double value) {
  const std::string text = decimal_text(value);
  double read = 0;
  static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), read));
  return read;
}

void put_decimals(DcmItem& item, const DcmTagKey& tag, std::span<const double> values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : "\\") + decimal_text(value);
  put(item, tag, text);
}

void put_decimal(DcmItem& item, const DcmTagKey& tag, double value) { put(item, tag, decimal_text(value)); }

void put_integer(DcmItem& item, const DcmTagKey& tag, std::int64_t value) { put(item, tag, std::to_string(value)); }

void put_u16(DcmItem& item, const DcmTagKey& tag, std::uint16_t value) {
  check(item.putAndInsertUint16(DcmTag(tag), value), tag);
}

void put_u16s(DcmItem& item, const DcmTagKey& tag, std::span<const std::uint16_t> values) {
  check(item.putAndInsertUint16Array(DcmTag(tag), values.data(), values.size()), tag);
}

void put_u32(DcmItem& item, const DcmTagKey& tag, std::uint32_t value) {
  check(item.putAndInsertUint32(DcmTag(tag), value), tag);
}

void put_u32s(DcmItem& item, const DcmTagKey& tag, std::span<const std::uint32_t> values) {
  auto element = std::make_unique<DcmUnsignedLong>(DcmTag(tag, EVR_UL));
  check(element->putUint32Array(values.data(), values.size()), tag);
  check(item.insert(element.get(), OFTrue), tag);
  static_cast<void>(element.release());
}

void put_double(DcmItem& item, const DcmTagKey& tag, double value) {
  check(item.putAndInsertFloat64(DcmTag(tag), value), tag);
}

void put_tag(DcmItem& item, const DcmTagKey& tag, const DcmTagKey& value) {
  check(item.putAndInsertTagKey(DcmTag(tag), value), tag);
}

void put_pixels(DcmItem& item, std::span<const std::uint8_t> bytes) {
  auto element = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OB));
  check(element->putUint8Array(bytes.data(), bytes.size()), DCM_PixelData);
  check(item.insert(element.get(), OFTrue), DCM_PixelData);
  static_cast<void>(element.release());
}

void put_pixels(DcmItem& item, std::span<const std::uint16_t> words) {
  auto element = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OW));
  check(element->putUint16Array(words.data(), words.size()), DCM_PixelData);
  check(item.insert(element.get(), OFTrue), DCM_PixelData);
  static_cast<void>(element.release());
}

DcmItem& add_item(DcmItem& item, const DcmTagKey& sequence) {
  DcmItem* added = nullptr;
  check(item.findOrCreateSequenceItem(DcmTag(sequence), added, -2), sequence);
  return *added;
}

void add_code(DcmItem& item, const DcmTagKey& sequence, const CodedConcept& code) {
  DcmItem& row = add_item(item, sequence);
  // PS3.3 table 8.8-1: a code of more than 16 characters has an attribute of its own.
  if (code.value.size() > 16)
    put(row, DCM_LongCodeValue, code.value);
  else
    put(row, DCM_CodeValue, code.value);
  put_text(row, DCM_CodingSchemeDesignator, code.scheme, 16);
  put_text(row, DCM_CodeMeaning, code.meaning.empty() ? code.value : code.meaning);
}

void add_reference(DcmItem& item, const DcmTagKey& sequence, const SourceInstance& instance) {
  DcmItem& row = add_item(item, sequence);
  put(row, DCM_ReferencedSOPClassUID, instance.sop_class_uid);
  put(row, DCM_ReferencedSOPInstanceUID, instance.sop_instance_uid);
  if (instance.frame > 0) put_integer(row, DCM_ReferencedFrameNumber, instance.frame);
}

void put_empty_sequence(DcmItem& item, const DcmTagKey& tag) {
  check(item.insertEmptyElement(DcmTag(tag, EVR_SQ)), tag);
}

void put_float(DcmItem& item, const DcmTagKey& tag, std::span<const float> values) {
  check(item.putAndInsertFloat32Array(DcmTag(tag), values.data(), values.size()), tag);
}

std::string uid_for(const Provenance& provenance, std::string_view purpose, std::int64_t index) {
  return uid_from(provenance.uid_seed + provenance.creation_time + std::string(purpose) + std::to_string(index));
}

std::string study_uid_of(const Acquisition& source, const Provenance& provenance) {
  return source.study_uid.empty() ? uid_for(provenance, "study") : source.study_uid;
}

void put_orientation(DcmItem& item, const Grid& grid) {
  const Vector3 row = grid.axis(0), column = grid.axis(1);
  put_decimals(item, DCM_ImageOrientationPatient, std::array{row[0], row[1], row[2], column[0], column[1], column[2]});
}

void put_position(DcmItem& item, const PatientPoint& point) {
  put_decimals(item, DCM_ImagePositionPatient, std::array{point.x, point.y, point.z});
}

std::vector<std::byte> to_bytes(DcmDataset& data, bool implicit) {
  return to_bytes_as(data, implicit ? UID_LittleEndianImplicitTransferSyntax : UID_LittleEndianExplicitTransferSyntax);
}

std::vector<std::byte> to_bytes_as(DcmDataset& data, const char* transfer_syntax) {
  const bool implicit = std::string_view(transfer_syntax) == UID_LittleEndianImplicitTransferSyntax;
  DcmMetaInfo meta;
  fill_meta(meta, data, transfer_syntax);
  std::vector<std::byte> bytes;
  meta.transferInit();
  write_all(bytes, [&](DcmOutputStream& stream) {
    return meta.write(stream, META_HEADER_DEFAULT_TRANSFERSYNTAX, EET_ExplicitLength, nullptr);
  });
  meta.transferEnd();
  data.transferInit();
  write_all(bytes, [&](DcmOutputStream& stream) {
    return data.write(stream, implicit ? EXS_LittleEndianImplicit : EXS_LittleEndianExplicit, EET_ExplicitLength,
                      nullptr, EGL_recalcGL, EPD_withoutPadding);
  });
  data.transferEnd();
  return bytes;
}

std::vector<std::byte> item_bytes(std::int64_t count, const FillItem& fill) {
  constexpr std::int64_t at_once = 256;
  std::vector<std::vector<std::byte>> blocks(static_cast<std::size_t>((count + at_once - 1) / at_once));
  parallel_for(count, at_once, [&](std::int64_t first, std::int64_t last) {
    auto& block = blocks[static_cast<std::size_t>(first / at_once)];
    for (std::int64_t k = first; k < last; ++k) {
      DcmItem item;
      fill(k, item);
      item.transferInit();
      write_all(block, [&](DcmOutputStream& stream) {
        return item.write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, nullptr);
      });
      item.transferEnd();
    }
  });
  std::vector<std::byte> bytes;
  for (auto& block : blocks) {
    bytes.insert(bytes.end(), block.begin(), block.end());
    block = {};
  }
  return bytes;
}

void append_element(std::vector<std::byte>& bytes, const DcmTagKey& tag, std::string_view vr, std::uint64_t length) {
  if (length >= 0xFFFFFFFEU)
    throw Error(Code::bad_input, std::string("writing DICOM: ") + tag.toString().c_str() + " would be 4 GiB or longer");
  const auto put_byte = [&](std::uint64_t value) { bytes.push_back(static_cast<std::byte>(value & 0xFFU)); };
  for (const unsigned half : {unsigned{tag.getGroup()}, unsigned{tag.getElement()}}) {
    put_byte(half);
    put_byte(half >> 8);
  }
  for (const char c : vr.substr(0, 2)) put_byte(static_cast<unsigned char>(c));
  put_byte(0);
  put_byte(0);
  for (int shift = 0; shift < 32; shift += 8) put_byte(length >> shift);
}

void append_sequence(std::vector<std::byte>& bytes, const DcmTagKey& tag, std::span<const std::byte> items) {
  append_element(bytes, tag, "SQ", items.size());
  bytes.insert(bytes.end(), items.begin(), items.end());
}

}  // namespace penta::io::dicom::parts
