// clang-format off
#include <cstdio>  // jpeglib.h uses FILE and size_t without including them
#include <jpeglib.h>
// clang-format on

#include <array>
#include <csetjmp>
#include <cstring>

#include "core/error.h"
#include "io/png/decode.h"

namespace penta::io::png {

namespace {

// libjpeg leaves through error_exit, which must not return. All that has a destructor lives outside of the
// functions that setjmp.
struct Job {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  Raster raster;
};

void on_error(j_common_ptr jpeg) {
  auto* job = static_cast<Job*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, job->message.data());
  std::longjmp(job->back, 1);
}

void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  auto* job = static_cast<Job*>(jpeg->client_data);
  if (++jpeg->err->num_warnings == 1) jpeg->err->format_message(jpeg, job->message.data());
}

class Reader {
 public:
  explicit Reader(Job& job) : job_(job) {
    job.jpeg.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = on_error;
    job.errors.emit_message = on_message;
    job.jpeg.client_data = &job;
  }
  ~Reader() { jpeg_destroy_decompress(&job_.jpeg); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  Job& job_;
};

bool read_header(Job& job, std::span<const std::byte> bytes) {
  if (setjmp(job.back) != 0) return false;
  jpeg_create_decompress(&job.jpeg);
  jpeg_mem_src(&job.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_save_markers(&job.jpeg, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&job.jpeg, TRUE);
  job.jpeg.out_color_space = job.jpeg.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  job.jpeg.dct_method = JDCT_ISLOW;
  job.raster.width = job.jpeg.image_width;
  job.raster.height = job.jpeg.image_height;
  job.raster.channels = job.jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
  return true;
}

bool read_rows(Job& job) {
  if (setjmp(job.back) != 0) return false;
  jpeg_start_decompress(&job.jpeg);
  while (job.jpeg.output_scanline < job.jpeg.output_height) {
    JSAMPROW row = job.raster.rows.data() +
                   static_cast<std::size_t>(job.jpeg.output_scanline) * job.raster.width * job.raster.channels;
    jpeg_read_scanlines(&job.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&job.jpeg);
  return true;
}

/// Tag 274 of the first image directory of an Exif block (Exif 2.3, 4.6.2), 1 where there is none.
int exif_orientation(std::span<const std::uint8_t> exif) noexcept {
  if (exif.size() < 14 || std::memcmp(exif.data(), "Exif\0\0", 6) != 0) return 1;
  const auto tiff = exif.subspan(6);
  const bool big = tiff[0] == 'M';
  const auto number = [&](std::size_t at, std::size_t count) -> std::size_t {
    std::size_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value |= static_cast<std::size_t>(at + i < tiff.size() ? tiff[at + i] : 0) << (8 * (big ? count - 1 - i : i));
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (directory + 2 > tiff.size()) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries && directory + 14 + 12 * i <= tiff.size(); ++i)
    if (const std::size_t at = directory + 2 + 12 * i; number(at, 2) == 274) return static_cast<int>(number(at + 8, 2));
  return 1;
}

}  // namespace

Raster decode_jpeg(std::span<const std::byte> bytes, const std::string& name) {
  Job job;
  const auto fail = [&](const std::string& what) -> Error {
    return {Code::bad_input, "reading JPEG '" + name + "': " + what};
  };
  const Reader reader(job);
  if (!read_header(job, bytes)) throw fail(job.message.data());
  const J_COLOR_SPACE colours = job.jpeg.jpeg_color_space;
  if (colours != JCS_GRAYSCALE && colours != JCS_YCbCr && colours != JCS_RGB)
    throw fail("its colours are CMYK or unknown, which is not read");
  const std::int64_t pixels = static_cast<std::int64_t>(job.raster.width) * job.raster.height;
  if (pixels > pixels_max) throw fail("more than 2^28 pixels");
  // The first scan of the DC values takes at least one bit for 64 pixels (ITU-T T.81 F.1.2).
  if (pixels / 1024 > static_cast<std::int64_t>(bytes.size()))
    throw fail("the file is cut off: too short for its width and height");
  for (const jpeg_marker_struct* m = job.jpeg.marker_list; m != nullptr; m = m->next)
    if (const int turn = exif_orientation({m->data, m->data_length}); turn != 1) job.raster.exif_orientation = turn;
  job.raster.rows.resize(static_cast<std::size_t>(pixels) * job.raster.channels);
  if (!read_rows(job)) throw fail(job.message.data());
  if (job.errors.num_warnings > 0) job.raster.warning = job.message.data();
  return std::move(job.raster);
}

}  // namespace penta::io::png
