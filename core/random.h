#pragma once

#include <cstdint>

namespace penta {

/// Numbers from a seed, the same on every machine (PCG-XSH-RR 64/32, O'Neill 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept;
  [[nodiscard]] std::uint32_t bits() noexcept;
  /// Uniform in [0, 1).
  [[nodiscard]] double uniform() noexcept;
  [[nodiscard]] double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }
  /// Mean 0, standard deviation 1 (Box and Muller 1958).
  [[nodiscard]] double normal() noexcept;
  /// Poisson with the given mean >= 0: product of uniforms up to 30, above that PTRS (Hoermann 1993).
  [[nodiscard]] std::int64_t poisson(double mean) noexcept;

 private:
  std::uint64_t state_ = 0, increment_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace penta
