#include <algorithm>
#include <array>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

[[noreturn]] void fail(const Object& object, const std::string& what) {
  throw Error(Code::bad_input, "reading the pixels of " + object.name + ": " + what);
}

std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t count) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= static_cast<std::uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

bool is_item(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return bytes[at] == std::byte{0xFE} && bytes[at + 1] == std::byte{0xFF} && bytes[at + 2] == std::byte{0} &&
         bytes[at + 3] == std::byte{0xE0};
}

/// A fragment: where it lies, its distance from the first byte after the offset table's item, as the offset tables
/// count, and how it begins.
struct Fragment {
  PixelRange place;
  std::uint64_t offset = 0;
  std::array<std::byte, 4> head{};
};

struct Encapsulated {
  std::vector<std::byte> basic_table;
  std::vector<Fragment> fragments;
  bool cut = false;  ///< the file ends inside of the last one
};

/// Items of encapsulated pixel data: first the basic offset table (PS3.5 A.4). Lengths decide where an item ends, not
/// a delimiter found in its bytes.
Encapsulated items_of(const Object& object, const ByteReader& bytes) {
  Encapsulated out;
  const std::int64_t end = bytes.end;
  std::int64_t at = object.pixel_offset, start = 0;
  for (bool first = true; at + 8 <= end; first = false) {
    std::array<std::byte, 12> head{};
    bytes.read(at, std::span(head).first(static_cast<std::size_t>(std::min<std::int64_t>(12, end - at))));
    if (!is_item(head, 0)) break;
    // The last fragment of a truncated file is kept: its decoder says what is wrong with it.
    const auto claimed = static_cast<std::int64_t>(number_at(head, 4, 4));
    const std::int64_t length = std::min(claimed, end - at - 8);
    out.cut = length < claimed;
    if (first) {
      start = at + 8 + length;
      out.basic_table.resize(static_cast<std::size_t>(length));
      bytes.read(at + 8, out.basic_table);
    } else {
      Fragment& fragment = out.fragments.emplace_back();
      fragment.place = {at + 8, length};
      fragment.offset = static_cast<std::uint64_t>(at - start);
      std::copy_n(head.begin() + 8, std::min<std::int64_t>(length, 4), fragment.head.begin());
    }
    at += 8 + length;
  }
  if (start == 0) fail(object, "encapsulated pixel data without items");
  if (out.fragments.empty()) fail(object, "encapsulated pixel data without a frame");
  return out;
}

bool starts_frame(const std::array<std::byte, 4>& bytes) noexcept {
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  if (at(0) == 0xFF && at(1) == 0xD8 && at(2) == 0xFF) return true;                   // JPEG, JPEG-LS
  if (at(0) == 0xFF && at(1) == 0x4F && at(2) == 0xFF && at(3) == 0x51) return true;  // J2K codestream
  return at(0) == 0 && at(1) == 0 && at(2) == 0 && at(3) == 12;                       // JP2 file
}

std::vector<std::uint64_t> numbers_in(std::span<const std::byte> table, std::size_t width) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i + width <= table.size(); i += width) out.push_back(number_at(table, i, width));
  return out;
}

/// Index of the first fragment of each frame by an offset table; empty where the table does not point at fragments.
std::vector<std::size_t> by_table(const std::vector<std::uint64_t>& starts, const std::vector<Fragment>& fragments,
                                  std::size_t frames) {
  std::vector<std::size_t> out;
  if (starts.size() != frames || starts.front() != 0) return out;
  std::size_t fragment = 0;
  for (const std::uint64_t start : starts) {
    while (fragment < fragments.size() && fragments[fragment].offset < start) ++fragment;
    if (fragment == fragments.size() || fragments[fragment].offset != start ||
        (!out.empty() && out.back() == fragment))
      return {};
    out.push_back(fragment);
  }
  return out;
}

std::vector<std::size_t> by_markers(const Object& object, const std::vector<Fragment>& fragments, std::size_t frames) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < fragments.size(); ++i)
    if (i == 0 || starts_frame(fragments[i].head)) out.push_back(i);
  if (out.size() > frames) fail(object, "more encapsulated frames than Number of Frames (0028,0008)");
  if (out.size() < frames) fail(object, "fewer encapsulated frames than Number of Frames (0028,0008)");
  return out;
}

/// One frame: all fragments. As many fragments as frames: one each. Else the extended offset table (PS3.3 C.7.6.3.1.8),
/// the basic one, or the marker that each frame starts with.
std::vector<std::size_t> first_fragments(const Object& object, const Encapsulated& data, std::size_t frames) {
  std::vector<std::size_t> out;
  if (frames == 1 || frames == data.fragments.size()) {
    for (std::size_t i = 0; i < frames; ++i) out.push_back(i);
    return out;
  }
  out = by_table(raw_numbers64(object.data(), Tag{0x7FE0, 0x0001}), data.fragments, frames);
  if (out.empty()) out = by_table(numbers_in(data.basic_table, 4), data.fragments, frames);
  return out.empty() ? by_markers(object, data.fragments, frames) : out;
}

}  // namespace

std::vector<std::vector<PixelRange>> frame_ranges(const Object& object, std::int64_t frame_count, const ByteReader& read) {
  const Encapsulated data = items_of(object, read);
  const auto frames = static_cast<std::size_t>(frame_count);
  if (frames > data.fragments.size())
    fail(object, "truncated: " + std::to_string(data.fragments.size()) + " fragments for " + std::to_string(frames) +
                     " frames");
  const std::vector<std::size_t> first = first_fragments(object, data, frames);
  // Each frame of an extended offset table also has its length, without the byte that pads it.
  const auto lengths = raw_numbers64(object.data(), Tag{0x7FE0, 0x0002});
  std::vector<std::vector<PixelRange>> out(frames);
  for (std::size_t f = 0; f < frames; ++f) {
    const std::size_t end = f + 1 < frames ? first[f + 1] : data.fragments.size();
    for (std::size_t i = first[f]; i < end; ++i) out[f].push_back(data.fragments[i].place);
    if (lengths.size() == frames && out[f].size() == 1 && lengths[f] > 0 && lengths[f] < static_cast<std::uint64_t>(out[f][0].length))
      out[f][0].length = static_cast<std::int64_t>(lengths[f]);
  }
  return out;
}

FrameFragments fragments_by_frame(const Object& object, std::int64_t frames) {
  const auto bytes = object.bytes;
  const ByteReader read{static_cast<std::int64_t>(bytes.size()), [bytes](std::int64_t offset, std::span<std::byte> out) {
                          std::copy_n(bytes.begin() + offset, out.size(), out.begin());
                        }};
  FrameFragments out;
  for (const auto& frame : frame_ranges(object, frames, read)) {
    auto& pieces = out.emplace_back();
    for (const PixelRange& range : frame)
      pieces.push_back(bytes.subspan(static_cast<std::size_t>(range.offset), static_cast<std::size_t>(range.length)));
  }
  return out;
}

std::optional<std::string> cut_fragment(const Object& object, const ByteReader& read) {
  const Encapsulated data = items_of(object, read);
  if (!data.cut) return std::nullopt;
  return "truncated: the file ends inside fragment " + std::to_string(data.fragments.size()) + " of its pixel data";
}

}  // namespace penta::io::dicom
