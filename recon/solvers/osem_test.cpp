#include "recon/solvers/osem.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace penta::recon {
namespace {

/// A small matrix, row by row.
class Matrix final : public Operator {
 public:
  Matrix(std::int64_t rows, std::int64_t columns, std::vector<float> values)
      : rows_(rows), columns_(columns), values_(std::move(values)) {}
  std::int64_t image_size() const noexcept override { return columns_; }
  std::int64_t measurement_size() const noexcept override { return rows_; }
  void forward(std::span<const float> x, std::span<float> y) const override {
    for (std::int64_t r = 0; r < rows_; ++r) {
      y[static_cast<std::size_t>(r)] = 0;
      for (std::int64_t c = 0; c < columns_; ++c) y[static_cast<std::size_t>(r)] += at(r, c) * x[static_cast<std::size_t>(c)];
    }
  }
  void adjoint(std::span<const float> y, std::span<float> x) const override {
    for (std::int64_t c = 0; c < columns_; ++c) {
      x[static_cast<std::size_t>(c)] = 0;
      for (std::int64_t r = 0; r < rows_; ++r) x[static_cast<std::size_t>(c)] += at(r, c) * y[static_cast<std::size_t>(r)];
    }
  }

 private:
  float at(std::int64_t r, std::int64_t c) const { return values_[static_cast<std::size_t>(c + columns_ * r)]; }
  std::int64_t rows_, columns_;
  std::vector<float> values_;
};

TEST(Osem, SolvesAConsistentSystemInverse) {
  const Matrix first(2, 2, {2, 1, 1, 3}), second(1, 2, {1, 1});
  const std::vector<float> y1{5 * 2 + 7, 5 + 7 * 3}, y2{12};
  const std::vector<Subset> subsets{{&first, y1}, {&second, y2}};
  const auto image = osem(subsets, 300);
  EXPECT_NEAR(image[0], 5, 1e-3);
  EXPECT_NEAR(image[1], 7, 1e-3);
}

TEST(Osem, OneSubsetKeepsTheCountsExactly) {
  const Matrix model(2, 2, {0.5, 0.25, 0.5, 0.75});
  const std::vector<float> measured{30, 50};
  const std::vector<Subset> subsets{{&model, measured}};
  const auto image = osem(subsets, 3);
  std::vector<float> expected(2);
  model.forward(image, expected);
  EXPECT_NEAR(expected[0] + expected[1], 80, 1e-3);  // Shepp and Vardi 1982: each step keeps the sum
}

TEST(Osem, RefusesNegativeCounts) {
  const Matrix model(1, 1, {1});
  const std::vector<float> measured{-1};
  const std::vector<Subset> subsets{{&model, measured}};
  EXPECT_THROW(static_cast<void>(osem(subsets, 1)), Error);
}

}  // namespace
}  // namespace penta::recon
