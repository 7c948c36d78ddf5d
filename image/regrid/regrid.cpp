#include "image/regrid/regrid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "core/error.h"
#include "core/parallel.h"

namespace penta {

namespace {

struct Placed {
  double u = 0, v = 0, w = 0;  // mm of the first pixel along row axis, column axis and normal
  const std::vector<float>* pixels = nullptr;
};

struct Frame {
  Vector3 normal{};
  std::vector<Placed> slices;  // by rising w, one a place
  double step_mm = 0;
};

std::string mm(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g mm", value);
  return text.data();
}

std::string value_text(float value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", static_cast<double>(value));
  return text.data();
}

Frame place(const SliceStack& stack, std::vector<Remark>& remarks) {
  Frame frame;
  frame.normal = cross(stack.row_axis, stack.column_axis);
  for (const auto& slice : stack.slices) {
    const Vector3 p{slice.origin_mm.x, slice.origin_mm.y, slice.origin_mm.z};
    frame.slices.push_back({dot(p, stack.row_axis), dot(p, stack.column_axis), dot(p, frame.normal), &slice.pixels});
  }
  std::stable_sort(frame.slices.begin(), frame.slices.end(), [](const Placed& a, const Placed& b) { return a.w < b.w; });
  const auto last = std::unique(frame.slices.begin(), frame.slices.end(),
                                [](const Placed& a, const Placed& b) { return std::abs(a.w - b.w) < 1e-3; });
  if (last != frame.slices.end())
    remarks.push_back({Severity::warning, "slices_at_one_place",
                       std::to_string(frame.slices.end() - last) + " slices lie where another one does and were left out"});
  frame.slices.erase(last, frame.slices.end());
  if (frame.slices.empty()) throw Error(Code::bad_input, "resampling slices to a volume: there are none");
  if (frame.slices.size() == 1) {
    frame.step_mm = std::min(stack.spacing_mm[0], stack.spacing_mm[1]);
    remarks.push_back({Severity::warning, "thickness_assumed",
                       "one slice, whose thickness is not known: " + mm(frame.step_mm) +
                           " is assumed, as its pixels are; volumes in mL are not to be trusted"});
    return frame;
  }
  std::vector<double> steps;
  for (std::size_t i = 1; i < frame.slices.size(); ++i) steps.push_back(frame.slices[i].w - frame.slices[i - 1].w);
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
  frame.step_mm = steps[steps.size() / 2];
  return frame;
}

Grid grid_over(const SliceStack& stack, const Frame& frame) {
  const auto by = [&](auto member) {
    return std::minmax_element(frame.slices.begin(), frame.slices.end(),
                               [&](const Placed& a, const Placed& b) { return a.*member < b.*member; });
  };
  const auto [u0, u1] = by(&Placed::u);
  const auto [v0, v1] = by(&Placed::v);
  const double extra_u = (u1->u - u0->u) / stack.spacing_mm[0], extra_v = (v1->v - v0->v) / stack.spacing_mm[1];
  const double depth = (frame.slices.back().w - frame.slices.front().w) / frame.step_mm;
  const Size3 size{stack.width + static_cast<std::int64_t>(std::ceil(extra_u - 1e-3)),
                   stack.height + static_cast<std::int64_t>(std::ceil(extra_v - 1e-3)),
                   static_cast<std::int64_t>(std::floor(depth + 1e-3)) + 1};
  // A slip of a pixel in one slice is not a reason for an endless grid.
  if (size[0] > 4 * stack.width || size[1] > 4 * stack.height || size[2] > 20 * static_cast<std::int64_t>(frame.slices.size()))
    throw Error(Code::bad_input, "resampling slices to a volume: their places lie too far apart (" + stack.why + ")");
  const double u = u0->u, v = v0->v, w = frame.slices.front().w;
  Vector3 origin{};
  Matrix3 direction{};
  for (std::size_t k = 0; k < 3; ++k) {
    origin[k] = u * stack.row_axis[k] + v * stack.column_axis[k] + w * frame.normal[k];
    direction[k] = {stack.row_axis[k], stack.column_axis[k], frame.normal[k]};
  }
  return Grid(size, {stack.spacing_mm[0], stack.spacing_mm[1], frame.step_mm}, {origin[0], origin[1], origin[2]}, direction);
}

// Bilinear inside a slice; NaN outside it.
float sample(const SliceStack& stack, const Placed& slice, double x, double y) noexcept {
  constexpr double slack = 1e-3;  // pixels: rounding of header positions
  const double right = static_cast<double>(stack.width - 1), bottom = static_cast<double>(stack.height - 1);
  if (x < -slack || y < -slack || x > right + slack || y > bottom + slack) return std::numeric_limits<float>::quiet_NaN();
  x = std::clamp(x, 0.0, right);
  y = std::clamp(y, 0.0, bottom);
  const auto x0 = std::min(static_cast<std::int64_t>(x), std::max<std::int64_t>(stack.width - 2, 0));
  const auto y0 = std::min(static_cast<std::int64_t>(y), std::max<std::int64_t>(stack.height - 2, 0));
  const double fx = x - static_cast<double>(x0), fy = y - static_cast<double>(y0);
  const auto at = [&](std::int64_t i, std::int64_t j) {
    const std::int64_t column = std::min(i, stack.width - 1), row = std::min(j, stack.height - 1);
    return static_cast<double>((*slice.pixels)[static_cast<std::size_t>(column + stack.width * row)]);
  };
  return static_cast<float>((1 - fy) * ((1 - fx) * at(x0, y0) + fx * at(x0 + 1, y0)) +
                            fy * ((1 - fx) * at(x0, y0 + 1) + fx * at(x0 + 1, y0 + 1)));
}

// A lone slice's value counts within `reach` of the way to the other one: across a gap it would come from far away.
float mix(float a, float b, double share_of_b, double reach, float otherwise) noexcept {
  if (std::isnan(a) && std::isnan(b)) return otherwise;
  if (std::isnan(a)) return 1 - share_of_b <= reach ? b : otherwise;
  if (std::isnan(b)) return share_of_b <= reach ? a : otherwise;
  return static_cast<float>((1 - share_of_b) * static_cast<double>(a) + share_of_b * static_cast<double>(b));
}

float lowest(const Frame& frame) {
  float low = std::numeric_limits<float>::infinity();
  for (const Placed& slice : frame.slices) low = std::min(low, *std::min_element(slice.pixels->begin(), slice.pixels->end()));
  return low;
}

void fill_plane(const SliceStack& stack, const Frame& frame, float outside, std::int64_t z, Volume<float>& volume) {
  const Size3& size = volume.grid().size();
  const double w = frame.slices.front().w + static_cast<double>(z) * frame.step_mm;
  auto behind = std::lower_bound(frame.slices.begin(), frame.slices.end(), w - 1e-3,
                                 [](const Placed& slice, double there) { return slice.w < there; });
  if (behind == frame.slices.end()) --behind;
  const auto before = behind == frame.slices.begin() || behind->w <= w + 1e-3 ? behind : behind - 1;
  const double gap = behind->w - before->w;
  const double share = before == behind ? 0 : (w - before->w) / gap;
  const double reach = before == behind ? 1 : (0.5 * frame.step_mm + 1e-3) / gap;
  const double u0 = dot({volume.grid().origin_mm().x, volume.grid().origin_mm().y, volume.grid().origin_mm().z}, stack.row_axis);
  const double v0 = dot({volume.grid().origin_mm().x, volume.grid().origin_mm().y, volume.grid().origin_mm().z}, stack.column_axis);
  const auto value = [&](const Placed& slice, std::int64_t x, std::int64_t y) {
    return sample(stack, slice, static_cast<double>(x) + (u0 - slice.u) / stack.spacing_mm[0],
                  static_cast<double>(y) + (v0 - slice.v) / stack.spacing_mm[1]);
  };
  for (std::int64_t y = 0; y < size[1]; ++y)
    for (std::int64_t x = 0; x < size[0]; ++x) {
      const float a = value(*before, x, y);
      volume.at(x, y, z) = before == behind ? (std::isnan(a) ? outside : a) : mix(a, value(*behind, x, y), share, reach, outside);
    }
}

// How many planes lie in gaps where slices are missing, how wide the widest is, and what stands outside the slices.
void say_what_was_done(const SliceStack& stack, const Frame& frame, const Grid& grid, float outside,
                       std::vector<Remark>& remarks) {
  double widest = 0;
  std::int64_t bridged = 0;
  for (std::size_t i = 1; i < frame.slices.size(); ++i) {
    const double gap = frame.slices[i].w - frame.slices[i - 1].w;
    widest = std::max(widest, gap);
    if (gap > 1.5 * frame.step_mm) bridged += std::llround(gap / frame.step_mm) - 1;
  }
  std::string text = "resampled to planes every " + mm(frame.step_mm) + ", linear between slices: " + stack.why;
  if (bridged > 0)
    text += "; " + std::to_string(bridged) + (bridged == 1 ? " plane lies" : " planes lie") +
            " in gaps without a slice, the widest that was bridged is " + mm(widest);
  if (grid.size()[0] > stack.width || grid.size()[1] > stack.height)
    text += "; the grid spans all slices, and where there is none stands " + value_text(outside);
  remarks.push_back({bridged > 0 ? Severity::warning : Severity::note, "resampled", text});
}

}  // namespace

Volume<float> regrid(const SliceStack& stack, RegridPolicy policy, std::vector<Remark>& remarks) {
  if (policy == RegridPolicy::strict)
    throw Error(Code::bad_input, "the slices are no volume: " + stack.why + " (allow resampling with --geometry=resample)");
  for (const auto& slice : stack.slices)
    if (static_cast<std::int64_t>(slice.pixels.size()) != stack.width * stack.height)
      throw Error(Code::internal, "resampling slices to a volume: a slice has the wrong number of pixels");
  const Frame frame = place(stack, remarks);
  Volume<float> volume(grid_over(stack, frame));
  const float outside = lowest(frame);
  parallel_for(volume.grid().size()[2], 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t z = first; z < last; ++z) fill_plane(stack, frame, outside, z, volume);
  });
  if (frame.slices.size() > 1) say_what_was_done(stack, frame, volume.grid(), outside, remarks);
  return volume;
}

}  // namespace penta
