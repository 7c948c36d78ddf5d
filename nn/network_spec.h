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
    ct,                 ///< clip to values `lower`..`upper`, then (v - mean) / deviation
  };
  Kind kind = Kind::none;
  double lower = 0, upper = 100, scale = 1;
  double mean = 0, deviation = 1;
  bool nonzero = false;  ///< `where: nonzero`: values that are 0 neither count nor change
};

/// One channel of a network's input, and the role of the image that fills it.
struct Channel {
  std::string role = "image";
  Normalise normalise;
};

enum class Resampling {
  linear,  ///< trilinear at voxel centres
  area,    ///< exact area means
  cubic,   ///< third-order B-spline through the voxels (as scipy.ndimage.zoom, mode nearest, grid_mode), clipped to their range
};
enum class Padding { edge, zero, zero_centred };

/// The box from the first to the last row, and column, in which at least `share` of the pixels exceed `level`.
struct ContentBox {
  double level = 0, share = 0;
};

/// What a volume is cut to before it is resampled; the statistics of `normalise` are then those of the box.
struct BodyBox {
  enum class Kind {
    nonzero,  ///< the box of the voxels that are not 0 in some channel (nnU-Net)
    above,    ///< the box of the largest face-connected part of the first channel above `level`, and `margin_mm` around it
  };
  Kind kind = Kind::nonzero;
  double level = 0, margin_mm = 0;
};

/// What a network wants to see (the member `network.input` of a card). Axes here are the network's own: `axes` has been
/// applied to `spacing_mm`, `patch` and NetworkSpec::mirror, which a card gives along x, y, z of the (turned) image.
struct InputSpec {
  int dims = 3;                                   ///< 3: a volume; 2: one picture at a time
  bool by_slices = false;                         ///< a 2-D network that sees a volume slice by slice (along the last axis)
  std::string orientation;                        ///< "RAS", "LPS", ...; empty: as the file has it
  std::array<int, 3> axes{0, 1, 2};               ///< which axis of the turned image the network's x, y, z are
  std::optional<Vector3> spacing_mm;              ///< absent, or 0 for one axis: the image's own
  Resampling resampling = Resampling::linear;
  bool separate_axis = false;                     ///< cubic: a coarse axis (over 3 times the finest) by its nearest slice, as nnU-Net
  bool normalise_first = false;                   ///< normalised before it is resampled (nnU-Net), else after
  std::optional<ContentBox> content_box;          ///< 2-D: what is cut out first
  std::optional<BodyBox> body_box;                ///< 3-D: what is cut out first
  std::optional<std::array<std::int64_t, 2>> size;  ///< 2-D: width and height, aspect not kept
  std::int64_t pad_multiple = 1;
  Padding padding = Padding::edge;
  std::optional<Size3> patch;  ///< voxels; a larger volume is seen through a sliding window of this size
  double overlap = 0.5;        ///< share of a window that the next one sees again
  bool skip_empty = false;     ///< windows of one value only are not looked at: background
  Normalise normalise;         ///< of a channel that says nothing else
  std::vector<Channel> channels;  ///< empty: one, of the role image

  [[nodiscard]] int network_dims() const noexcept { return by_slices ? 2 : dims; }
  [[nodiscard]] std::size_t channel_count() const noexcept { return channels.empty() ? 1 : channels.size(); }
  [[nodiscard]] const Normalise& normalise_of(std::size_t channel) const noexcept {
    return channels.empty() ? normalise : channels[channel].normalise;
  }
};

/// Another bundle's network that looks first: `output` of it is what this one takes. Its input words are this card's.
struct BackboneSpec {
  std::string id, output;
};

/// What the outputs are called in the network's file. Empty: `logits` is the first one.
struct OutputNames {
  std::string logits, ood, cam;
};

enum class Precision { f32, bf16 };

/// A card's `network` member.
struct NetworkSpec {
  std::vector<std::string> files{"model.onnx"};  ///< several: their logits are averaged
  std::vector<std::string> sha256;               ///< one a file (of an IR: of its xml and bin, joined)
  InputSpec input;
  std::optional<BackboneSpec> backbone;
  Precision precision = Precision::f32;
  bool probabilities = false;        ///< what comes out: probabilities, else logits
  OutputNames outputs;
  std::vector<std::string> classes;  ///< as the outputs stand; one name alone: a single logit against the rest
  std::vector<int> regions;          ///< labels of overlapping sigmoid outputs: later ones win; empty: argmax
  std::vector<int> mirror;           ///< axes (0 x, 1 y, 2 z) whose mirror images are averaged in
  double threshold = 0.5;            ///< of a single logit's probability
  std::optional<double> temperature;    ///< logits are divided by it; without it scores carry no probability
  std::optional<double> ood_threshold;  ///< an output "ood" above it: the network does not know such images
  std::optional<double> abstain_below;  ///< a highest probability under it is no answer
  bool largest_component = false;    ///< of the foreground, its holes filled where `fill_holes`
  bool fill_holes = false;
  std::vector<std::string> used_by;  ///< keys of the methods that run it; without any it is a method itself
  std::vector<Segment> segments;     ///< one a class that is no background
};

/// Reads `network` (and `segments`) of a card. Throws Error{bad_input} that names the member that is missing or wrong.
[[nodiscard]] NetworkSpec network_spec_from(const Json& card);

}  // namespace penta::nn
