#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/nifti.h"
#include "io/raster.h"

namespace penta::io::nifti {

namespace {

constexpr std::int64_t size_max_1 = std::numeric_limits<std::int16_t>::max();
constexpr int unit_mm = 2, unit_s = 8;

/// What goes into the header beside the voxels.
struct Meaning {
  Intent intent = Intent::none;
  std::string_view intent_name;
  bool components = false;          ///< the fourth size counts the components of a vector
  std::optional<double> step_s;     ///< from one volume to the next
};

/// Little-endian fields of nifti1.h or nifti2.h by offset.
class HeaderBytes {
 public:
  explicit HeaderBytes(int version) : version_(version), bytes_(version == 1 ? 352 : 544) {}
  template <class T>
  void put(std::size_t offset, T value) {
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(bytes_.data() + offset, &value, sizeof(T));
  }
  void number(std::size_t at_1, std::size_t at_2, double value) {
    if (version_ == 1)
      put(at_1, static_cast<float>(value));
    else
      put(at_2, value);
  }
  void code(std::size_t at_1, std::size_t at_2, int value) {
    if (version_ == 1)
      put(at_1, static_cast<std::int16_t>(value));
    else
      put(at_2, static_cast<std::int32_t>(value));
  }
  void text(std::size_t at_1, std::size_t at_2, std::string_view text) {
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(bytes_.data()) + (version_ == 1 ? at_1 : at_2));
  }
  void dim(std::size_t i, std::int64_t n) {
    if (version_ == 1)
      put(40 + 2 * i, static_cast<std::int16_t>(n));
    else
      put(16 + 8 * i, n);
  }
  void pixdim(std::size_t i, double value) { number(76 + 4 * i, 104 + 8 * i, value); }
  [[nodiscard]] int version() const noexcept { return version_; }
  [[nodiscard]] std::vector<std::byte> take() noexcept { return std::move(bytes_); }

 private:
  int version_;
  std::vector<std::byte> bytes_;
};

void put_size(HeaderBytes& out, const Stored& stored, const Meaning& meaning) {
  const bool vector = meaning.components && stored.size[3] > 1;
  out.dim(0, vector ? 5 : stored.size[3] > 1 ? 4 : 3);
  for (std::size_t i = 1; i < 8; ++i) out.dim(i, i < 4 ? stored.size[i - 1] : 1);
  out.dim(vector ? 5 : 4, stored.size[3]);
}

void put_units(HeaderBytes& out, const Stored& stored, const Meaning& meaning) {
  for (std::size_t i = 0; i < 3; ++i) out.pixdim(i + 1, stored.spacing_mm[i]);
  // Readers that take pixdim[4] for a spacing do not bear a zero there; the unit says that it is none.
  for (std::size_t i = 4; i < 8; ++i) out.pixdim(i, i == 4 ? meaning.step_s.value_or(1) : 1);
  const int units = (stored.in_mm ? unit_mm : 0) + (meaning.step_s ? unit_s : 0);
  if (out.version() == 1)
    out.put<std::uint8_t>(123, static_cast<std::uint8_t>(units));
  else
    out.put<std::int32_t>(500, units);
}

void put_place(HeaderBytes& out, const Stored& stored) {
  out.pixdim(0, 1);
  if (stored.grid == nullptr) return;
  const Placement place = placement_of(*stored.grid);
  out.pixdim(0, place.qfac);
  out.code(252, 344, 1);
  out.code(254, 348, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    out.number(256 + 4 * i, 352 + 8 * i, place.quaternion[i]);
    out.number(268 + 4 * i, 376 + 8 * i, place.quaternion_offset[i]);
    for (std::size_t j = 0; j < 4; ++j) out.number(280 + 16 * i + 4 * j, 400 + 32 * i + 8 * j, place.srow[i][j]);
  }
}

/// The header and the four bytes that say that no extension follows.
std::vector<std::byte> header_of(const Stored& stored, const Meaning& meaning, Kind kind) {
  const bool long_axis = std::any_of(stored.size.begin(), stored.size.end(), [](auto n) { return n > size_max_1; });
  HeaderBytes out(long_axis ? 2 : 1);
  out.put<std::int32_t>(0, long_axis ? 540 : 348);
  const bool pair = kind == Kind::pair;
  if (long_axis) {
    out.text(0, 4, pair ? std::string_view("ni2\0\r\n\032\n", 8) : std::string_view("n+2\0\r\n\032\n", 8));
    out.put<std::int64_t>(168, pair ? 0 : 544);
  } else {
    out.put<char>(38, 'r');  // "regular", as nifti1.h asks for ANALYZE readers
    out.text(344, 0, pair ? "ni1" : "n+1");
    out.put<float>(108, pair ? 0 : 352);
  }
  put_size(out, stored, meaning);
  out.put<std::int16_t>(long_axis ? 12 : 70, static_cast<std::int16_t>(stored.datatype));
  out.put<std::int16_t>(long_axis ? 14 : 72, static_cast<std::int16_t>(8 * voxel_bytes(stored.datatype)));
  out.number(112, 176, 1);
  put_units(out, stored, meaning);
  put_place(out, stored);
  out.text(148, 240, "pentascope");
  out.code(68, 504, static_cast<int>(meaning.intent));
  out.text(328, 508, meaning.intent_name);
  return out.take();
}

std::vector<std::byte> gathered(std::span<const std::span<const std::byte>> pieces) {
  std::size_t size = 0;
  for (const auto& piece : pieces) size += piece.size();
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  for (const auto& piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

std::vector<std::byte> file_of(const Stored& stored, const Meaning& meaning, Compression compression) {
  const std::vector<std::byte> header = header_of(stored, meaning, Kind::single);
  std::vector<std::span<const std::byte>> pieces{header};
  pieces.insert(pieces.end(), stored.pieces.begin(), stored.pieces.end());
  return compression == Compression::gzip ? gzip_members(pieces) : gathered(pieces);
}

Pair pair_of(const Stored& stored, const Meaning& meaning) {
  return {header_of(stored, meaning, Kind::pair), gathered(stored.pieces)};
}

/// The step of evenly spaced times; a millisecond in a second is even enough for a clock.
std::optional<double> even_step(const std::vector<double>& times) {
  if (times.size() < 2) return std::nullopt;
  const double step = (times.back() - times.front()) / static_cast<double>(times.size() - 1);
  if (!(step > 0) || !std::isfinite(step)) return std::nullopt;
  for (std::size_t t = 0; t < times.size(); ++t)
    if (std::abs(times[t] - times.front() - static_cast<double>(t) * step) > 1e-3 * step) return std::nullopt;
  return step;
}

Meaning meaning_of(const Image& image) {
  Meaning meaning;
  if (image.axis == SequenceAxis::time) meaning.step_s = even_step(image.axis_values);
  const auto* us = facts_of<UsFacts>(image.acquisition);
  if (!meaning.step_s && image.is_frames() && us != nullptr && us->frame_time_ms && *us->frame_time_ms > 0)
    meaning.step_s = *us->frame_time_ms / 1000.0;
  if (image.axis == SequenceAxis::component) {
    meaning.components = true;
    meaning.intent = Intent::vector;
  }
  return meaning;
}

Meaning meaning_of(const LabelMap& labels) {
  Meaning meaning;
  meaning.intent = Intent::label;
  if (labels.planar) meaning.intent_name = planar_intent;
  return meaning;
}

}  // namespace

std::vector<std::byte> write(const Image& image, Compression compression) {
  return file_of(look_at(image, "NIfTI"), meaning_of(image), compression);
}

std::vector<std::byte> write(const LabelMap& labels, int layer, Compression compression) {
  return file_of(look_at(labels, layer), meaning_of(labels), compression);
}

std::vector<std::byte> write(const Image& image) { return write(image, Compression::gzip); }

std::vector<std::byte> write(const LabelMap& labels, int layer) { return write(labels, layer, Compression::gzip); }

Pair write_pair(const Image& image) { return pair_of(look_at(image, "NIfTI"), meaning_of(image)); }

Pair write_pair(const LabelMap& labels, int layer) { return pair_of(look_at(labels, layer), meaning_of(labels)); }

}  // namespace penta::io::nifti
