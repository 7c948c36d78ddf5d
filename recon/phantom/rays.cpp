#include "recon/phantom/rays.h"

#include <algorithm>
#include <bit>

namespace penta::recon {

RayTracer::RayTracer(std::span<const Part> parts, const Vector3& direction, double low_z_mm, double high_z_mm) {
  for (const Part& part : parts) {
    const auto [low, high] = extent_mm(part.solid, 2);
    if (high < low_z_mm || low > high_z_mm) continue;
    piercers_.emplace_back(part.solid, direction);
    tissues_.push_back(part.tissue);
  }
  inside_.resize((piercers_.size() + 63) / 64);
}

void RayTracer::trace(const PatientPoint& start, std::vector<Piece>& pieces) {
  pieces.clear();
  events_.clear();
  for (std::size_t k = 0; k < piercers_.size(); ++k)
    if (const auto chord = piercers_[k].pierce(start)) {
      events_.push_back({chord->enter_mm, static_cast<std::uint16_t>(k), true});
      events_.push_back({chord->leave_mm, static_cast<std::uint16_t>(k), false});
    }
  std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) { return a.at_mm < b.at_mm; });
  std::fill(inside_.begin(), inside_.end(), 0U);
  for (std::size_t e = 0; e + 1 < events_.size(); ++e) {
    const std::uint64_t bit = std::uint64_t{1} << (events_[e].part % 64U);
    if (events_[e].enters)
      inside_[events_[e].part / 64U] |= bit;
    else
      inside_[events_[e].part / 64U] &= ~bit;
    const double enter = events_[e].at_mm, leave = events_[e + 1].at_mm;
    if (leave <= enter) continue;
    for (std::size_t word = inside_.size(); word-- > 0;) {
      if (inside_[word] == 0) continue;
      const Tissue tissue = tissues_[word * 64 + 63U - static_cast<unsigned>(std::countl_zero(inside_[word]))];
      if (!pieces.empty() && pieces.back().tissue == tissue && pieces.back().leave_mm == enter)
        pieces.back().leave_mm = leave;
      else
        pieces.push_back({enter, leave, tissue});
      break;
    }
  }
}

}  // namespace penta::recon
