#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "core/error.h"
#include "io/png/decode.h"

namespace penta::io::png {

namespace {

// libpng leaves by longjmp. All that has a destructor lives in Job, outside of the functions that setjmp.
struct Job {
  std::span<const std::byte> left;
  bool as_labels = false;
  Raster raster;
  std::string error;
  std::vector<std::uint8_t*> row_starts;
  std::vector<std::byte> written;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

void on_error(png_structp png, png_const_charp text) {
  auto* job = static_cast<Job*>(png_get_error_ptr(png));
  job->error = text;
  png_longjmp(png, 1);
}

void on_warning(png_structp png, png_const_charp text) {
  auto* job = static_cast<Job*>(png_get_error_ptr(png));
  if (job->raster.warning.empty()) job->raster.warning = text;
}

void on_read(png_structp png, png_bytep to, png_size_t count) {
  auto* job = static_cast<Job*>(png_get_io_ptr(png));
  if (count > job->left.size()) png_error(png, "the file is cut off");
  std::memcpy(to, job->left.data(), count);
  job->left = job->left.subspan(count);
}

void on_write(png_structp png, png_bytep from, png_size_t count) {
  auto* job = static_cast<Job*>(png_get_io_ptr(png));
  const auto* bytes = reinterpret_cast<const std::byte*>(from);
  job->written.insert(job->written.end(), bytes, bytes + count);
}

void on_flush(png_structp) {}

class Reader {
 public:
  explicit Reader(Job& job) : job_(job) {
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    if (job.png != nullptr) job.info = png_create_info_struct(job.png);
  }
  ~Reader() { png_destroy_read_struct(&job_.png, &job_.info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  Job& job_;
};

class Writer {
 public:
  explicit Writer(Job& job) : job_(job) {
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    if (job.png != nullptr) job.info = png_create_info_struct(job.png);
  }
  ~Writer() { png_destroy_write_struct(&job_.png, &job_.info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  Job& job_;
};

void choose_transforms(Job& job, int depth, int colour) {
  png_structp png = job.png;
  if (depth == 16) png_set_swap(png);
  if (job.as_labels) {
    png_set_packing(png);
    job.raster.palette = colour == PNG_COLOR_TYPE_PALETTE;
    return;
  }
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if ((colour & PNG_COLOR_MASK_ALPHA) != 0) {
    png_set_strip_alpha(png);
    job.raster.alpha_dropped = true;
  }
  if (png_get_valid(png, job.info, PNG_INFO_tRNS) != 0) job.raster.alpha_dropped = true;
  if (depth == 16 && (colour & PNG_COLOR_MASK_COLOR) != 0) {
    png_set_scale_16(png);
    job.raster.reduced_to_8 = true;
  }
}

/// Everything up to the first row; false when libpng gave up.
bool read_header(Job& job) {
  if (setjmp(png_jmpbuf(job.png)) != 0) return false;
  png_set_read_fn(job.png, &job, on_read);
  png_set_user_limits(job.png, 1U << 20U, 1U << 20U);
  png_read_info(job.png, job.info);
  job.raster.width = png_get_image_width(job.png, job.info);
  job.raster.height = png_get_image_height(job.png, job.info);
  choose_transforms(job, png_get_bit_depth(job.png, job.info), png_get_color_type(job.png, job.info));
  png_set_interlace_handling(job.png);
  png_read_update_info(job.png, job.info);
  job.raster.channels = png_get_channels(job.png, job.info);
  job.raster.bytes_per_sample = png_get_bit_depth(job.png, job.info) == 16 ? 2 : 1;
  return true;
}

bool read_rows(Job& job) {
  if (setjmp(png_jmpbuf(job.png)) != 0) return false;
  png_read_image(job.png, job.row_starts.data());
  png_read_end(job.png, nullptr);
  return true;
}

bool write_all(Job& job, int channels) {
  if (setjmp(png_jmpbuf(job.png)) != 0) return false;
  png_set_write_fn(job.png, &job, on_write, on_flush);
  png_set_IHDR(job.png, job.info, job.raster.width, job.raster.height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(job.png, job.info);
  png_write_image(job.png, job.row_starts.data());
  png_write_end(job.png, nullptr);
  return true;
}

void lay_rows(Job& job, std::uint8_t* first, std::size_t row_bytes) {
  job.row_starts.resize(job.raster.height);
  for (std::size_t y = 0; y < job.row_starts.size(); ++y) job.row_starts[y] = first + y * row_bytes;
}

}  // namespace

Raster decode_png(std::span<const std::byte> bytes, bool as_labels, const std::string& name) {
  Job job;
  job.left = bytes;
  job.as_labels = as_labels;
  const auto fail = [&](const std::string& what) -> Error {
    return {Code::bad_input, "reading PNG '" + name + "': " + what};
  };
  const Reader reader(job);
  if (job.info == nullptr) throw Error(Code::out_of_memory, "reading PNG '" + name + "': no memory for the reader");
  if (!read_header(job)) throw fail(job.error);
  const std::size_t row_bytes =
      static_cast<std::size_t>(job.raster.width) * job.raster.channels * job.raster.bytes_per_sample;
  const std::size_t total = row_bytes * job.raster.height;
  if (static_cast<std::int64_t>(job.raster.width) * job.raster.height > pixels_max) throw fail("more than 2^28 pixels");
  // Deflate packs 1032 to 1 at most, and 1-bit pixels become bytes (24 when a palette makes them RGB).
  if (total / 24 > 1100 * bytes.size()) throw fail("the file is cut off: too short for its width and height");
  job.raster.rows.resize(total);
  lay_rows(job, job.raster.rows.data(), row_bytes);
  if (!read_rows(job)) throw fail(job.error);
  return std::move(job.raster);
}

std::vector<std::byte> encode_png(std::uint32_t width, std::uint32_t height, int channels,
                                  std::span<const std::uint8_t> rows) {
  Job job;
  job.raster.width = width;
  job.raster.height = height;
  // png_write_image takes rows without const but only reads them.
  lay_rows(job, const_cast<std::uint8_t*>(rows.data()), static_cast<std::size_t>(width) * channels);
  const Writer writer(job);
  if (job.info == nullptr) throw Error(Code::out_of_memory, "writing PNG: no memory for the writer");
  if (!write_all(job, channels)) throw Error(Code::internal, "writing PNG: " + job.error);
  return std::move(job.written);
}

}  // namespace penta::io::png
