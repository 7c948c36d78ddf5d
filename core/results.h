#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/coded.h"
#include "core/label_map.h"
#include "core/points.h"

namespace penta {

/// A range that has a population and a source, or it is not shown.
struct ReferenceRange {
  double low = 0, high = 0;
  std::string population, source;
};

/// One number with its unit (UCUM), its region and the formula it came from.
struct Measurement {
  std::string name{};
  double value = 0;
  std::string unit{};      ///< UCUM: "mm", "mL", "g/mL", "[hnsf'U]", "1"
  CodedConcept code{};     ///< quantity
  std::string region{};    ///< ROI or segment name as given; empty for the whole image
  Side side = Side::none;
  std::string formula{};   ///< "SUVbw = c / (dose / weight)", with its source
  std::optional<std::array<double, 2>> plausible_range{};
  std::optional<ReferenceRange> reference_range{};
  std::string made_by{};     ///< filled by the engine
  std::string series_uid{};  ///< filled by the engine
};
using Measurements = std::vector<Measurement>;

/// A calibrated probability of one label; `probability` is absent where it was never calibrated.
struct Score {
  std::string label{};
  std::optional<double> probability{};
  CodedConcept code{};
  std::string made_by{}, series_uid{};
};
using Scores = std::vector<Score>;

/// A place worth looking at. Coordinates are LPS mm, or pixels of `frame` where there is no mm.
struct Finding {
  std::string label{};
  double score = 0;
  PatientPoint centre{};
  std::array<double, 6> box{};  ///< x0, y0, z0, x1, y1, z1
  double size = 0;              ///< longest extent
  int frame = 0;
  bool in_pixels = false;
  CodedConcept code{};
  std::string made_by{}, series_uid{};
  /// In pixels: both ends of the long axis of an ellipse, then of the short one; empty: the box is all there is.
  std::vector<std::array<double, 2>> ellipse_px{};
  std::string region{};  ///< measurements of this region were taken of it
};
using Findings = std::vector<Finding>;

struct RankedCase {
  std::string case_id;
  double score = 0;
  std::string why;
};
using Ranking = std::vector<RankedCase>;

struct Embedding {
  std::string model;
  std::vector<float> values;
};

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// A mark that a person made: points in mm, or in pixels of a frame.
struct Mark {
  enum class Kind { click, box, scribble, erase } kind = Kind::click;
  std::vector<PatientPoint> points;
  int frame = 0;
  bool in_pixels = false;
  bool positive = true;
};

struct Mesh {
  std::vector<PatientPoint> vertices_mm;
  std::vector<std::array<std::int32_t, 3>> triangles;
};

/// Maps fixed to moving patient points: row-major 3 x 4 affine in mm.
struct Transform {
  std::array<double, 12> affine{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
};

}  // namespace penta
