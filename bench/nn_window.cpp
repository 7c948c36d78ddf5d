// bench_nn_window MODELS ID IMAGE LABELS [REPEATS]: times nn::segment on a NIfTI image, prints one JSON line:
// seconds of each repeat (networks read and compiled before), windows, what the convolutions of one window are in GFLOP
// (as plain sums; 0 without a patch), and the processor's measured peak in GFLOP/s.
#include <immintrin.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "io/nifti/nifti.h"
#include "nn/model_access.h"
#include "nn/segment.h"

namespace {

using penta::nn::SegmentExtra;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Twelve independent chains hide the latency of a multiply-add.
constexpr int chains = 12;
constexpr long rounds = 20'000'000;

[[gnu::target("avx512f")]] double f32_flop(float* keep) {
  __m512 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(1e-3F);
  for (long k = 0; k < rounds; ++k)
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], a, b);
  for (int i = 0; i < chains; ++i) *keep += _mm512_reduce_add_ps(sum[i]);
  return 32.0 * chains * static_cast<double>(rounds);
}

[[gnu::target("avx512f,avx512bf16")]] double bf16_flop(float* keep) {
  __m512 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_setzero_ps();
  const auto a = (__m512bh)_mm512_set1_epi16(0x3f00), b = (__m512bh)_mm512_set1_epi16(0x3e00);
  for (long k = 0; k < rounds; ++k)
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_dpbf16_ps(sum[i], a, b);
  for (int i = 0; i < chains; ++i) *keep += _mm512_reduce_add_ps(sum[i]);
  return 64.0 * chains * static_cast<double>(rounds);
}

/// GFLOP/s of all threads together, best of three; 0 where the processor has no such instruction.
double peak_gflops(bool bf16) {
  if (!__builtin_cpu_supports("avx512f") || (bf16 && !__builtin_cpu_supports("avx512bf16"))) return 0;
  double best = 0;
  const int threads = penta::thread_count();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<double> flop(static_cast<std::size_t>(threads));
    std::vector<float> keep(flop.size());
    penta::run_jobs(threads, threads, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      flop[at] = bf16 ? bf16_flop(&keep[at]) : f32_flop(&keep[at]);
    });
    double sum = 0;
    for (const double f : flop) sum += f;
    best = std::max(best, sum / seconds_since(start) / 1e9);
  }
  return best;
}

/// Of the first network on one window, by its convolutions as plain sums.
double gflop_of_window(const penta::nn::Network& network, const penta::nn::InputSpec& spec) {
  if (!spec.patch) return 0;
  const auto model = penta::nn::model_of(network)->clone();
  ov::PartialShape shape{1, static_cast<std::int64_t>(spec.channel_count())};
  for (int k = spec.network_dims(); k-- > 0;) shape.push_back((*spec.patch)[static_cast<std::size_t>(k)]);
  model->reshape(shape);
  double flop = 0;
  for (const auto& node : model->get_ops()) {
    const std::string type = node->get_type_name();
    const bool forward = type == "Convolution";
    if (!forward && type != "ConvolutionBackpropData") continue;
    // Each voxel of the output (of a transposed one: of the input) meets all weights of its channel once.
    const ov::Shape voxels = forward ? node->get_output_shape(0) : node->get_input_shape(0), weights = node->get_input_shape(1);
    flop += 2.0 * static_cast<double>(ov::shape_size(voxels)) * static_cast<double>(ov::shape_size(weights)) / static_cast<double>(weights[0]);
  }
  return flop / 1e9;
}

int run(int argc, char** argv) {
  const penta::nn::ModelStore models({argv[1]});
  const penta::nn::Bundle& bundle = models.need(argv[2]);
  std::ifstream in(argv[3], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const penta::Image image = penta::io::nifti::read(std::as_bytes(std::span(bytes.data(), bytes.size())), argv[3]);
  const penta::AnyVolume* const volume = &image.volume();
  const int repeats = argc > 5 ? std::atoi(argv[5]) : 1;
  SegmentExtra cost;
  std::string seconds;
  for (int i = 0; i <= repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto labels = penta::nn::segment(models, bundle, std::span(&volume, 1), penta::Control{}, &cost);
    // The first one reads and compiles.
    if (i > 0 || repeats == 0) seconds += (seconds.empty() ? "" : ", ") + std::to_string(seconds_since(start));
    std::ofstream out(argv[4], std::ios::binary);
    out.write(reinterpret_cast<const char*>(labels.voxels().data()), static_cast<std::streamsize>(labels.voxels().size_bytes()));
  }
  const bool bf16 = models.network(bundle).precision() == penta::nn::Precision::bf16;
  std::printf("{\"seconds\": [%s], \"windows\": %ld, \"skipped\": %ld, \"channels\": %ld, \"bf16\": %s, \"gflop\": %.2f, \"peak_gflops\": %.1f}\n",
              seconds.c_str(), static_cast<long>(cost.windows), static_cast<long>(cost.skipped), static_cast<long>(cost.channels),
              bf16 ? "true" : "false", gflop_of_window(models.network(bundle), bundle.network.input), peak_gflops(bf16));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  try {
    return run(argc, argv);
  } catch (const penta::Error& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
