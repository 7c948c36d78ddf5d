#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/volume.h"
#include "io/dicom/tags.h"

class DcmDataset;
class DcmItem;

namespace penta::io::dicom {

/// For tests: a data set put together element by element, and written by DCMTK in any transfer syntax that it encodes.
class Made {
 public:
  /// The identity and pixel description of a `columns` x `rows` image of `bits` (8 or 16).
  Made(const std::string& sop_class, const std::string& modality, int columns, int rows, int bits = 16);
  Made(Made&&) noexcept;
  ~Made();

  [[nodiscard]] DcmItem& data() const;
  Made& text(Tag tag, const std::string& value);
  Made& word(Tag tag, std::uint16_t value);
  Made& words(Tag tag, const std::vector<std::uint16_t>& values);
  Made& numbers64(Tag tag, const std::vector<std::uint64_t>& values);  ///< as OV
  Made& pixels(const std::vector<std::uint16_t>& values);
  Made& pixels8(const std::vector<std::uint8_t>& values);
  /// Part-10 bytes in the transfer syntax of this UID. Throws std::runtime_error where DCMTK cannot encode it.
  [[nodiscard]] std::vector<std::byte> bytes(const std::string& transfer_syntax = "1.2.840.10008.1.2.1") const;
  /// Part-10 bytes with these fragments as encapsulated pixel data, and this basic offset table.
  [[nodiscard]] std::vector<std::byte> encapsulated(const std::string& transfer_syntax,
                                                    const std::vector<std::vector<std::byte>>& fragments,
                                                    const std::vector<std::uint32_t>& offsets = {}) const;

 private:
  std::unique_ptr<DcmDataset> data_;
};

void set_text(DcmItem& item, Tag tag, const std::string& value);
void set_words(DcmItem& item, Tag tag, const std::vector<std::uint16_t>& values);
void set_word(DcmItem& item, Tag tag, std::uint16_t value);
[[nodiscard]] DcmItem& new_item(DcmItem& item, Tag sequence);

/// A folder that goes away with it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::filesystem::path put(const std::string& name, const std::vector<std::byte>& bytes) const;
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

 private:
  std::filesystem::path path_;
};

inline const std::string ct_class = "1.2.840.10008.5.1.4.1.1.2", mr_class = "1.2.840.10008.5.1.4.1.1.4",
                         pet_class = "1.2.840.10008.5.1.4.1.1.128", us_class = "1.2.840.10008.5.1.4.1.1.6.1",
                         nm_class = "1.2.840.10008.5.1.4.1.1.20", enhanced_ct_class = "1.2.840.10008.5.1.4.1.1.2.1",
                         rtstruct_class = "1.2.840.10008.5.1.4.1.1.481.3";

}  // namespace penta::io::dicom
