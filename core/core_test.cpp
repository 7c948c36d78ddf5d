#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/card.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/image.h"
#include "core/json.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/raw_data.h"

namespace penta {
namespace {

TEST(Grid, InverseToPatientAndBack) {
  const double a = 0.3;
  const Grid grid({10, 20, 30}, {0.5, 1.5, 3}, {-10, 20, 5},
                  {{{std::cos(a), -std::sin(a), 0}, {std::sin(a), std::cos(a), 0}, {0, 0, 1}}});
  const IndexPoint there{3.25, 7.5, 11};
  const IndexPoint back = grid.to_index(grid.to_patient(there));
  EXPECT_NEAR(back.x, there.x, 1e-12);
  EXPECT_NEAR(back.y, there.y, 1e-12);
  EXPECT_NEAR(back.z, there.z, 1e-12);
}

TEST(Grid, RefusesZeroAndNanSpacingAndShear) {
  EXPECT_THROW(Grid({1, 1, 1}, {0, 1, 1}), Error);
  EXPECT_THROW(Grid({1, 1, 1}, {1, std::nan(""), 1}), Error);
  EXPECT_THROW(Grid({0, 1, 1}, {1, 1, 1}), Error);
  EXPECT_THROW(Grid({2, 2, 2}, {1, 1, 1}, {}, {{{1, 0.2, 0}, {0, 0.98, 0}, {0, 0, 1}}}), Error);
}

TEST(Grid, AxisOrderOfACoronalGrid) {
  const Grid coronal({2, 2, 2}, {1, 1, 1}, {}, {{{1, 0, 0}, {0, 0, 1}, {0, -1, 0}}});
  const AxisOrder order = axis_order(coronal);
  EXPECT_EQ(order.index_axis, (std::array<int, 3>{0, 2, 1}));
  EXPECT_EQ(order.positive, (std::array<bool, 3>{true, true, false}));
}

// Published: FIPS 180-4 examples.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(Sha256().add("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256().add("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string text(1000, 'a');
  EXPECT_EQ(Sha256().add(text).add(text).hex(), Sha256().add(std::string(2000, 'a')).hex());
}

TEST(Json, InverseOfDumpIsParse) {
  Json json = Json::object();
  json.set("a", 1).set("b", Json::array().push(1.5).push("x").push(true)).set("c", Json());
  EXPECT_EQ(Json::parse(json.dump()).dump(), json.dump());
  EXPECT_THROW((void)Json::parse("{\"a\": "), Error);
  EXPECT_THROW((void)Json::parse(std::string(100, '[')), Error);
}

TEST(Parallel, SumDoesNotDependOnThreads) {
  const auto sum = [](int threads) {
    const ThreadLimit limit(threads);
    std::vector<double> parts(100);
    parallel_for(10000, 100, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) parts[static_cast<std::size_t>(first / 100)] += std::sin(i);
    });
    return std::accumulate(parts.begin(), parts.end(), 0.0);
  };
  EXPECT_EQ(sum(1), sum(2));
  EXPECT_THROW(parallel_for(10, 1, [](auto, auto) { throw Error(Code::bad_input, "x"); }), Error);
}

TEST(Parallel, JobsRunOnceEachAndPassOnAFault) {
  std::vector<int> runs(50);
  run_jobs(50, 3, [&](std::int64_t job) { ++runs[static_cast<std::size_t>(job)]; });
  EXPECT_EQ(runs, std::vector<int>(50, 1));
  EXPECT_THROW(run_jobs(9, 2, [](std::int64_t) { throw Error(Code::cancelled, "x"); }), Error);
}

TEST(Random, PhantomMomentsOfNormalAndPoisson) {
  Random random(7);
  double sum = 0, squares = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double v = random.normal();
    sum += v;
    squares += v * v;
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(squares / n, 1, 0.02);
  for (const double mean : {0.5, 12.0, 200.0}) {
    double total = 0, spread = 0;
    for (int i = 0; i < n; ++i) {
      const auto v = static_cast<double>(random.poisson(mean));
      total += v;
      spread += (v - mean) * (v - mean);
    }
    EXPECT_NEAR(total / n / mean, 1, 0.01) << mean;
    EXPECT_NEAR(spread / n / mean, 1, 0.03) << mean;
  }
}

TEST(Params, RefusesUnknownNameAndValueOutOfRange) {
  const Card card = card_from_json(Json::parse(R"({"id": "any.x", "task": "processing", "title": "x",
    "parameters": [{"name": "sigma_mm", "type": "number", "default": 1.0, "minimum": 0, "maximum": 10}]})"));
  EXPECT_EQ(Params(card, {}).number("sigma_mm"), 1.0);
  EXPECT_EQ(Params(card, {{"sigma_mm", "2.5"}}).number("sigma_mm"), 2.5);
  EXPECT_THROW(Params(card, {{"sigma", "2.5"}}), Error);
  EXPECT_THROW(Params(card, {{"sigma_mm", "11"}}), Error);
  EXPECT_THROW(Params(card, {{"sigma_mm", "two"}}), Error);
}

TEST(Frame2d, MillimetresOfAPlainPictureAreAnError) {
  EXPECT_THROW((void)Frame2d{}.spacing_mm_or_throw(), Error);
}

TEST(RawData, ShapeInWords) {
  RawData raw;
  raw.value = KSpace{.shape = {180, 230, 1, 8}};
  EXPECT_EQ(shape_text(raw), "k-space of 180 x 230 x 1 samples with 8 coils");
  raw.value = Sinogram{.bins = 75, .views = 64, .planes = 27};
  EXPECT_EQ(shape_text(raw), "sinogram of 75 bins x 64 views x 27 planes");
  raw.value = ChannelData{.samples = 2313, .elements = 192, .transmits = 3};
  EXPECT_EQ(shape_text(raw), "channel data of 2313 samples x 192 elements x 3 transmits");
}

}  // namespace
}  // namespace penta
