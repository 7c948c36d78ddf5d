#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The few data elements that the network part reads and writes itself: UIDs at the head of a data set, the keys of a
/// query. Everything else of a data set stays closed here and is parsed in a worker.
namespace penta::server::dimse {

/// Little endian.
[[nodiscard]] std::uint16_t u16_at(std::span<const std::byte> bytes, std::size_t at) noexcept;
[[nodiscard]] std::uint32_t u32_at(std::span<const std::byte> bytes, std::size_t at) noexcept;

enum class Encoding { implicit_little, explicit_little, explicit_big, closed };
/// How data sets of a transfer syntax are written; closed: deflated, or none that is known.
[[nodiscard]] Encoding encoding_of(std::string_view transfer_syntax) noexcept;

struct Element {
  std::uint32_t tag = 0;   ///< group and element
  std::string_view vr;     ///< empty: implicit
  std::span<const std::byte> value;
  bool sequence = false;   ///< the value is left out
};

/// Calls `visit` for the elements of a data set in order, sequences without what is in them, until it returns false.
/// False where the bytes end within an element or make no sense (what came before has been visited).
bool walk(std::span<const std::byte> bytes, Encoding encoding, const std::function<bool(const Element&)>& visit);

/// A value as text, without the padding at its end.
[[nodiscard]] std::string trimmed(std::span<const std::byte> value);

struct HeadUids {
  std::string sop_class, sop_instance;
};
/// SOP Class and Instance UID (0008,0016), (0008,0018) from the first bytes of a data set; empty where not found.
[[nodiscard]] HeadUids head_uids(std::span<const std::byte> bytes, Encoding encoding);

/// Writes elements, little endian.
class ElementWriter {
 public:
  explicit ElementWriter(bool explicit_vr) : explicit_vr_(explicit_vr) {}
  /// Text, padded to an even length (UI with a zero).
  void text(std::uint32_t tag, std::string_view vr, std::string_view value);
  void u16(std::uint32_t tag, std::uint16_t value);
  void u32(std::uint32_t tag, std::uint32_t value);
  void value(std::uint32_t tag, std::string_view vr, std::span<const std::byte> value);
  void add(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  void put16(std::uint16_t value);
  void put32(std::uint32_t value);

  bool explicit_vr_;
  std::vector<std::byte> bytes_;
};

/// Preamble, DICM and the meta header (PS3.10 7.1) of a data set that comes without.
[[nodiscard]] std::vector<std::byte> meta_header(const std::string& sop_class, const std::string& sop_instance,
                                                 const std::string& transfer_syntax);
/// Where the data set begins in the first bytes of a PS3.10 file; 0 where these are not of one.
[[nodiscard]] std::size_t data_set_offset(std::span<const std::byte> bytes) noexcept;

}  // namespace penta::server::dimse
