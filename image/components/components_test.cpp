#include "image/components/components.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/parallel.h"
#include "core/random.h"

namespace penta {
namespace {

Volume<std::uint8_t> noise(Size3 size, double share, std::uint64_t seed) {
  Volume<std::uint8_t> mask(Grid(size, {1, 1, 1}));
  Random random(seed);
  for (auto& voxel : mask.voxels()) voxel = random.uniform() < share ? 1 : 0;
  return mask;
}

// The plain twin: a flood from each voxel in raster order.
Volume<std::int32_t> plain_labels(const Volume<std::uint8_t>& mask, Connectivity connectivity) {
  Volume<std::int32_t> labels(mask.grid());
  const auto& size = mask.grid().size();
  const int most = connectivity == Connectivity::faces ? 1 : connectivity == Connectivity::edges ? 2 : 3;
  std::int32_t count = 0;
  for (std::int64_t i = 0; i < mask.grid().count(); ++i) {
    if (mask.voxels()[i] == 0 || labels.voxels()[i] != 0) continue;
    std::vector<std::int64_t> open{i};
    labels.voxels()[i] = ++count;
    while (!open.empty()) {
      const std::int64_t at = open.back();
      open.pop_back();
      const std::int64_t x = at % size[0], y = at / size[0] % size[1], z = at / size[0] / size[1];
      for (int n = 0; n < 27; ++n) {
        const int dx = n % 3 - 1, dy = n / 3 % 3 - 1, dz = n / 9 - 1;
        if (std::abs(dx) + std::abs(dy) + std::abs(dz) > most) continue;
        if (x + dx < 0 || y + dy < 0 || z + dz < 0 || x + dx >= size[0] || y + dy >= size[1] || z + dz >= size[2]) continue;
        const std::int64_t there = mask.grid().offset(x + dx, y + dy, z + dz);
        if (mask.voxels()[there] == 0 || labels.voxels()[there] != 0) continue;
        labels.voxels()[there] = count;
        open.push_back(there);
      }
    }
  }
  return labels;
}

TEST(Components, TwinOfAPlainFlood) {
  for (const Connectivity c : {Connectivity::faces, Connectivity::edges, Connectivity::corners})
    for (const double share : {0.08, 0.2, 0.35, 0.7}) {
      const auto mask = noise({17, 13, 11}, share, 5);
      const auto fast = labels_of(connected_components(mask.view(), c), mask.grid());
      const auto plain = plain_labels(mask, c);
      EXPECT_TRUE(std::equal(fast.voxels().begin(), fast.voxels().end(), plain.voxels().begin()));
    }
}

TEST(Components, PhantomCountsByConnectivity) {
  Volume<std::uint8_t> mask(Grid({4, 4, 4}, {1, 1, 1}));
  mask.at(0, 0, 0) = mask.at(1, 1, 0) = mask.at(2, 2, 1) = 1;  // an edge, then a corner
  EXPECT_EQ(connected_components(mask.view(), Connectivity::faces).count(), 3);
  EXPECT_EQ(connected_components(mask.view(), Connectivity::edges).count(), 2);
  EXPECT_EQ(connected_components(mask.view(), Connectivity::corners).count(), 1);
}

TEST(Components, SizesLargestAndSmall) {
  Volume<std::uint8_t> mask(Grid({10, 3, 3}, {1, 1, 1}));
  mask.at(0, 0, 0) = 1;
  for (int x = 3; x < 7; ++x) mask.at(x, 1, 1) = 1;
  const Components parts = connected_components(mask.view(), Connectivity::corners);
  EXPECT_EQ(parts.sizes, (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(parts.largest(), 2);
  const auto big = largest_component(mask.view(), Connectivity::corners);
  EXPECT_EQ(std::count(big.voxels().begin(), big.voxels().end(), 1), 4);
  const auto kept = without_small(mask.view(), Connectivity::faces, 2);
  EXPECT_TRUE(std::equal(big.voxels().begin(), big.voxels().end(), kept.voxels().begin()));
  const Volume<std::uint8_t> empty(Grid({2, 2, 2}, {1, 1, 1}));
  EXPECT_EQ(connected_components(empty.view(), Connectivity::faces).largest(), 0);
}

TEST(Components, SameForAnyNumberOfThreads) {
  const auto mask = noise({40, 40, 40}, 0.3, 9);
  const auto labels = [&](int threads) {
    const ThreadLimit limit(threads);
    return labels_of(connected_components(mask.view(), Connectivity::corners), mask.grid());
  };
  const auto one = labels(1), two = labels(2);
  EXPECT_TRUE(std::equal(one.voxels().begin(), one.voxels().end(), two.voxels().begin()));
}

}  // namespace
}  // namespace penta
