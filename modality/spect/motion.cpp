#include "modality/spect/motion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace penta::spect {

namespace {

using Profile = std::vector<double>;

constexpr std::int64_t reach = 3;  // pixels to each side that a displacement is looked for
constexpr double step_px = 0.55, bounce_px = 0.5;

/// Smoothed with a Gaussian of 0.8 pixels, held at the ends.
Profile smoothed(const Profile& in) {
  const std::array<double, 4> weight{0.4987, 0.2283, 0.0219, 0.00044};
  Profile out(in.size());
  const auto n = static_cast<std::int64_t>(in.size());
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = 0, all = 0;
    for (std::int64_t k = -3; k <= 3; ++k) {
      const double w = weight[static_cast<std::size_t>(std::abs(k))];
      sum += w * in[static_cast<std::size_t>(std::clamp<std::int64_t>(i + k, 0, n - 1))];
      all += w;
    }
    out[static_cast<std::size_t>(i)] = sum / all;
  }
  return out;
}

/// Counts of each view summed along one axis (0: over columns, one value a row; 1: over rows), all gates of a window.
std::vector<Profile> profiles_of(const Projections& p, int window, int along) {
  std::vector<Profile> all;
  const auto pixels = static_cast<std::size_t>(p.columns * p.rows);
  for (std::size_t v = 0; v < p.angle_deg.size(); ++v) {
    Profile one(static_cast<std::size_t>(along == 0 ? p.rows : p.columns));
    for (int gate = 0; gate < p.gates; ++gate) {
      const auto& layer = p.layers[static_cast<std::size_t>(gate + p.gates * window)];
      for (std::size_t i = 0; i < pixels; ++i) {
        const auto value = static_cast<double>(layer[v * pixels + i]);
        if (std::isfinite(value))
          one[along == 0 ? i / static_cast<std::size_t>(p.columns) : i % static_cast<std::size_t>(p.columns)] += value;
      }
    }
    all.push_back(smoothed(one));
  }
  return all;
}

Profile mean_of(const std::vector<Profile>& all, std::size_t first, std::size_t last) {
  Profile mean(all[first].size());
  for (std::size_t v = first; v < last; ++v)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += all[v][i] / static_cast<double>(last - first);
  return mean;
}

/// By how much `b` lies further up than `a`.
double displacement(const Profile& a, const Profile& b) {
  const auto n = static_cast<std::int64_t>(a.size());
  const double sum_a = std::accumulate(a.begin(), a.end(), 0.0), sum_b = std::accumulate(b.begin(), b.end(), 0.0);
  if (n < 4 * reach || !(sum_a > 0) || !(sum_b > 0)) return 0;
  std::array<double, 2 * reach + 1> cost{};
  for (std::int64_t s = -reach; s <= reach; ++s)
    for (std::int64_t i = reach; i < n - reach; ++i) {
      const double gap = a[static_cast<std::size_t>(i)] / sum_a - b[static_cast<std::size_t>(i + s)] / sum_b;
      cost[static_cast<std::size_t>(s + reach)] += gap * gap;
    }
  const auto best = static_cast<std::size_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
  const double whole = static_cast<double>(best) - static_cast<double>(reach);
  if (best == 0 || best + 1 == cost.size()) return whole;
  const double bend = cost[best - 1] - 2 * cost[best] + cost[best + 1];
  return bend > 0 ? whole + 0.5 * (cost[best - 1] - cost[best + 1]) / bend : whole;
}

/// Each value less the median of its neighbours (but the nearest two at each side).
std::vector<double> without_trend(const std::vector<double>& x) {
  std::vector<double> out(x.size());
  const auto n = static_cast<std::int64_t>(x.size());
  for (std::int64_t k = 0; k < n; ++k) {
    std::vector<double> near;
    for (std::int64_t i = std::max<std::int64_t>(0, k - 7); i < std::min(n, k + 8); ++i)
      if (std::abs(i - k) > 2) near.push_back(x[static_cast<std::size_t>(i)]);
    if (near.empty()) continue;
    std::nth_element(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(near.size() / 2), near.end());
    out[static_cast<std::size_t>(k)] = x[static_cast<std::size_t>(k)] - near[near.size() / 2];
  }
  return out;
}

struct Head {
  std::size_t first, last;
};

/// Runs of views whose angles differ by the same step.
std::vector<Head> heads_of(const std::vector<double>& angles) {
  std::vector<Head> heads;
  const auto step = [&](std::size_t v) {
    double d = std::fmod(angles[v] - angles[v - 1] + 540, 360) - 180;
    return std::abs(d);
  };
  for (std::size_t v = 0; v < angles.size(); ++v) {
    const bool joins = v > 0 && step(v) < 15 &&
                       (v < 2 || heads.back().last - heads.back().first < 2 || std::abs(step(v) - step(v - 1)) < 0.5);
    if (joins)
      heads.back().last = v + 1;
    else
      heads.push_back({v, v + 1});
  }
  return heads;
}

/// One kind of shift along one axis. `steps`: all views from here on; else one view against both neighbours.
void look(const std::vector<Profile>& profiles, const Head& head, bool steps, bool axial, std::vector<Motion>& found) {
  const std::size_t n = head.last - head.first;
  if (n < 8) return;
  std::vector<double> moved;  // one a view from the second on (for single views: but the last)
  for (std::size_t v = head.first + 1; v < (steps ? head.last : head.last - 1); ++v) {
    if (steps) {
      const std::size_t from = std::max(head.first, v - std::min<std::size_t>(v, 2)), to = std::min(head.last, v + 2);
      moved.push_back(displacement(mean_of(profiles, from, v), mean_of(profiles, v, to)));
    } else {
      Profile both = profiles[v - 1];
      for (std::size_t i = 0; i < both.size(); ++i) both[i] = (both[i] + profiles[v + 1][i]) / 2;
      moved.push_back(displacement(both, profiles[v]));
    }
  }
  moved = without_trend(moved);
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (std::abs(moved[i]) < (steps ? step_px : bounce_px)) continue;
    Motion motion{head.first + 1 + i, 0, 0, !steps};
    (axial ? motion.axial_px : motion.lateral_px) = moved[i];
    found.push_back(motion);
  }
}

double size_of(const Motion& m) { return std::max(std::abs(m.axial_px), std::abs(m.lateral_px)); }

}  // namespace

std::vector<Motion> motion_of(const Projections& views, int window) {
  std::vector<Motion> found;
  const std::vector<Profile> axial = profiles_of(views, window, 0), lateral = profiles_of(views, window, 1);
  for (const Head& head : heads_of(views.angle_deg)) {
    look(axial, head, true, true, found);
    look(axial, head, false, true, found);
    look(lateral, head, false, false, found);
  }
  // One shift shows in several comparisons next to each other: the largest stands for them.
  std::stable_sort(found.begin(), found.end(),
                   [](const Motion& a, const Motion& b) { return size_of(a) > size_of(b); });
  std::vector<Motion> kept;
  for (const Motion& motion : found) {
    const bool shadow = std::any_of(kept.begin(), kept.end(), [&](const Motion& k) {
      const auto gap = static_cast<std::int64_t>(k.view) - static_cast<std::int64_t>(motion.view);
      return std::abs(gap) <= 2 && (k.axial_px != 0) == (motion.axial_px != 0);
    });
    if (!shadow) kept.push_back(motion);
  }
  std::sort(kept.begin(), kept.end(), [](const Motion& a, const Motion& b) { return a.view < b.view; });
  return kept;
}

}  // namespace penta::spect
