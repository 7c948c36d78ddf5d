#include "io/dicom/made_test.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace penta::io::dicom {

namespace {

DcmTagKey key(Tag tag) { return {tag.group, tag.element}; }

void register_encoders() {
  static const bool ready = [] {
    DJEncoderRegistration::registerCodecs();
    DcmRLEEncoderRegistration::registerCodecs();
    return true;
  }();
  static_cast<void>(ready);
}

}  // namespace

Made::Made(const std::string& sop_class, const std::string& modality, int columns, int rows, int bits)
    : data_(std::make_unique<DcmDataset>()) {
  text(tag::sop_class, sop_class).text(tag::sop_instance, "1.2.3.4");
  text(tag::study_uid, "1.2.3.1").text(tag::series_uid, "1.2.3.2").text(tag::modality, modality);
  if (columns == 0) return;
  word(tag::samples_per_pixel, 1).text(tag::photometric, "MONOCHROME2");
  word(tag::rows, static_cast<std::uint16_t>(rows)).word(tag::columns, static_cast<std::uint16_t>(columns));
  word(tag::bits_allocated, static_cast<std::uint16_t>(bits)).word(tag::bits_stored, static_cast<std::uint16_t>(bits));
  word(tag::high_bit, static_cast<std::uint16_t>(bits - 1)).word(tag::pixel_representation, 0);
}
Made::Made(Made&&) noexcept = default;
Made::~Made() = default;

DcmItem& Made::data() const { return *data_; }

Made& Made::text(Tag tag, const std::string& value) {
  set_text(*data_, tag, value);
  return *this;
}

Made& Made::word(Tag tag, std::uint16_t value) {
  set_word(*data_, tag, value);
  return *this;
}

Made& Made::words(Tag tag, const std::vector<std::uint16_t>& values) {
  data_->putAndInsertUint16Array(key(tag), values.data(), static_cast<unsigned long>(values.size()));
  return *this;
}

Made& Made::numbers64(Tag tag, const std::vector<std::uint64_t>& values) {
  auto element = std::make_unique<DcmOther64bitVeryLong>(DcmTag(key(tag), EVR_OV));
  element->putUint64Array(values.data(), static_cast<unsigned long>(values.size()));
  data_->insert(element.release(), OFTrue);
  return *this;
}

Made& Made::pixels(const std::vector<std::uint16_t>& values) { return words({0x7FE0, 0x0010}, values); }

Made& Made::pixels8(const std::vector<std::uint8_t>& values) {
  std::vector<std::uint8_t> even = values;
  if (even.size() % 2 != 0) even.push_back(0);
  data_->putAndInsertUint8Array(DCM_PixelData, even.data(), static_cast<unsigned long>(even.size()));
  return *this;
}

std::vector<std::byte> Made::bytes(const std::string& transfer_syntax) const {
  register_encoders();
  const E_TransferSyntax syntax = DcmXfer(transfer_syntax.c_str()).getXfer();
  DcmFileFormat file(data_.get());
  if (file.getDataset()->chooseRepresentation(syntax, nullptr).bad())
    throw std::runtime_error("DCMTK cannot encode this");
  std::vector<std::byte> out(1 << 22);
  DcmOutputBufferStream stream(out.data(), static_cast<offile_off_t>(out.size()));
  file.transferInit();
  const OFCondition status = file.write(stream, syntax, EET_ExplicitLength, nullptr, EGL_recalcGL, EPD_noChange);
  file.transferEnd();
  stream.flush();
  void* buffer = nullptr;
  offile_off_t length = 0;
  stream.flushBuffer(buffer, length);
  if (status.bad()) throw std::runtime_error(status.text());
  out.resize(static_cast<std::size_t>(length));
  return out;
}

namespace {

void append(std::vector<std::byte>& out, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void append_item(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  append(out, 0xE000FFFE, 4);
  append(out, bytes.size() + bytes.size() % 2, 4);
  out.insert(out.end(), bytes.begin(), bytes.end());
  if (bytes.size() % 2 != 0) out.push_back(std::byte{0});
}

}  // namespace

std::vector<std::byte> Made::encapsulated(const std::string& transfer_syntax,
                                          const std::vector<std::vector<std::byte>>& fragments,
                                          const std::vector<std::uint32_t>& offsets) const {
  std::vector<std::byte> out(128);
  append(out, 0x4D434944, 4);  // DICM
  append(out, 0x00100002, 4);
  append(out, 0x4955, 2);
  append(out, transfer_syntax.size() + transfer_syntax.size() % 2, 2);
  for (const char c : transfer_syntax) out.push_back(static_cast<std::byte>(c));
  if (transfer_syntax.size() % 2 != 0) out.push_back(std::byte{0});
  std::vector<std::byte> header(1 << 20);
  DcmOutputBufferStream stream(header.data(), static_cast<offile_off_t>(header.size()));
  data_->transferInit();
  const OFCondition status = data_->write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, nullptr);
  data_->transferEnd();
  stream.flush();
  void* buffer = nullptr;
  offile_off_t length = 0;
  stream.flushBuffer(buffer, length);
  if (status.bad()) throw std::runtime_error(status.text());
  out.insert(out.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(length));
  append(out, 0x00107FE0, 4);
  append(out, 0x424F, 4);  // OB
  append(out, 0xFFFFFFFF, 4);
  append_item(out, std::as_bytes(std::span(offsets)));
  for (const auto& fragment : fragments) append_item(out, fragment);
  append(out, 0xE0DDFFFE, 8);
  return out;
}

void set_text(DcmItem& item, Tag tag, const std::string& value) {
  item.putAndInsertString(key(tag), value.c_str());
}

void set_words(DcmItem& item, Tag tag, const std::vector<std::uint16_t>& values) {
  item.putAndInsertUint16Array(key(tag), values.data(), static_cast<unsigned long>(values.size()));
}

void set_word(DcmItem& item, Tag tag, std::uint16_t value) { item.putAndInsertUint16(key(tag), value); }

DcmItem& new_item(DcmItem& item, Tag sequence) {
  DcmItem* made = nullptr;
  item.findOrCreateSequenceItem(key(sequence), made, -2);
  return *made;
}

TestFolder::TestFolder() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  path_ = std::filesystem::path(::testing::TempDir()) /
          (std::string("penta_") + test->test_suite_name() + "_" + test->name() + "_" + std::to_string(::getpid()) + "_" +
           std::to_string(std::rand()));
  std::filesystem::create_directories(path_);
}

TestFolder::~TestFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path TestFolder::put(const std::string& name, const std::vector<std::byte>& bytes) const {
  std::ofstream file(path_ / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return path_ / name;
}

std::vector<std::filesystem::path> TestFolder::files() const {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) out.push_back(entry.path());
  return out;
}

}  // namespace penta::io::dicom
