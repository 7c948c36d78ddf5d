#include "nn/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <openvino/op/ops.hpp>
#include <openvino/openvino.hpp>

#include "core/parallel.h"
#include "nn/model_access.h"
#include "nn/winograd_op.h"

namespace penta::nn {
namespace {

std::vector<float> sines(std::int64_t count, double frequency, double scale) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(scale * std::sin(frequency * static_cast<double>(i * i % 9973)));
  return values;
}

// Twin: the plain sums, everywhere and so at every edge.
TEST(Winograd, TwinPlainConvolution) {
  struct Case {
    std::int64_t in, out;
    Size3 size;
  };
  for (const Case& c : {Case{8, 16, {20, 8, 3}}, Case{16, 8, {4, 12, 7}}, Case{24, 40, {68, 4, 2}}}) {
    if (!Winograd::possible(c.in, c.out, c.size)) GTEST_SKIP() << "no AVX-512 here";
    const std::int64_t count = c.size[0] * c.size[1] * c.size[2];
    const std::vector<float> image = sines(c.in * count, 0.37, 1), weights = sines(c.out * c.in * 27, 0.73, 0.1);
    const std::vector<float> bias = sines(c.out, 1.1, 1);
    std::vector<float> made(static_cast<std::size_t>(c.out * count));
    Winograd(weights, bias, c.in, c.out).run(image.data(), made.data(), c.size);
    for (std::int64_t o = 0; o < c.out; o += 5)
      for (std::int64_t at = 0; at < count; ++at) {
        const std::int64_t x = at % c.size[0], y = at / c.size[0] % c.size[1], z = at / c.size[0] / c.size[1];
        double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
        for (std::int64_t i = 0; i < c.in; ++i)
          for (std::int64_t k = 0; k < 27; ++k) {
            const Size3 p{x + k % 3 - 1, y + k / 3 % 3 - 1, z + k / 9 - 1};
            bool inside = true;
            for (std::size_t a = 0; a < 3; ++a) inside = inside && p[a] >= 0 && p[a] < c.size[a];
            if (inside)
              sum += static_cast<double>(weights[static_cast<std::size_t>((o * c.in + i) * 27 + k)]) *
                     static_cast<double>(image[static_cast<std::size_t>(i * count + (p[2] * c.size[1] + p[1]) * c.size[0] + p[0])]);
          }
        ASSERT_NEAR(made[static_cast<std::size_t>(o * count + at)], sum, 5e-5) << o << " " << at;
      }
    const ThreadLimit one(1);
    std::vector<float> again(made.size());
    Winograd(weights, bias, c.in, c.out).run(image.data(), again.data(), c.size);
    EXPECT_EQ(again, made);
  }
}

// Twin: a model with and without the replacement, its convolutions and additions found.
TEST(Winograd, TwinModels) {
  const auto constant = [](const ov::Shape& shape, double frequency, double scale) {
    return ov::op::v0::Constant::create(ov::element::f32, shape, sines(static_cast<std::int64_t>(ov::shape_size(shape)), frequency, scale));
  };
  const auto model = [&] {
    const auto input = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::PartialShape{1, 1, 6, 16, 20});
    const ov::Strides ones(3, 1);
    const ov::CoordinateDiff same(3, 1);
    std::shared_ptr<ov::Node> x = input;
    std::size_t in = 1;
    for (const std::size_t out : {16U, 32U, 16U}) {
      x = std::make_shared<ov::op::v1::Convolution>(x, constant({out, in, 3, 3, 3}, 0.6, 0.1), ones, same, same, ones);
      x = std::make_shared<ov::op::v1::Add>(x, constant({1, out, 1, 1, 1}, 0.9, 0.2));
      x = std::make_shared<ov::op::v0::Relu>(x);
      in = out;
    }
    return std::make_shared<ov::Model>(ov::OutputVector{x}, ov::ParameterVector{input}, "three");
  };
  const auto plain = model(), fast = model();
  use_winograd(fast);
  std::size_t replaced = 0;
  for (const auto& node : fast->get_ops()) replaced += std::string(node->get_type_name()) == "Winograd" ? 1U : 0U;
  if (!Winograd::possible(16, 32, {20, 16, 6})) GTEST_SKIP() << "no AVX-512 here";
  EXPECT_EQ(replaced, 2U);
  const std::vector<float> image = sines(6 * 16 * 20, 0.41, 1);
  const auto run = [&](const std::shared_ptr<ov::Model>& one) {
    ov::CompiledModel compiled = openvino_core().compile_model(one, "CPU", ov::hint::inference_precision(ov::element::f32));
    ov::InferRequest request = compiled.create_infer_request();
    std::copy(image.begin(), image.end(), request.get_input_tensor().data<float>());
    request.infer();
    const ov::Tensor out = request.get_output_tensor();
    return std::vector<float>(out.data<const float>(), out.data<const float>() + out.get_size());
  };
  const std::vector<float> a = run(plain), b = run(fast);
  float most = 0;
  for (const float v : a) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-4F * most) << i;
}

}  // namespace
}  // namespace penta::nn
