#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/volume.h"
#include "nn/head.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// How values become a label.
struct Decision {
  const Head* head = nullptr;  ///< makes logits of features; null: the values are logits
  std::int64_t classes = 1;
  std::vector<int> regions;    ///< empty: the class of the largest logit; else the last region above `above`
  float above = 0;             ///< for regions and for a single class
  bool probabilities = false;  ///< what the values are, for uncertain()
  double temperature = 1;
};

/// Makes labels on an output grid from planes of values on the network's grid, as they come. Both grids have the same
/// axes, in some order and direction. Values are interpolated linearly (along an axis of `nearest`: the nearest one's),
/// held at the edge for half a voxel; beyond that, and where nothing was seen, the label is 0.
/// Planes may come whole or in bands of lines. Only two planes of values are held, on the output grid's in-plane voxels.
class Painter {
 public:
  /// `stream`: the axis of `seen` along which planes come. Throws Error{internal} on grids whose axes differ.
  Painter(Volume<std::uint16_t>& labels, const Grid& seen, std::size_t stream, std::array<bool, 3> nearest, std::int64_t channels,
          Decision decision);

  /// uncertain() of each voxel goes into a volume on the labels' grid, too. Before the first plane.
  void also(Volume<float>& uncertainty) noexcept { uncertainty_ = &uncertainty; }

  /// Lines of the planes: values [channel][line][a], and 1 where a voxel was seen.
  struct Lines {
    std::int64_t first = 0, last = 0;  ///< lines first .. last - 1
    std::int64_t painted_until = 0;    ///< output that needs no line from here on was made by earlier calls
    std::span<const float> values;
    std::span<const std::uint8_t> seen;
  };
  /// Of any lines the planes in order, from 0 on; of a plane its bands in order, each from the last line of the one before.
  void plane(std::int64_t index, const Lines& lines);

  /// Bytes of values that it holds.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  /// Neighbours of an output voxel along one axis of the network's grid; low < 0: it lies outside.
  struct Tap {
    std::int64_t low = -1, high = -1;
    float upper = 0;  ///< share of `high`
  };
  /// Values of one plane at the output grid's in-plane positions.
  struct Sheet {
    std::vector<float> values;        ///< [channel][v][u]
    std::vector<std::uint8_t> seen;  ///< [v][u]
  };

  [[nodiscard]] static std::vector<Tap> taps_along(const Grid& from, const Grid& to, std::size_t axis, std::size_t to_axis, bool nearest);
  /// Output lines along v.
  struct Span {
    std::int64_t first = 0, last = 0;
  };
  [[nodiscard]] Span painted_by(const Lines& lines) const noexcept;
  void spread(const Lines& lines, const Span& span, Sheet& sheet) const;
  void paint(std::int64_t output, const Tap& tap, const Span& span);

  Volume<std::uint16_t>& labels_;
  Volume<float>* uncertainty_ = nullptr;
  Decision decision_;
  std::int64_t channels_;
  std::size_t a_, b_;
  Size3 size_;                       ///< of the network's grid
  std::array<std::size_t, 3> to_{};  ///< output axis along a, b and the stream axis
  std::vector<Tap> u_, v_, w_;       ///< along a, b and the stream axis
  std::array<Sheet, 2> sheets_;      ///< of even and odd planes
};

/// The label of each of `count` voxels whose values are [channel][count] with `stride` floats from channel to channel.
void decide(const Decision& decision, const float* values, std::int64_t stride, std::int64_t channels, std::int64_t count,
            std::uint16_t* labels);

/// For each voxel 1 less the probability of its label: softmax over the classes, of a single class (or the most doubtful
/// region) the sigmoid. Values as for decide().
void uncertain(const Decision& decision, const float* values, std::int64_t stride, std::int64_t count, float* out);

}  // namespace penta::nn
