#pragma once

#include <complex>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <variant>

#include "core/grid.h"
#include "core/memory.h"

namespace penta {

struct Rgb8 {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend bool operator==(const Rgb8&, const Rgb8&) = default;
};

/// The voxel types that there are; everything else is converted on reading, with a remark where it loses.
template <class T>
concept Voxel = std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::int16_t> || std::is_same_v<T, std::uint16_t> ||
                std::is_same_v<T, std::int32_t> || std::is_same_v<T, float> || std::is_same_v<T, std::complex<float>> ||
                std::is_same_v<T, Rgb8>;

/// A grid and a look at its voxels, x fastest: voxel (x, y, z) is voxels[x + nx * (y + ny * z)].
template <class T>
struct VolumeView {
  const Grid& grid;
  std::span<T> voxels;

  [[nodiscard]] T& at(std::int64_t x, std::int64_t y, std::int64_t z) const noexcept {
    return voxels[static_cast<std::size_t>(grid.offset(x, y, z))];
  }
  /// A look that may write also serves where one that only reads is wanted.
  operator VolumeView<const T>() const noexcept requires(!std::is_const_v<T>) { return {grid, voxels}; }
};

/// Owns a grid and its voxels (x fastest, 64-byte aligned, zero at first). Moves freely; copies only by clone().
template <Voxel T>
class Volume {
 public:
  explicit Volume(const Grid& grid) : grid_(grid), voxels_(allocate(grid.count())) {}
  Volume(Volume&&) noexcept = default;
  Volume& operator=(Volume&&) noexcept = default;
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;
  ~Volume() = default;

  [[nodiscard]] const Grid& grid() const noexcept { return grid_; }
  [[nodiscard]] std::span<T> voxels() noexcept { return {voxels_.get(), static_cast<std::size_t>(grid_.count())}; }
  [[nodiscard]] std::span<const T> voxels() const noexcept {
    return {voxels_.get(), static_cast<std::size_t>(grid_.count())};
  }
  [[nodiscard]] VolumeView<T> view() noexcept { return {grid_, voxels()}; }
  [[nodiscard]] VolumeView<const T> view() const noexcept { return {grid_, voxels()}; }
  [[nodiscard]] T& at(std::int64_t x, std::int64_t y, std::int64_t z) noexcept { return view().at(x, y, z); }
  [[nodiscard]] const T& at(std::int64_t x, std::int64_t y, std::int64_t z) const noexcept { return view().at(x, y, z); }

  [[nodiscard]] Volume clone() const {
    Volume copy(grid_);
    std::memcpy(static_cast<void*>(copy.voxels_.get()), voxels_.get(), voxels().size_bytes());
    return copy;
  }

 private:
  struct Release {
    std::size_t bytes = 0;
    void operator()(T* memory) const noexcept { release_memory(static_cast<void*>(memory), bytes); }
  };
  static std::unique_ptr<T[], Release> allocate(std::int64_t count) {
    const auto bytes = static_cast<std::size_t>(count) * sizeof(T);
    return std::unique_ptr<T[], Release>(static_cast<T*>(zeroed_memory(bytes)), Release{bytes});
  }

  Grid grid_;
  std::unique_ptr<T[], Release> voxels_;
};

using AnyVolume = std::variant<Volume<std::uint8_t>, Volume<std::int16_t>, Volume<std::uint16_t>, Volume<std::int32_t>,
                               Volume<float>, Volume<std::complex<float>>, Volume<Rgb8>>;

[[nodiscard]] const Grid& grid_of(const AnyVolume& volume) noexcept;
[[nodiscard]] AnyVolume clone(const AnyVolume& volume);
/// The voxels as float32. Throws Error{bad_input} on complex voxels; RGB becomes luma (ITU-R BT.601).
[[nodiscard]] Volume<float> to_float(const AnyVolume& volume);

}  // namespace penta
