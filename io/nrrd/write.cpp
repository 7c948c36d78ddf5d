#include "core/error.h"
#include "io/nifti/gzip.h"
#include "io/nrrd/nrrd.h"
#include "io/raster.h"
#include "io/text_header.h"

namespace penta::io::nrrd {

namespace {

using nifti::Datatype;

std::string_view type_of(Datatype datatype) {
  switch (datatype) {
    case Datatype::u8:
    case Datatype::rgb24:
      return "uint8";
    case Datatype::i16:
      return "int16";
    case Datatype::u16:
      return "uint16";
    case Datatype::i32:
      return "int32";
    case Datatype::f32:
    case Datatype::c64:
      return "float";
    default:
      throw Error(Code::internal, "a voxel type without a name in NRRD");
  }
}

std::string vector_text(double a, double b, double c) {
  return "(" + digits(a) + "," + digits(b) + "," + digits(c) + ")";
}

/// One word an axis: `lead` where voxels have components, `each` of three, `tail` where there are several volumes.
template <class Each>
std::string axis_words(const Stored& stored, std::string_view lead, Each each, std::string_view tail) {
  std::string out;
  if (stored.datatype == Datatype::rgb24 || stored.datatype == Datatype::c64) out += " " + std::string(lead);
  for (std::size_t c = 0; c < 3; ++c) out += " " + std::string(each(c));
  if (stored.size[3] > 1) out += " " + std::string(tail);
  return out + "\n";
}

std::string place_text(const Stored& stored) {
  if (!stored.in_mm) return {};
  if (stored.grid == nullptr)
    return "spacings:" + axis_words(
                             stored, "nan", [&](std::size_t c) { return digits(stored.spacing_mm[c]); }, "nan");
  const Matrix3& d = stored.grid->direction();
  const auto step = [&](std::size_t c) {
    const double mm = stored.spacing_mm[c];
    return vector_text(d[0][c] * mm, d[1][c] * mm, d[2][c] * mm);
  };
  const PatientPoint& origin = stored.grid->origin_mm();
  return "space: left-posterior-superior\nspace directions:" + axis_words(stored, "none", step, "none") +
         "space origin: " + vector_text(origin.x, origin.y, origin.z) + "\n";
}

std::vector<std::byte> file_of(const Stored& stored) {
  const bool colour = stored.datatype == Datatype::rgb24, complex = stored.datatype == Datatype::c64;
  std::string head = "NRRD0004\ntype: " + std::string(type_of(stored.datatype)) +
                     "\ndimension: " + std::to_string(3 + (colour || complex ? 1 : 0) + (stored.size[3] > 1 ? 1 : 0)) +
                     "\n";
  head += "sizes:" + axis_words(
                         stored, colour ? "3" : "2", [&](std::size_t c) { return std::to_string(stored.size[c]); },
                         std::to_string(stored.size[3]));
  head += place_text(stored);
  head += "kinds:" + axis_words(
                         stored, colour ? "RGB-color" : "complex", [](std::size_t) { return "domain"; }, "list");
  head += "endian: little\nencoding: gzip\n\n";
  const auto text = std::as_bytes(std::span(head));
  std::vector<std::byte> bytes(text.begin(), text.end());
  const std::vector<std::byte> packed = nifti::gzip(stored.bytes);
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  return bytes;
}

}  // namespace

std::vector<std::byte> write(const Image& image) { return file_of(stored_of(image, "NRRD")); }

std::vector<std::byte> write(const LabelMap& labels, int layer) { return file_of(stored_of(labels, layer)); }

}  // namespace penta::io::nrrd
