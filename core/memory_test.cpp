#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/sha256_blocks.h"
#include "core/volume.h"

namespace penta {
namespace {

// Twin: the processor's SHA instructions against the plain blocks.
TEST(Sha256, FastBlocksAreThePlainOnes) {
  std::vector<std::uint8_t> data(64 * 50);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * i * 31 + i / 7);
  for (const std::size_t count : {0, 1, 2, 50}) {
    std::array<std::uint32_t, 8> fast{1, 2, 3, 4, 0xFFFFFFFF, 6, 7, 8}, plain = fast;
    sha256_blocks_here()(fast, data.data(), count);
    sha256_blocks_plain(plain, data.data(), count);
    EXPECT_EQ(fast, plain);
  }
}

// Large volumes come from another place than small ones; both are zero at first and 64-byte aligned.
TEST(Volume, IsZeroAtFirst) {
  for (const std::int64_t side : {3, 200}) {
    const Volume<std::int16_t> volume(Grid({side, side, side}, {1, 1, 1}));
    const auto voxels = volume.voxels();
    EXPECT_TRUE(std::all_of(voxels.begin(), voxels.end(), [](std::int16_t v) { return v == 0; }));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(voxels.data()) % 64, 0U);
  }
}

}  // namespace
}  // namespace penta
