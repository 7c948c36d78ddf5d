#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "image/components/components.h"
#include "image/morphology/morphology.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {

namespace {

/// An ellipse in a picture; lengths in the unit of the spacing that it was fitted with.
struct Ellipse {
  double centre_x = 0, centre_y = 0;
  double major = 0, minor = 0;  ///< semi-axes
  double angle_rad = 0;         ///< of the major axis from +x towards +y
};

/// The largest 4-connected part of one frame's labels, with its holes filled.
Volume<std::uint8_t> head_mask(const Volume<std::uint16_t>& labels, std::int64_t frame) {
  const Size3& size = labels.grid().size();
  Volume<std::uint8_t> mask(Grid({size[0], size[1], 1}, {1, 1, 1}));
  const auto from = labels.voxels().subspan(static_cast<std::size_t>(frame * size[0] * size[1]), mask.voxels().size());
  std::transform(from.begin(), from.end(), mask.voxels().begin(), [](std::uint16_t v) { return v != 0 ? 1 : 0; });
  mask = largest_component(std::as_const(mask).view(), Connectivity::faces);
  return fill_holes_by_slice(std::as_const(mask).view(), 2);
}

/// The ellipse whose area has the mask's centre and second moments, each pixel a rectangle of `spacing` (a uniform
/// ellipse has the variance a^2 / 4 along its semi-axis a). Nothing for fewer than 3 pixels.
std::optional<Ellipse> moment_ellipse(VolumeView<const std::uint8_t> mask, const std::array<double, 2>& spacing) {
  double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (std::int64_t row = 0; row < mask.grid.size()[1]; ++row)
    for (std::int64_t column = 0; column < mask.grid.size()[0]; ++column) {
      if (mask.at(column, row, 0) == 0) continue;
      const double x = static_cast<double>(column) * spacing[0], y = static_cast<double>(row) * spacing[1];
      n += 1;
      sx += x;
      sy += y;
      sxx += x * x;
      syy += y * y;
      sxy += x * y;
    }
  if (n < 3) return std::nullopt;
  const double mx = sx / n, my = sy / n;
  const double vx = sxx / n - mx * mx + spacing[0] * spacing[0] / 12, vy = syy / n - my * my + spacing[1] * spacing[1] / 12;
  const double vxy = sxy / n - mx * my;
  const double mean = (vx + vy) / 2, half = std::hypot((vx - vy) / 2, vxy);
  return Ellipse{mx, my, 2 * std::sqrt(mean + half), 2 * std::sqrt(std::max(mean - half, 0.0)),
                 0.5 * std::atan2(2 * vxy, vx - vy)};
}

/// Ramanujan's second approximation of 1914: off by less than 1e-6 for the shapes of heads.
double perimeter(const Ellipse& e) {
  const double h = std::pow((e.major - e.minor) / (e.major + e.minor), 2);
  return std::numbers::pi * (e.major + e.minor) * (1 + 3 * h / (10 + std::sqrt(4 - 3 * h)));
}

/// Weeks from head circumference in mm: Hadlock et al. 1984 (in cm: 8.96 + 0.540 HC + 0.0003 HC^3).
double gestational_age_weeks(double circumference_mm) {
  const double hc = circumference_mm / 10;
  return 8.96 + 0.540 * hc + 0.0003 * hc * hc * hc;
}

Measurement measurement(const char* name, double value, const char* unit, CodedConcept code, const char* formula,
                        std::array<double, 2> plausible) {
  Measurement m;
  m.name = name;
  m.value = value;
  m.unit = unit;
  m.code = std::move(code);
  m.region = "fetal head";
  m.formula = formula;
  m.plausible_range = plausible;
  return m;
}

Measurements measured(const Ellipse& mm) {
  const double circumference = perimeter(mm);
  Measurements all;
  all.push_back(measurement("head circumference", circumference, "mm", {"LN", "11984-2", "Head Circumference"},
                            "perimeter of the moment ellipse (Ramanujan 1914, second formula)", {50, 400}));
  all.push_back(measurement("biparietal diameter", 2 * mm.minor, "mm", {"LN", "11820-8", "Biparietal Diameter"},
                            "short axis of the moment ellipse, outer to outer", {15, 115}));
  all.push_back(measurement("occipitofrontal diameter", 2 * mm.major, "mm", {"LN", "11851-3", "Occipital-Frontal Diameter"},
                            "long axis of the moment ellipse, outer to outer", {20, 145}));
  all.push_back(measurement("gestational age", gestational_age_weeks(circumference), "wk",
                            {"LN", "18185-9", "Gestational Age"},
                            "8.96 + 0.540 HC + 0.0003 HC^3, HC in cm (Hadlock et al. 1984, Radiology 152:497-501)", {12, 43}));
  return all;
}

/// The ellipse in pixels of its frame, as a place that can be drawn.
Finding finding_of(const Ellipse& px, int frame) {
  const double c = std::cos(px.angle_rad), s = std::sin(px.angle_rad);
  const double half_x = std::hypot(px.major * c, px.minor * s), half_y = std::hypot(px.major * s, px.minor * c);
  Finding finding;
  finding.label = "fetal head (fitted ellipse)";
  finding.score = 1;
  finding.centre = {px.centre_x, px.centre_y, 0};
  finding.box = {px.centre_x - half_x, px.centre_y - half_y, 0, px.centre_x + half_x, px.centre_y + half_y, 0};
  finding.size = 2 * px.major;
  finding.frame = frame;
  finding.in_pixels = true;
  finding.region = "fetal head";
  const double ax = px.major * c, ay = px.major * s, bx = -px.minor * s, by = px.minor * c;
  finding.ellipse_px = {{px.centre_x - ax, px.centre_y - ay},
                        {px.centre_x + ax, px.centre_y + ay},
                        {px.centre_x - bx, px.centre_y - by},
                        {px.centre_x + bx, px.centre_y + by}};
  return finding;
}

class UsFetalBiometry final : public Method {
 public:
  explicit UsFetalBiometry(const nn::ModelStore& models) : models_(models) {}
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const FrameSequence& frames = request.need<Image>("image").frames();
    const LabelMap& head = request.need<LabelMap>("head");
    if (frames.empty()) throw Error(Code::bad_input, "us.fetal_biometry: the image has no frame");
    const Size3& size = head.grid().size();
    if (size[0] != frames.front().width || size[1] != frames.front().height ||
        size[2] != static_cast<std::int64_t>(frames.size()))
      throw Error(Code::bad_input, "us.fetal_biometry: the head's labels and the image differ in size");
    const std::array<double, 2> spacing_mm = spacing_of(frames.front(), request.params);
    const std::int64_t frame = fullest_frame(head.layers.front());
    const Volume<std::uint8_t> mask = head_mask(head.layers.front(), frame);
    const double inset_px = inset_of_width(request.params) * static_cast<double>(size[0]);
    const auto in_pixels = moment_ellipse(mask.view(), {1, 1}), in_mm = moment_ellipse(mask.view(), spacing_mm);
    if (!in_mm) throw Error(Code::bad_input, "us.fetal_biometry: no fetal head was found in this image");
    Answer answer;
    answer.artifacts.push_back({"measurements", measured(shrunk(*in_mm, inset_px * (spacing_mm[0] + spacing_mm[1]) / 2))});
    answer.artifacts.push_back({"ellipse", Findings{finding_of(shrunk(*in_pixels, inset_px), static_cast<int>(frame))}});
    if (frames.size() > 1)
      answer.remarks.push_back({Severity::note, "one_frame_measured",
                                "frame " + std::to_string(frame + 1) + " of " + std::to_string(frames.size()) +
                                    " is measured: the head's labels are largest there"});
    add_remarks_on_edge(mask.view(), answer.remarks);
    return answer;
  }

 private:
  static std::array<double, 2> spacing_of(const Frame2d& frame, const Params& params) {
    if (params.is_set("pixel_mm")) return {params.number("pixel_mm"), params.number("pixel_mm")};
    return frame.spacing_mm_or_throw();
  }

  /// What the network's masks lie outside the outline that people draw, as its card says.
  double inset_of_width(const Params& params) const {
    if (params.is_set("inset_of_width")) return params.number("inset_of_width");
    const nn::Bundle* bundle = models_.find("us.fetal_head");
    const Json* network = bundle != nullptr ? bundle->card.whole.find("network") : nullptr;
    return network != nullptr ? network->number_or("ellipse_inset_of_width", 0) : 0;
  }

  static Ellipse shrunk(Ellipse e, double by) {
    e.major = std::max(e.major - by, 0.0);
    e.minor = std::max(e.minor - by, 0.0);
    return e;
  }

  static std::int64_t fullest_frame(const Volume<std::uint16_t>& labels) {
    const Size3& size = labels.grid().size();
    std::int64_t best = 0, most = -1;
    for (std::int64_t z = 0; z < size[2]; ++z) {
      const auto from = labels.voxels().subspan(static_cast<std::size_t>(z * size[0] * size[1]),
                                                static_cast<std::size_t>(size[0] * size[1]));
      const auto count = static_cast<std::int64_t>(from.size()) - std::count(from.begin(), from.end(), std::uint16_t{0});
      if (count > most) {
        most = count;
        best = z;
      }
    }
    return best;
  }

  static void add_remarks_on_edge(VolumeView<const std::uint8_t> mask, std::vector<Remark>& remarks) {
    const std::int64_t w = mask.grid.size()[0], h = mask.grid.size()[1];
    bool cut = false;
    for (std::int64_t x = 0; x < w; ++x) cut = cut || mask.at(x, 0, 0) != 0 || mask.at(x, h - 1, 0) != 0;
    for (std::int64_t y = 0; y < h; ++y) cut = cut || mask.at(0, y, 0) != 0 || mask.at(w - 1, y, 0) != 0;
    if (cut) remarks.push_back({Severity::warning, "head_cut_off", "the head reaches the edge of the picture: too small"});
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("analysis/us.fetal_biometry");
};

}  // namespace

MethodPtr make_analysis_us_fetal_biometry(const nn::ModelStore& models);
MethodPtr make_analysis_us_fetal_biometry(const nn::ModelStore& models) { return std::make_unique<UsFetalBiometry>(models); }

}  // namespace penta
