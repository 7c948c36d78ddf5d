#include "core/error.h"
#include "io/raster.h"
#include "io/tiff/memory.h"
#include "io/tiff/tiff.h"

namespace penta::io::tiff {

namespace {

using nifti::Datatype;

struct SampleType {
  std::uint16_t bits = 8, samples = 1, format = SAMPLEFORMAT_UINT;
};

SampleType type_of(Datatype datatype) {
  switch (datatype) {
    case Datatype::u8:
      return {8, 1, SAMPLEFORMAT_UINT};
    case Datatype::rgb24:
      return {8, 3, SAMPLEFORMAT_UINT};
    case Datatype::i16:
      return {16, 1, SAMPLEFORMAT_INT};
    case Datatype::u16:
      return {16, 1, SAMPLEFORMAT_UINT};
    case Datatype::i32:
      return {32, 1, SAMPLEFORMAT_INT};
    case Datatype::f32:
      return {32, 1, SAMPLEFORMAT_IEEEFP};
    default:
      throw Error(Code::bad_input, "writing TIFF: it has no complex pixels; write NIfTI or NRRD");
  }
}

void set_page(::TIFF* tiff, const Stored& stored, const SampleType& type) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(stored.size[0]));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(stored.size[1]));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, type.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, type.samples);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, type.format);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, type.samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(tiff, TIFFTAG_PREDICTOR, type.format == SAMPLEFORMAT_IEEEFP ? PREDICTOR_NONE : PREDICTOR_HORIZONTAL);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(stored.size[1]));
  if (!stored.in_mm) return;
  TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
  TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 10 / stored.spacing_mm[0]);
  TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 10 / stored.spacing_mm[1]);
}

std::vector<std::byte> file_of(Stored stored) {
  const SampleType type = type_of(stored.datatype);
  const std::size_t page_bytes = stored.bytes.size() / static_cast<std::size_t>(stored.size[2] * stored.size[3]);
  Memory file(stored.bytes.size() > (std::uint64_t{3} << 30U));
  for (std::size_t at = 0; at < stored.bytes.size(); at += page_bytes) {
    set_page(file.handle(), stored, type);
    // libtiff differences the rows where they lie: they are not needed again.
    if (TIFFWriteEncodedStrip(file.handle(), 0, stored.bytes.data() + at, static_cast<tmsize_t>(page_bytes)) < 0 ||
        TIFFWriteDirectory(file.handle()) == 0)
      throw Error(Code::internal, "writing TIFF: " + file.fault());
  }
  return file.finish();
}

}  // namespace

std::vector<std::byte> write(const Image& image) { return file_of(stored_of(image, "TIFF")); }

std::vector<std::byte> write(const LabelMap& labels, int layer) { return file_of(stored_of(labels, layer)); }

}  // namespace penta::io::tiff
