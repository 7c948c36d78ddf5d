#include "io/dicom/jpeg2000_lossless.h"

#include <gtest/gtest.h>
#include <openjpeg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"

namespace penta::io::dicom {
namespace {

struct Picture {
  int columns = 0, rows = 0, precision = 16;
  bool is_signed = false;
  std::vector<std::int32_t> samples;
};
enum class Kind { constant, ramp, noise, mixed };

Picture picture(int columns, int rows, int precision, bool is_signed, Kind kind) {
  Random random(static_cast<std::uint64_t>(columns * 1000 + rows + precision));
  Picture out{columns, rows, precision, is_signed, {}};
  const double top = (1 << precision) - 1, least = is_signed ? -(1 << (precision - 1)) : 0;
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x) {
      double value = top * 0.3;
      if (kind == Kind::ramp) value = top * (x + y) / (columns + rows);
      if (kind == Kind::noise) value = top * random.uniform();
      if (kind == Kind::mixed) {
        value = (x / 12 + y / 9) % 3 == 0 ? top * 0.4 : top * x / columns;
        if ((x + y) / 20 % 2 == 1) value += top / 400 * random.normal();
        if (random.uniform() < 0.01) value = top * random.uniform();
      }
      out.samples.push_back(static_cast<std::int32_t>(std::lround(std::fmin(std::fmax(value, 0), top) + least)));
    }
  return out;
}

struct Options {
  int resolutions = 6, block = 64, block_rows = 64, layers = 1;
  OPJ_PROG_ORDER order = OPJ_LRCP;
  bool marks = false;  ///< SOP and EPH
};

OPJ_SIZE_T write_some(void* from, OPJ_SIZE_T count, void* user) {
  const auto* bytes = static_cast<const std::byte*>(from);
  auto& [out, at] = *static_cast<std::pair<std::vector<std::byte>, std::size_t>*>(user);
  out.resize(std::max(out.size(), at + count));
  std::copy_n(bytes, count, out.begin() + static_cast<std::ptrdiff_t>(at));
  at += count;
  return count;
}
OPJ_OFF_T skip_some(OPJ_OFF_T count, void* user) {
  static_cast<std::pair<std::vector<std::byte>, std::size_t>*>(user)->second += static_cast<std::size_t>(count);
  return count;
}
OPJ_BOOL seek_to(OPJ_OFF_T place, void* user) {
  static_cast<std::pair<std::vector<std::byte>, std::size_t>*>(user)->second = static_cast<std::size_t>(place);
  return OPJ_TRUE;
}

opj_cparameters_t parameters_of(const Options& options) {
  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);
  parameters.cp_disto_alloc = 1;
  parameters.tcp_numlayers = options.layers;
  for (int i = 0; i < options.layers; ++i)
    parameters.tcp_rates[i] = i + 1 == options.layers ? 0.0F : 20.0F / static_cast<float>(i + 1);
  parameters.numresolution = options.resolutions;
  parameters.cblockw_init = options.block, parameters.cblockh_init = options.block_rows;
  parameters.prog_order = options.order;
  if (options.marks) parameters.csty |= 6;
  return parameters;
}

std::vector<std::byte> encoded(const Picture& picture, const Options& options) {
  opj_image_cmptparm_t channel{};
  channel.dx = channel.dy = 1;
  channel.w = static_cast<OPJ_UINT32>(picture.columns), channel.h = static_cast<OPJ_UINT32>(picture.rows);
  channel.prec = static_cast<OPJ_UINT32>(picture.precision), channel.sgnd = picture.is_signed ? 1 : 0;
  const std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image(opj_image_create(1, &channel, OPJ_CLRSPC_GRAY),
                                                                   opj_image_destroy);
  image->x1 = channel.w, image->y1 = channel.h;
  std::copy(picture.samples.begin(), picture.samples.end(), image->comps[0].data);
  opj_cparameters_t parameters = parameters_of(options);
  const std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec(opj_create_compress(OPJ_CODEC_J2K),
                                                                   opj_destroy_codec);
  const std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> stream(opj_stream_create(1 << 16, OPJ_FALSE),
                                                                      opj_stream_destroy);
  std::pair<std::vector<std::byte>, std::size_t> out;
  opj_stream_set_user_data(stream.get(), &out, nullptr);
  opj_stream_set_write_function(stream.get(), write_some);
  opj_stream_set_skip_function(stream.get(), skip_some);
  opj_stream_set_seek_function(stream.get(), seek_to);
  EXPECT_TRUE(opj_setup_encoder(codec.get(), &parameters, image.get()) != 0 &&
              opj_start_compress(codec.get(), image.get(), stream.get()) != 0 &&
              opj_encode(codec.get(), stream.get()) != 0 && opj_end_compress(codec.get(), stream.get()) != 0);
  return out.first;
}

void expect_back(const Picture& picture, const Options& options) {
  const auto stream = encoded(picture, options);
  const auto back = decode_jpeg2000_lossless(stream, picture.columns, picture.rows, picture.is_signed);
  const std::string what = std::to_string(picture.columns) + " x " + std::to_string(picture.rows) + ", " +
                           std::to_string(picture.precision) + " bits, " + std::to_string(options.resolutions) +
                           " resolutions, blocks " + std::to_string(options.block) + " x " +
                           std::to_string(options.block_rows) + ", " + std::to_string(options.layers) + " layers";
  ASSERT_TRUE(back) << what;
  ASSERT_EQ(back->size(), picture.samples.size() * 2) << what;
  for (std::size_t i = 0; i < picture.samples.size(); ++i) {
    std::uint16_t word = 0;
    std::memcpy(&word, back->data() + 2 * i, 2);
    ASSERT_EQ(word, static_cast<std::uint16_t>(picture.samples[i])) << what << ", sample " << i;
  }
}

constexpr std::array<Kind, 4> kinds{Kind::constant, Kind::ramp, Kind::noise, Kind::mixed};

// Inverse of OpenJPEG's encoder, for sizes that leave bands and stripes empty or cut.
TEST(Jpeg2000Lossless, InverseOfTheEncoder) {
  constexpr std::array<std::pair<int, int>, 8> sizes{
      {{1, 1}, {1, 7}, {9, 1}, {5, 3}, {33, 65}, {64, 64}, {130, 67}, {66, 2}}};
  for (const auto& [columns, rows] : sizes)
    for (const int precision : {8, 12, 16})
      for (const bool is_signed : {false, true})
        for (const Kind kind : kinds)
          for (const int resolutions : {1, 2, 3, 6}) {
            if (1 << (resolutions - 1) > std::min(columns, rows)) continue;  // the encoder does not go on
            expect_back(picture(columns, rows, precision, is_signed, kind), {resolutions});
          }
  expect_back(picture(512, 512, 16, true, Kind::mixed), {});
  expect_back(picture(500, 333, 12, false, Kind::mixed), {});
}

// The same for the sizes of blocks, layers, orders of packets and their markers.
TEST(Jpeg2000Lossless, EveryWayToPackIt) {
  const Picture one = picture(150, 131, 12, false, Kind::mixed);
  for (const int block : {16, 32, 64})
    for (const int block_rows : {16, 64})
      for (const int layers : {1, 3})
        for (const OPJ_PROG_ORDER order : {OPJ_LRCP, OPJ_RLCP, OPJ_RPCL, OPJ_PCRL, OPJ_CPRL})
          for (const bool marks : {false, true}) expect_back(one, {5, block, block_rows, layers, order, marks});
}

// What is cut or of another size is left to OpenJPEG, and no damage does harm.
TEST(Jpeg2000Lossless, BrokenStreamsAreLeftAlone) {
  const Picture one = picture(61, 47, 12, false, Kind::mixed);
  for (const Options& options : {Options{}, Options{4, 16, 16, 3, OPJ_RLCP, true}}) {
    const auto stream = encoded(one, options);
    ASSERT_TRUE(decode_jpeg2000_lossless(stream, 61, 47, false));
    EXPECT_FALSE(decode_jpeg2000_lossless(stream, 62, 47, false));
    for (std::size_t length = 0; length < stream.size(); ++length) {
      const std::vector<std::byte> cut(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_FALSE(decode_jpeg2000_lossless(cut, 61, 47, false)) << length;
    }
    Random random(3);
    for (int turn = 0; turn < 3000; ++turn) {
      auto damaged = stream;
      const std::size_t reach = turn % 2 == 0 ? damaged.size() : 250;  // half of them: headers
      for (int i = 0; i < 1 + turn % 4; ++i)
        damaged[random.bits() % reach] ^= static_cast<std::byte>(1U << random.bits() % 8);
      const auto back = decode_jpeg2000_lossless(damaged, 61, 47, false);
      EXPECT_TRUE(!back || back->size() == one.samples.size() * 2);
    }
  }
}

}  // namespace
}  // namespace penta::io::dicom
