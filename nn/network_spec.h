#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/label_map.h"
#include "core/volume.h"

namespace penta::nn {

/// How values are brought into the range that a network was taught with.
struct Normalise {
  enum class Kind {
    none,
    percentile_zscore,  ///< clip to percentiles `lower`..`upper`, then mean 0 and deviation 1
    percentile_unit,    ///< clip to percentiles, then 0..1
    zscore,             ///< mean 0 and deviation 1
    minmax,             ///< 0..1
    unit,               ///< divided by `scale`
    window,             ///< clip to values `lower`..`upper`, then 0..1
  };
  Kind kind = Kind::none;
  double lower = 0, upper = 100, scale = 1;
};

enum class Resampling { linear, area };
enum class Padding { edge, zero };

/// The box from the first to the last row, and column, in which at least `share` of the pixels exceed `level`.
struct ContentBox {
  double level = 0, share = 0;
};

/// What a network wants to see (the member `network.input` of a card).
struct InputSpec {
  int dims = 3;                                   ///< 3: a volume; 2: one picture at a time
  std::string orientation;                        ///< "RAS", "LPS", ...; empty: as the file has it
  std::optional<Vector3> spacing_mm;              ///< absent: the image's own
  Resampling resampling = Resampling::linear;
  std::optional<ContentBox> content_box;          ///< 2-D: what is cut out first
  std::optional<std::array<std::int64_t, 2>> size;  ///< 2-D: width and height, aspect not kept
  std::int64_t pad_multiple = 1;
  Padding padding = Padding::edge;
  std::optional<Size3> patch;  ///< voxels; a larger volume is seen through a sliding window of this size
  Normalise normalise;
};

/// A card's `network` member.
struct NetworkSpec {
  std::string file = "model.onnx", sha256;
  InputSpec input;
  bool probabilities = false;        ///< what comes out: probabilities, else logits
  std::vector<std::string> classes;  ///< as the outputs stand; one name alone: a single logit against the rest
  std::vector<int> mirror;           ///< axes (0 x, 1 y, 2 z) whose mirror images are averaged in
  double threshold = 0.5;            ///< of a single logit's probability
  std::optional<double> temperature;  ///< logits are divided by it; without it scores carry no probability
  bool largest_component = false;    ///< of the foreground, its holes filled where `fill_holes`
  bool fill_holes = false;
  std::vector<std::string> used_by;  ///< keys of the methods that run it; without any it is a method itself
  std::vector<Segment> segments;     ///< one a class that is no background
};

/// Reads `network` (and `segments`) of a card. Throws Error{bad_input} that names the member that is missing or wrong.
[[nodiscard]] NetworkSpec network_spec_from(const Json& card);

}  // namespace penta::nn
