#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "io/nifti/voxels.h"
#include "io/raster.h"
#include "io/rawdata/npy_header.h"
#include "io/rawdata/rawdata.h"
#include "io/rawdata/zip.h"

namespace penta::io::rawdata {

namespace {

using nifti::Datatype;
using Bytes = std::span<const std::byte>;

constexpr std::array<std::uint8_t, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr std::array<std::uint8_t, 4> zip_magic{'P', 'K', 3, 4};

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

std::string doing_of(const std::string& name) { return "reading NumPy '" + name + "': "; }

std::string shape_of(const NpyHeader& header) {
  std::string text = "(";
  for (std::size_t i = 0; i < header.shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(header.shape[i]);
  return text + ")";
}

std::uint64_t count_of(const NpyHeader& header) {
  std::uint64_t count = 1;
  for (const std::int64_t size : header.shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

/// IEEE 754 binary16 as the binary32 that holds the same number.
float from_half(std::uint16_t half) noexcept {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  const float sign = (half & 0x8000U) != 0 ? -1.F : 1.F;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

/// The elements in C order (last axis fastest), still as stored otherwise.
std::vector<std::byte> in_c_order(Bytes data, const NpyHeader& header) {
  const auto one = static_cast<std::size_t>(header.bytes);
  const std::size_t axes = header.shape.size(), count = data.size() / one;
  if (!header.fortran || axes < 2) return {data.begin(), data.end()};
  std::vector<std::byte> out(data.size());
  std::vector<std::size_t> stride(axes, one), index(axes, 0);
  for (std::size_t i = 1; i < axes; ++i) stride[i] = stride[i - 1] * static_cast<std::size_t>(header.shape[i - 1]);
  std::size_t from = 0;
  for (std::size_t to = 0; to < count; ++to) {
    std::memcpy(out.data() + to * one, data.data() + from, one);
    for (std::size_t i = axes; i-- > 0;) {
      from += stride[i];
      if (++index[i] < static_cast<std::size_t>(header.shape[i])) break;
      from -= stride[i] * index[i];
      index[i] = 0;
    }
  }
  return out;
}

struct Array {
  NpyHeader header;
  std::vector<std::byte> data;  ///< in C order
};

Array array_of(Bytes bytes, const std::string& doing) {
  Array array;
  array.header = parse_npy_header(bytes, doing);
  const std::uint64_t size = count_of(array.header) * static_cast<std::uint64_t>(array.header.bytes);
  array.data = in_c_order(bytes.subspan(array.header.data_start, size), array.header);
  if (array.header.kind == 'f' && array.header.bytes == 2) {
    std::vector<std::byte> wide(array.data.size() * 2);
    for (std::size_t i = 0; i < array.data.size() / 2; ++i) {
      const float value = from_half(nifti::load<std::uint16_t>(array.data.data() + 2 * i, array.header.swapped));
      std::memcpy(wide.data() + 4 * i, &value, 4);
    }
    array.data = std::move(wide);
    array.header.bytes = 4;
    array.header.swapped = false;
  }
  return array;
}

Datatype datatype_of(const NpyHeader& h) {
  if (h.kind == 'c') return h.bytes == 8 ? Datatype::c64 : Datatype::c128;
  if (h.kind == 'f') return h.bytes == 4 ? Datatype::f32 : Datatype::f64;
  const bool is_signed = h.kind == 'i';
  if (h.bytes == 1) return is_signed ? Datatype::i8 : Datatype::u8;
  if (h.bytes == 2) return is_signed ? Datatype::i16 : Datatype::u16;
  if (h.bytes == 4) return is_signed ? Datatype::i32 : Datatype::u32;
  return is_signed ? Datatype::i64 : Datatype::u64;
}

/// The array as one volume of columns x rows x frames, by the rules of voxel types.
AnyVolume volume_of(const Array& array, Datatype datatype, const Size3& size, std::vector<Remark>& remarks) {
  nifti::Header header;
  header.datatype = datatype;
  header.swapped = array.header.swapped;
  header.dim = {4, size[0], size[1], size[2], 1, 1, 1, 1};
  std::vector<AnyVolume> volumes = nifti::decode(header, Grid(size, {1, 1, 1}), array.data, remarks);
  return std::move(volumes.front());
}

/// [columns, rows, frames] of an array of pictures; `datatype` becomes colour where the last axis has three bytes.
Size3 picture_size(const Array& array, Datatype& datatype, const std::string& doing) {
  std::vector<std::int64_t> shape = array.header.shape;
  if (datatype == Datatype::u8 && shape.size() >= 3 && shape.size() <= 4 && shape.back() == 3) {
    datatype = Datatype::rgb24;
    shape.pop_back();
  }
  if (shape.size() != 2 && shape.size() != 3)
    fail(doing,
         "an array of shape " + shape_of(array.header) + " is no picture: [row, column], [frame, row, column] are");
  const std::size_t n = shape.size();
  return {shape[n - 1], shape[n - 2], n == 3 ? shape[0] : 1};
}

/// Frames hold no signed or 32-bit whole numbers: float32 does, exactly up to 2^24.
template <class T>
auto frame_pixels(std::span<const T> voxels, double& error_max) {
  if constexpr (std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::uint16_t> || std::is_same_v<T, float> ||
                std::is_same_v<T, Rgb8>) {
    return std::vector<T>(voxels.begin(), voxels.end());
  } else {
    std::vector<float> pixels(voxels.size());
    for (std::size_t i = 0; i < voxels.size(); ++i) {
      pixels[i] = static_cast<float>(voxels[i]);
      error_max = std::max(error_max, std::abs(static_cast<double>(pixels[i]) - static_cast<double>(voxels[i])));
    }
    return pixels;
  }
}

FrameSequence frames_of(const AnyVolume& volume, std::vector<Remark>& remarks) {
  const Size3& size = grid_of(volume).size();
  const auto pixels = static_cast<std::size_t>(size[0] * size[1]);
  FrameSequence frames;
  double error_max = 0;
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v.voxels()[0])>;
        if constexpr (!std::is_same_v<T, std::complex<float>>) {
          for (std::size_t f = 0; f < static_cast<std::size_t>(size[2]); ++f) {
            Frame2d frame;
            frame.width = size[0];
            frame.height = size[1];
            frame.pixels = frame_pixels<T>(v.voxels().subspan(f * pixels, pixels), error_max);
            frames.push_back(std::move(frame));
          }
        }
      },
      volume);
  if (error_max > 0)
    remarks.push_back({Severity::note, "precision_lost",
                       "whole numbers became float32; the largest error is " + std::to_string(error_max)});
  return frames;
}

RawData kspace_of(const Array& array, const std::string& doing) {
  const std::vector<std::int64_t>& shape = array.header.shape;
  const std::size_t n = shape.size();
  if (n < 2 || n > 4)
    fail(doing, "complex numbers of shape " + shape_of(array.header) +
                    " are no k-space: [y, x], [coil, y, x], "
                    "[coil, z, y, x] are");
  KSpace space;
  space.shape = {shape[n - 1], shape[n - 2], n == 4 ? shape[1] : 1, n > 2 ? shape[0] : 1};
  RawData raw;
  const AnyVolume volume = volume_of(array, datatype_of(array.header),
                                     {shape[n - 1], shape[n - 2], space.shape[2] * space.shape[3]}, raw.remarks);
  const auto samples = std::get<Volume<std::complex<float>>>(volume).voxels();
  space.samples.assign(samples.begin(), samples.end());
  raw.acquisition.modality = "MR";
  raw.remarks.push_back({Severity::note, "taken_as_kspace",
                         "complex numbers of shape " + shape_of(array.header) +
                             " are taken as k-space, the first of "
                             "three or four axes as coils; the file says neither field of view nor trajectory"});
  raw.value = std::move(space);
  raw.sha256 = hash_of(raw);
  return raw;
}

Content content_of(Bytes bytes, const std::string& doing) {
  const Array array = array_of(bytes, doing);
  if (array.header.kind == 'c') return kspace_of(array, doing);
  Image image;
  Datatype datatype = datatype_of(array.header);
  const Size3 size = picture_size(array, datatype, doing);
  FrameSequence frames = frames_of(volume_of(array, datatype, size, image.remarks), image.remarks);
  if (frames.size() > 1) image.axis = SequenceAxis::frame;
  image.pixels = std::move(frames);
  image.remarks.push_back({Severity::warning, "orientation_unknown",
                           "an array of numbers says neither where its pixels lie nor how large they are"});
  image.sha256 = hash_of(image);
  return image;
}

LabelMap labels_in(Bytes bytes, const std::string& name) {
  const Array array = array_of(bytes, doing_of(name));
  Datatype datatype = datatype_of(array.header);
  const Size3 size = picture_size(array, datatype, doing_of(name));
  std::vector<Remark> remarks;
  const AnyVolume volume = volume_of(array, datatype, size, remarks);
  return labels_of(std::span(&volume, 1), true, name);
}

/// The bytes of the one array of an .npz that can be an image.
std::vector<std::byte> only_array(Bytes file, const std::string& doing) {
  const ZipMember* chosen = nullptr;
  std::string all;
  int found = 0;
  const std::vector<ZipMember> members = zip_members(file, doing);
  for (const ZipMember& member : members) {
    if (!member.name.ends_with(".npy")) continue;
    // A list or a single number is no image; one that is small enough to look at is passed over.
    if (member.bytes <= (1U << 20U) && members.size() > 1 &&
        parse_npy_header(unzip(file, member, doing), doing).shape.size() < 2)
      continue;
    all += (all.empty() ? "" : ", ") + member.name.substr(0, member.name.size() - 4);
    chosen = &member;
    ++found;
  }
  if (found == 0) fail(doing, "it holds no array that can be an image");
  if (found > 1)
    fail(doing, "it holds " + std::to_string(found) + " arrays (" + all.substr(0, 400) + "); save one alone");
  return unzip(file, *chosen, doing);
}

}  // namespace

bool sniff_npy(Bytes bytes) noexcept {
  return bytes.size() >= 8 && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool sniff_npz(Bytes bytes) noexcept {
  constexpr std::size_t name_at = 30;
  if (bytes.size() < name_at || std::memcmp(bytes.data(), zip_magic.data(), zip_magic.size()) != 0) return false;
  const std::size_t length = std::to_integer<std::size_t>(bytes[26]) | std::to_integer<std::size_t>(bytes[27]) << 8U;
  if (length < 4 || bytes.size() - name_at < length) return false;
  return std::memcmp(bytes.data() + name_at + length - 4, ".npy", 4) == 0;
}

Content read_npy(Bytes bytes, const std::string& name, const ReadBeside& /*beside*/) {
  return content_of(bytes, doing_of(name));
}

Content read_npz(Bytes bytes, const std::string& name, const ReadBeside& /*beside*/) {
  return content_of(only_array(bytes, doing_of(name)), doing_of(name));
}

LabelMap read_npy_labels(Bytes bytes, const std::string& name, const ReadBeside& /*beside*/) {
  return labels_in(bytes, name);
}

LabelMap read_npz_labels(Bytes bytes, const std::string& name, const ReadBeside& /*beside*/) {
  return labels_in(only_array(bytes, doing_of(name)), name);
}

}  // namespace penta::io::rawdata
