#include "nn/painter.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"
#include "image/resample/resample.h"

namespace penta::nn {

namespace {

/// For each axis of `seen` the axis of `output` that runs along it.
std::array<std::size_t, 3> matching_axes(const IndexMap& map) {
  const std::array<Vector3, 3> steps{map.x, map.y, map.z};
  std::array<std::size_t, 3> axes{};
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t o = 1; o < 3; ++o)
      if (std::abs(steps[o][k]) > std::abs(steps[axes[k]][k])) axes[k] = o;
    for (std::size_t o = 0; o < 3; ++o)
      if (o != axes[k] && std::abs(steps[o][k]) > 1e-3 * std::abs(steps[axes[k]][k]))
        throw Error(Code::internal, "labels: the output grid is turned against what the network saw");
  }
  return axes;
}

constexpr std::int64_t block = 128;

}  // namespace

std::vector<Painter::Tap> Painter::taps_along(const Grid& from, const Grid& to, std::size_t axis, std::size_t to_axis, bool nearest) {
  const IndexMap map = index_map(to, from);
  const std::array<double, 3> start{map.start.x, map.start.y, map.start.z};
  const std::array<Vector3, 3> steps{map.x, map.y, map.z};
  const std::int64_t n = from.size()[axis];
  std::vector<Tap> taps(static_cast<std::size_t>(to.size()[to_axis]));
  constexpr double reach = 0.5 + 1e-6;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const double at = start[axis] + static_cast<double>(i) * steps[to_axis][axis];
    if (at < -reach || at > static_cast<double>(n) - 1 + reach) continue;
    const double held = std::clamp(at, 0.0, static_cast<double>(n - 1));
    Tap& tap = taps[i];
    if (nearest) {
      tap.low = tap.high = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at + 0.5)), 0, n - 1);
      continue;
    }
    tap.low = static_cast<std::int64_t>(held);
    tap.upper = static_cast<float>(held - static_cast<double>(tap.low));
    // A plane that weighs nothing need not be waited for.
    tap.high = tap.upper > 0 ? std::min(tap.low + 1, n - 1) : tap.low;
  }
  return taps;
}

Painter::Painter(Volume<std::uint16_t>& labels, const Grid& seen, std::size_t stream, std::array<bool, 3> nearest,
                 std::int64_t channels, Decision decision)
    : labels_(labels),
      decision_(std::move(decision)),
      channels_(channels),
      a_(stream == 0 ? 1 : 0),
      b_(stream == 2 ? 1 : 2),
      size_(seen.size()) {
  const std::array<std::size_t, 3> axes = matching_axes(index_map(labels.grid(), seen));
  to_ = {axes[a_], axes[b_], axes[stream]};
  u_ = taps_along(seen, labels.grid(), a_, to_[0], nearest[a_]);
  v_ = taps_along(seen, labels.grid(), b_, to_[1], nearest[b_]);
  w_ = taps_along(seen, labels.grid(), stream, to_[2], nearest[stream]);
}

std::size_t Painter::bytes() const noexcept { return (sheets_[0].values.size() + sheets_[1].values.size()) * sizeof(float); }

Painter::Span Painter::painted_by(const Lines& lines) const noexcept {
  // Taps go one way: what lies between two such lines is such a line, or lies outside.
  Span span;
  for (std::int64_t j = 0; j < static_cast<std::int64_t>(v_.size()); ++j) {
    const Tap& v = v_[static_cast<std::size_t>(j)];
    if (v.low < 0 || v.high < lines.painted_until || v.high >= lines.last) continue;
    if (span.last == 0) span.first = j;
    span.last = j + 1;
  }
  return span;
}

void Painter::spread(const Lines& lines, const Span& span, Sheet& sheet) const {
  const auto width = static_cast<std::int64_t>(u_.size()), height = static_cast<std::int64_t>(v_.size());
  const std::int64_t own = size_[a_], count = lines.last - lines.first, wanted = span.last - span.first;
  sheet.values.resize(static_cast<std::size_t>(channels_ * width * height));
  sheet.seen.resize(static_cast<std::size_t>(width * height));
  parallel_for(channels_ * wanted, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const std::int64_t channel = at / wanted, j = span.first + at % wanted;
      const Tap& v = v_[static_cast<std::size_t>(j)];
      const float* low = lines.values.data() + own * (v.low - lines.first + count * channel);
      const float* high = low + own * (v.high - v.low);
      float* to = sheet.values.data() + (channel * height + j) * width;
      for (std::int64_t i = 0; i < width; ++i) {
        const Tap& u = u_[static_cast<std::size_t>(i)];
        if (u.low < 0) continue;
        const float first = low[u.low] + u.upper * (low[u.high] - low[u.low]);
        const float second = high[u.low] + u.upper * (high[u.high] - high[u.low]);
        to[i] = first + v.upper * (second - first);
      }
    }
  });
  for (std::int64_t j = span.first; j < span.last; ++j)
    for (std::int64_t i = 0; i < width; ++i) {
      const Tap &u = u_[static_cast<std::size_t>(i)], &v = v_[static_cast<std::size_t>(j)];
      const std::int64_t a = u.upper > 0.5F ? u.high : u.low, b = v.upper > 0.5F ? v.high : v.low;
      sheet.seen[static_cast<std::size_t>(i + width * j)] = a < 0 ? 0 : lines.seen[static_cast<std::size_t>(a + own * (b - lines.first))];
    }
}

void Painter::plane(std::int64_t index, const Lines& lines) {
  const Span span = painted_by(lines);
  if (span.last == span.first) return;
  spread(lines, span, sheets_[static_cast<std::size_t>(index % 2)]);
  for (std::size_t k = 0; k < w_.size(); ++k)
    if (w_[k].high == index) paint(static_cast<std::int64_t>(k), w_[k], span);
}

void Painter::paint(std::int64_t output, const Tap& tap, const Span& span) {
  const auto width = static_cast<std::int64_t>(u_.size()), height = static_cast<std::int64_t>(v_.size());
  const Sheet &low = sheets_[static_cast<std::size_t>(tap.low % 2)], &high = sheets_[static_cast<std::size_t>(tap.high % 2)];
  const Size3& size = labels_.grid().size();
  const std::array<std::int64_t, 3> stride{1, size[0], size[0] * size[1]};
  std::uint16_t* all = labels_.voxels().data() + output * stride[to_[2]];
  float* doubts = uncertainty_ == nullptr ? nullptr : uncertainty_->voxels().data() + output * stride[to_[2]];
  const std::vector<std::uint8_t>& seen = tap.upper > 0.5F ? high.seen : low.seen;
  const std::int64_t plane = width * height, start = width * span.first;
  parallel_for(width * (span.last - span.first), block * 16, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> line(static_cast<std::size_t>(channels_ * block));
    std::array<std::uint16_t, block> label{};
    std::array<float, block> doubt{};
    for (std::int64_t at = start + first; at < start + last; at += block) {
      const std::int64_t count = std::min(block, start + last - at);
      if (std::all_of(seen.begin() + at, seen.begin() + at + count, [](std::uint8_t v) { return v == 0; })) continue;
      for (std::int64_t c = 0; c < channels_; ++c) {
        const float *from = low.values.data() + c * plane + at, *to = high.values.data() + c * plane + at;
        float* out = line.data() + c * block;
        for (std::int64_t i = 0; i < count; ++i) out[i] = from[i] + tap.upper * (to[i] - from[i]);
      }
      decide(decision_, line.data(), block, channels_, count, label.data());
      if (uncertainty_ != nullptr) uncertain(decision_, line.data(), block, count, doubt.data());
      for (std::int64_t i = 0; i < count; ++i)
        if (seen[static_cast<std::size_t>(at + i)] != 0) {
          const std::int64_t to = (at + i) % width * stride[to_[0]] + (at + i) / width * stride[to_[1]];
          all[to] = label[static_cast<std::size_t>(i)];
          if (doubts != nullptr) doubts[to] = doubt[static_cast<std::size_t>(i)];
        }
    }
  });
}

}  // namespace penta::nn
