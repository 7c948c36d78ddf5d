#include "core/error.h"
#include "io/metaimage/metaimage.h"
#include "io/nifti/gzip.h"
#include "io/raster.h"
#include "io/text_header.h"

namespace penta::io::metaimage {

namespace {

using nifti::Datatype;

std::string_view type_of(Datatype datatype) {
  switch (datatype) {
    case Datatype::u8:
    case Datatype::rgb24:
      return "MET_UCHAR";
    case Datatype::i16:
      return "MET_SHORT";
    case Datatype::u16:
      return "MET_USHORT";
    case Datatype::i32:
      return "MET_INT";
    case Datatype::f32:
    case Datatype::c64:
      return "MET_FLOAT";
    default:
      throw Error(Code::internal, "a voxel type without a name in MetaImage");
  }
}

std::string place_text(const Stored& stored, std::size_t n) {
  if (!stored.in_mm) return {};
  std::string spacing, matrix, offset;
  const auto add = [](std::string& text, double value) { text += " " + digits(value); };
  for (std::size_t c = 0; c < n; ++c) {
    add(spacing, c < 3 ? stored.spacing_mm[c] : 1);
    if (stored.grid == nullptr) continue;
    const PatientPoint& origin = stored.grid->origin_mm();
    add(offset, std::array{origin.x, origin.y, origin.z, 0.0}[c]);
    for (std::size_t r = 0; r < n; ++r)
      add(matrix, c < 3 && r < 3 ? stored.grid->direction()[r][c] : (c == r ? 1.0 : 0.0));
  }
  std::string text = "ElementSpacing =" + spacing + "\n";
  if (stored.grid != nullptr) text += "TransformMatrix =" + matrix + "\nOffset =" + offset + "\n";
  return text;
}

std::vector<std::byte> file_of(const Stored& stored) {
  const std::string type(type_of(stored.datatype));
  const std::size_t n = stored.size[3] > 1 ? 4 : 3;
  const std::vector<std::byte> packed = nifti::zip_zlib(stored.bytes);
  std::string head =
      "ObjectType = Image\nNDims = " + std::to_string(n) +
      "\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\nCompressedDataSize = " +
      std::to_string(packed.size()) + "\n" + place_text(stored, n) + "DimSize =";
  for (std::size_t i = 0; i < n; ++i) head += " " + std::to_string(stored.size[i]);
  if (stored.datatype == Datatype::rgb24) head += "\nElementNumberOfChannels = 3";
  if (stored.datatype == Datatype::c64) head += "\nElementNumberOfChannels = 2";
  head += "\nElementType = " + type + "\nElementDataFile = LOCAL\n";
  const auto text = std::as_bytes(std::span(head));
  std::vector<std::byte> bytes(text.begin(), text.end());
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  return bytes;
}

}  // namespace

std::vector<std::byte> write(const Image& image) { return file_of(stored_of(image, "MetaImage")); }

std::vector<std::byte> write(const LabelMap& labels, int layer) { return file_of(stored_of(labels, layer)); }

}  // namespace penta::io::metaimage
