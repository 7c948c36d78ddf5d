#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "image/morphology/morphology.h"
#include "image/resample/resample.h"
#include "nn/bundle.h"
#include "nn/judge.h"
#include "nn/logits.h"
#include "nn/preprocess.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr std::int64_t cube = 64;  // voxels of 1 mm
using Mask = Volume<std::uint8_t>;

// ---- the numbers: train/ct.adrenal_mass/shape.py is their definition

struct Axes {
  Vector3 values;   ///< eigenvalues, ascending
  Matrix3 vectors;  ///< a row each
};

// Of a symmetric matrix, by Jacobi's rotations (Golub and Van Loan 1996, 8.4).
Axes principal_axes(Matrix3 a) {
  Matrix3 v{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  for (int sweep = 0; sweep < 50; ++sweep)
    for (const auto& [p, q] : std::array<std::array<std::size_t, 2>, 3>{{{0, 1}, {0, 2}, {1, 2}}}) {
      if (std::abs(a[p][q]) <= 1e-14 * (std::abs(a[p][p]) + std::abs(a[q][q]))) continue;
      const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::hypot(theta, 1.0)), c = 1 / std::hypot(t, 1.0),
                   s = t * c;
      for (std::size_t k = 0; k < 3; ++k) {
        const double x = a[k][p], y = a[k][q];
        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
      }
      for (std::size_t k = 0; k < 3; ++k) {
        const double x = a[p][k], y = a[q][k], vx = v[p][k], vy = v[q][k];
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
        v[p][k] = c * vx - s * vy;
        v[q][k] = s * vx + c * vy;
      }
    }
  std::array<std::size_t, 3> order{0, 1, 2};
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i][i] < a[j][j]; });
  Axes axes{};
  for (std::size_t k = 0; k < 3; ++k) axes.values[k] = a[order[k]][order[k]], axes.vectors[k] = v[order[k]];
  return axes;
}

std::vector<Vector3> about_centre(const Mask& shape) {
  std::vector<Vector3> points;
  Vector3 centre{};
  const Size3& size = shape.grid().size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        if (shape.at(x, y, z) != 0)
          points.push_back({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
  for (const Vector3& p : points)
    for (std::size_t k = 0; k < 3; ++k) centre[k] += p[k] / static_cast<double>(points.size());
  for (Vector3& p : points)
    for (std::size_t k = 0; k < 3; ++k) p[k] -= centre[k];
  return points;
}

double mean_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<float>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const float v : values) sum += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

void add_places(const Mask& shape, std::vector<double>& numbers) {
  const std::vector<Vector3> points = about_centre(shape);
  Matrix3 covariance{};
  for (const Vector3& p : points)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) covariance[i][j] += p[i] * p[j] / static_cast<double>(points.size() - 1);
  const Axes axes = principal_axes(covariance);
  for (const double value : axes.values) numbers.push_back(std::sqrt(std::max(0.0, value)));
  std::vector<float> along(points.size());
  for (const Vector3& axis : axes.vectors) {
    std::transform(points.begin(), points.end(), along.begin(), [&](const Vector3& p) {
      return static_cast<float>(p[0] * axis[0] + p[1] * axis[1] + p[2] * axis[2]);
    });
    numbers.push_back(nn::percentile(along, 99) - nn::percentile(along, 1));
  }
  std::transform(points.begin(), points.end(), along.begin(), [](const Vector3& p) {
    return static_cast<float>(std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]));
  });
  numbers.insert(numbers.end(),
                 {mean_of(along), deviation_of(along),
                  static_cast<double>(*std::max_element(along.begin(), along.end())), nn::percentile(along, 1)});
}

// Distances in mm to the nearest voxel outside; the shape does not touch the grid's border.
void add_depths(const Mask& shape, std::vector<double>& numbers) {
  Mask outside(shape.grid());
  std::transform(shape.voxels().begin(), shape.voxels().end(), outside.voxels().begin(), [](auto v) { return v == 0; });
  const Volume<float> depth2 = squared_distance_mm2(outside.view());
  std::vector<float> depths;
  for (const float d : depth2.voxels())
    if (d > 0) depths.push_back(std::sqrt(d));
  numbers.insert(numbers.end(), {static_cast<double>(*std::max_element(depths.begin(), depths.end())), mean_of(depths),
                                 deviation_of(depths)});
  for (const double percent : {50.0, 75.0, 90.0, 95.0, 99.0}) numbers.push_back(nn::percentile(depths, percent));
  for (int radius = 1; radius <= 8; ++radius) {
    Mask core(shape.grid());
    std::transform(depth2.voxels().begin(), depth2.voxels().end(), core.voxels().begin(),
                   [radius](float d) { return static_cast<double>(d) > radius * radius + 1e-3; });
    const auto count = [](const Mask& mask) {
      return static_cast<double>(std::count(mask.voxels().begin(), mask.voxels().end(), 1));
    };
    numbers.push_back(count(core));
    numbers.push_back(count(core) > 0 ? count(dilate(core.view(), radius)) : 0);
  }
}

double faces_of(const Mask& shape) {
  const Size3& size = shape.grid().size();
  double faces = 0;
  for (std::int64_t z = 1; z < size[2]; ++z)
    for (std::int64_t y = 1; y < size[1]; ++y)
      for (std::int64_t x = 1; x < size[0]; ++x) {
        const auto here = shape.at(x, y, z);
        faces += (here != shape.at(x - 1, y, z)) + (here != shape.at(x, y - 1, z)) + (here != shape.at(x, y, z - 1));
      }
  return faces;
}

// log(1 + number) of a shape of 1 mm voxels that does not touch its grid's border; `thickness_mm` the largest ball
// inside.
nn::Tensor described(const Mask& shape, double& thickness_mm) {
  std::vector<double> numbers{static_cast<double>(std::count(shape.voxels().begin(), shape.voxels().end(), 1)),
                              faces_of(shape)};
  add_places(shape, numbers);
  std::vector<double> depths;
  add_depths(shape, depths);
  thickness_mm = 2 * depths[0] - 1;  // a voxel's depth counts from its centre to that of the next outside
  numbers.insert(numbers.end(), depths.begin(), depths.end());
  nn::Tensor tensor{{1, static_cast<std::int64_t>(numbers.size())}, {}};
  for (const double n : numbers) tensor.values.push_back(static_cast<float>(std::log1p(n)));
  return tensor;
}

// ---- the gland

struct Gland {
  std::string name;
  int layer = 0, value = 0;
  Side side = Side::none;
};

bool says_adrenal(const Segment& segment) {
  std::string name = segment.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("adrenal") != std::string::npos ||
         (segment.type.scheme == "SCT" && segment.type.value == "23451007");
}

std::vector<Gland> glands_in(const LabelMap& labels, std::int64_t value) {
  std::vector<Gland> glands;
  std::string there;
  for (const Segment& s : labels.segments) {
    there += (there.empty() ? "" : ", ") + std::to_string(s.value) + " " + s.name;
    if (value > 0 ? s.value == value : says_adrenal(s) || labels.segments.size() == 1)
      glands.push_back({s.name, s.layer, s.value, s.side});
  }
  if (glands.empty())
    throw Error(Code::bad_input, "judging an adrenal gland: " +
                                     (value > 0 ? "no label has the value " + std::to_string(value)
                                                : "no label's name or code says adrenal; name one by value=N") +
                                     " (there are: " + (there.empty() ? "none" : there) + ")");
  return glands;
}

struct Box {
  Size3 low{std::int64_t{1} << 40, std::int64_t{1} << 40, std::int64_t{1} << 40}, high{-1, -1, -1};
  [[nodiscard]] bool empty() const { return high[0] < 0; }
};

Box box_of(const Volume<std::uint16_t>& labels, int value) {
  Box box;
  const Size3& size = labels.grid().size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        if (labels.at(x, y, z) != value) continue;
        const Size3 at{x, y, z};
        for (std::size_t k = 0; k < 3; ++k)
          box.low[k] = std::min(box.low[k], at[k]), box.high[k] = std::max(box.high[k], at[k]);
      }
  return box;
}

// The gland in a cube of 1 mm voxels about the middle of its box, with a free voxel all around.
Mask shape_of(const Volume<std::uint16_t>& labels, const Gland& gland, const Box& box, std::vector<Remark>& remarks) {
  const Grid& grid = labels.grid();
  const Size3 first{box.low[0] - 1, box.low[1] - 1, box.low[2] - 1};
  const Size3 size{box.high[0] - box.low[0] + 3, box.high[1] - box.low[1] + 3, box.high[2] - box.low[2] + 3};
  Volume<float> near(grid.cropped(first, size));
  bool at_edge = false, too_long = false;
  for (std::size_t k = 0; k < 3; ++k) {
    at_edge = at_edge || box.low[k] == 0 || box.high[k] == grid.size()[k] - 1;
    too_long = too_long || static_cast<double>(size[k] - 2) * grid.spacing_mm()[k] > static_cast<double>(cube);
  }
  for (std::int64_t z = 1; z + 1 < size[2]; ++z)
    for (std::int64_t y = 1; y + 1 < size[1]; ++y)
      for (std::int64_t x = 1; x + 1 < size[0]; ++x)
        near.at(x, y, z) = labels.at(x + first[0], y + first[1], z + first[2]) == gland.value ? 1.F : 0.F;
  if (at_edge || too_long)
    remarks.push_back({Severity::warning, "gland_cut",
                       gland.name + (at_edge ? " touches the side of the image" : " is longer than 64 mm") +
                           ": a part of it may be missing"});
  // The cube's middle is a voxel of the labels, so that voxels of 1 mm are taken as they are.
  const auto middle = [&](std::size_t k) { return static_cast<double>((box.low[k] + box.high[k] + 1) / 2); };
  const PatientPoint centre = grid.to_patient({middle(0), middle(1), middle(2)});
  const Matrix3& d = grid.direction();
  const double half = 0.5 * static_cast<double>(cube) + 1;
  const PatientPoint origin{centre.x - half * (d[0][0] + d[0][1] + d[0][2]),
                            centre.y - half * (d[1][0] + d[1][1] + d[1][2]),
                            centre.z - half * (d[2][0] + d[2][1] + d[2][2])};
  const Volume<float> fine =
      resample_linear(near.view(), Grid({cube + 2, cube + 2, cube + 2}, {1, 1, 1}, origin, d), 0);
  Mask shape(fine.grid());
  for (std::int64_t z = 1; z <= cube; ++z)
    for (std::int64_t y = 1; y <= cube; ++y)
      for (std::int64_t x = 1; x <= cube; ++x) shape.at(x, y, z) = fine.at(x, y, z) >= 0.5F ? 1 : 0;
  return shape;
}

class CtAdrenalMass final : public Method {
 public:
  explicit CtAdrenalMass(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    (void)request.need<Image>("image").volume();
    const LabelMap& labels = request.need<LabelMap>("labels");
    if (labels.planar || labels.layers.empty())
      throw Error(Code::bad_input, "judging an adrenal gland: the labels are no label map of a volume");
    const std::vector<Gland> glands = glands_in(labels, request.params.integer("value"));
    Answer answer;
    Scores scores;
    Measurements measurements;
    for (const Gland& gland : glands) judge_one(labels, gland, glands.size() > 1, answer.remarks, scores, measurements);
    if (measurements.empty()) throw Error(Code::bad_input, "judging an adrenal gland: its label marks no voxel");
    answer.artifacts.push_back({"scores", std::move(scores)});
    answer.artifacts.push_back({"measurements", std::move(measurements)});
    return answer;
  }

 private:
  void judge_one(const LabelMap& labels, const Gland& gland, bool named, std::vector<Remark>& remarks, Scores& scores,
                 Measurements& measurements) const {
    const Volume<std::uint16_t>& layer = labels.layers.at(static_cast<std::size_t>(gland.layer));
    const Box box = box_of(layer, gland.value);
    const Mask shape = box.empty() ? Mask(Grid({1, 1, 1}, {1, 1, 1})) : shape_of(layer, gland, box, remarks);
    const auto voxels = std::count(shape.voxels().begin(), shape.voxels().end(), 1);
    if (voxels < 50) {
      remarks.push_back({Severity::warning, "no_gland", gland.name + ": smaller than 0.05 mL, not judged"});
      return;
    }
    double thickness_mm = 0;
    const nn::Tensor numbers = described(shape, thickness_mm);
    const nn::Bundle& bundle = models_.need("ct.adrenal_mass");
    const std::array<std::string, 2> outputs{bundle.network.outputs.logits, bundle.network.outputs.ood};
    const std::vector<nn::Tensor> out = models_.network(bundle).run(numbers, outputs);
    const std::vector<double> p =
        nn::softmax({static_cast<double>(out[0].values.at(0)), static_cast<double>(out[0].values.at(1))},
                    bundle.network.temperature.value_or(1));
    const bool strange =
        bundle.network.ood_threshold && static_cast<double>(out[1].values.at(0)) > *bundle.network.ood_threshold;
    if (strange)
      remarks.push_back({Severity::warning, "out_of_distribution",
                         gland.name + ": no gland that taught the method has such a shape: no probability is given"});
    for (std::size_t k : {1, 0}) {
      Score score;
      score.label = bundle.network.classes.at(k) + (named ? ", " + gland.name : "");
      if (!strange) score.probability = p[k];
      scores.push_back(std::move(score));
    }
    add(measurements, gland, "volume", 1e-3 * static_cast<double>(voxels), "mL", {"SCT", "118565006", "Volume"},
        "voxels of 1 mm * voxel volume");
    add(measurements, gland, "largest thickness", thickness_mm, "mm", {},
        "diameter of the largest ball inside, 1 mm voxels");
  }

  static void add(Measurements& to, const Gland& gland, const char* name, double value, const char* unit,
                  CodedConcept code, const char* formula) {
    Measurement m;
    m.name = name;
    m.value = value;
    m.unit = unit;
    m.code = std::move(code);
    m.region = gland.name;
    m.side = gland.side;
    m.formula = formula;
    to.push_back(std::move(m));
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("classification/ct.adrenal_mass");
};

}  // namespace

MethodPtr make_classification_ct_adrenal_mass(const nn::ModelStore& models);
MethodPtr make_classification_ct_adrenal_mass(const nn::ModelStore& models) {
  return std::make_unique<CtAdrenalMass>(models);
}

}  // namespace penta
