#include <cstdio>
// After cstdio: jpeglib.h needs its size_t and FILE.
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>

#include "core/error.h"
#include "io/png/grey.h"
#include "io/png/png.h"

namespace penta::io::png {

namespace {

// libjpeg leaves by longjmp. All that has a destructor lives outside of the function that setjmps.
struct Job {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf back{};
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
};

void leave(j_common_ptr info) { std::longjmp(static_cast<Job*>(info->client_data)->back, 1); }
void say_nothing(j_common_ptr) {}

// `levels`: of a grey picture, else empty.
bool compress(Job& job, const Picture& picture, const std::vector<std::uint8_t>& levels, int quality) {
  if (setjmp(job.back) != 0) return false;
  jpeg_create_compress(&job.jpeg);
  jpeg_mem_dest(&job.jpeg, &job.out, &job.bytes);
  job.jpeg.image_width = static_cast<JDIMENSION>(picture.width);
  job.jpeg.image_height = static_cast<JDIMENSION>(picture.height);
  job.jpeg.input_components = levels.empty() ? 3 : 1;
  job.jpeg.in_color_space = levels.empty() ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&job.jpeg);
  jpeg_set_quality(&job.jpeg, quality, TRUE);
  jpeg_start_compress(&job.jpeg, TRUE);
  while (job.jpeg.next_scanline < job.jpeg.image_height) {
    const std::size_t first = static_cast<std::size_t>(job.jpeg.next_scanline) * job.jpeg.image_width;
    const auto* row = levels.empty() ? reinterpret_cast<const JSAMPLE*>(picture.pixels.data() + first) : levels.data() + first;
    // The library takes its input as not const and leaves it alone.
    auto* samples = const_cast<JSAMPROW>(row);
    jpeg_write_scanlines(&job.jpeg, &samples, 1);
  }
  jpeg_finish_compress(&job.jpeg);
  return true;
}

}  // namespace

std::vector<std::byte> write_jpeg(const Picture& picture, int quality) {
  constexpr std::int64_t side_max = 65500;  // what the format holds
  if (picture.width < 1 || picture.height < 1 || picture.width > side_max || picture.height > side_max)
    throw Error(Code::bad_input, "a picture of this size cannot be a JPEG");
  Job job;
  job.jpeg.err = jpeg_std_error(&job.errors);
  job.errors.error_exit = leave;
  job.errors.output_message = say_nothing;
  job.jpeg.client_data = &job;
  const std::vector<std::uint8_t> levels = is_grey(picture) ? levels_of(picture) : std::vector<std::uint8_t>{};
  const bool done = compress(job, picture, levels, std::clamp(quality, 1, 100));
  jpeg_destroy_compress(&job.jpeg);
  const auto* begin = reinterpret_cast<const std::byte*>(job.out);
  std::vector<std::byte> bytes;
  if (done) bytes.assign(begin, begin + job.bytes);
  std::free(job.out);  // made by the library with malloc
  if (!done) throw Error(Code::internal, "a JPEG could not be made");
  return bytes;
}

}  // namespace penta::io::png
