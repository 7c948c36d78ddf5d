#include "io/dicom/read_parametric.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr Tag mapping{0x0040, 0x9096}, slope{0x0040, 0x9225}, intercept{0x0040, 0x9224}, table{0x0040, 0x9212},
    unit_code{0x0040, 0x08EA}, label{0x0040, 0x9210}, quantity_definition{0x0040, 0x9220}, concept_name{0x0040, 0xA043},
    concept_code{0x0040, 0xA168}, scheme{0x0008, 0x0102};

CodedConcept code_of(DcmItem* item) {
  if (item == nullptr) return {};
  return {text(*item, scheme), text(*item, tag::code_value), text(*item, tag::code_meaning)};
}

// (246205007, SCT, "Quantity") names the item that says what is measured; G-C1C6 is its retired form.
CodedConcept quantity_of(DcmItem& item) {
  for (DcmItem* row : items(item, quantity_definition)) {
    const std::string name = code_of(first_item(*row, concept_name)).value;
    if (name == "246205007" || name == "G-C1C6") return code_of(first_item(*row, concept_code));
  }
  return {};
}

double double_at(const std::byte* at, bool big) noexcept {
  std::array<std::byte, 8> bytes{};
  std::copy_n(at, 8, bytes.begin());
  if (big) std::reverse(bytes.begin(), bytes.end());
  double value = 0;
  std::memcpy(&value, bytes.data(), 8);
  return value;
}

}  // namespace

std::optional<RealWorld> real_world(DcmItem& groups) {
  const auto rows = items(groups, mapping);
  if (rows.empty()) return std::nullopt;
  DcmItem& row = *rows.front();
  RealWorld out;
  out.is_table = !has(row, slope) && has(row, table);
  out.slope = number(row, slope).value_or(1);
  out.intercept = number(row, intercept).value_or(0);
  out.unit = code_of(first_item(row, unit_code)).value;
  out.quantity = quantity_of(row);
  out.label = text(row, label);
  out.others = static_cast<int>(rows.size()) - 1;
  return out;
}

std::optional<Remark> double_loss(const Object& object) {
  if (object.pixel_tag.element != 0x0009 || object.encapsulated()) return std::nullopt;
  const auto there = object.bytes.subspan(static_cast<std::size_t>(object.pixel_offset));
  const std::size_t count = std::min<std::size_t>(there.size(), object.pixel_length) / 8;
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = double_at(there.data() + 8 * i, object.big_endian);
    if (!std::isfinite(value)) continue;
    largest = std::max(largest, std::abs(value - static_cast<double>(static_cast<float>(value))));
  }
  if (largest == 0) return std::nullopt;
  std::array<char, 32> digits{};
  char* const last = digits.data() + digits.size();
  const char* const end = std::to_chars(digits.data(), last, largest, std::chars_format::general, 3).ptr;
  return Remark{Severity::note, "double_pixels",
                "Double Float Pixel Data (7FE0,0009) was rounded to float32, the largest error is " +
                    std::string(static_cast<const char*>(digits.data()), end)};
}

}  // namespace penta::io::dicom
