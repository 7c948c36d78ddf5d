#include "core/raw_data.h"

#include <span>

#include "core/hash.h"

namespace penta {

namespace {

std::string times(std::int64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string text_of(const Projections& p) {
  std::string text = times(static_cast<std::int64_t>(p.angle_deg.size()), "view") + " of " + std::to_string(p.columns) +
                     " x " + std::to_string(p.rows) + " pixels";
  if (p.gates > 1) text += ", " + times(p.gates, "gate");
  if (p.windows > 1) text += ", " + times(p.windows, "energy window");
  return text;
}

std::string text_of(const KSpace& k) {
  std::string text = "k-space of ";
  for (std::size_t i = 0; i < k.shape.size() && i < 3; ++i) text += (i > 0 ? " x " : "") + std::to_string(k.shape[i]);
  if (k.shape.size() > 3) text += " samples with " + times(k.shape[3], "coil");
  return text;
}

std::string text_of(const Sinogram& s) {
  std::string text = "sinogram of " + std::to_string(s.bins) + " bins x " + std::to_string(s.views) + " views x " +
                     std::to_string(s.planes) + " planes";
  if (s.segments.size() > 1) text += " in " + times(static_cast<std::int64_t>(s.segments.size()), "segment");
  return text;
}

std::string text_of(const ListMode& l) {
  return "list mode of " + times(static_cast<std::int64_t>(l.events.size()), "word") + ": " +
         times(l.prompts, "prompt") + ", " + times(l.delayeds, "delayed event") + ", " + std::to_string(l.duration_ms) +
         " ms";
}

std::string text_of(const ChannelData& c) {
  std::string text = "channel data of " + std::to_string(c.samples) + " samples x " + std::to_string(c.elements) +
                     " elements x " + times(c.transmits, "transmit");
  if (c.frames > 1) text += " in " + times(c.frames, "frame");
  return text;
}

template <class T>
void add(Sha256& hash, const std::vector<T>& values) {
  hash.add(std::as_bytes(std::span(values)));
}

void add_values(Sha256& hash, const Projections& p) {
  add(hash, p.angle_deg);
  for (const std::vector<float>& layer : p.layers) add(hash, layer);
}
void add_values(Sha256& hash, const KSpace& k) { add(hash, k.samples); }
void add_values(Sha256& hash, const Sinogram& s) {
  add(hash, s.angle_deg);
  add(hash, s.values);
}
void add_values(Sha256& hash, const ListMode& l) { add(hash, l.events); }
void add_values(Sha256& hash, const ChannelData& c) {
  add(hash, c.transmit_angle_rad);
  add(hash, c.values);
}

}  // namespace

std::string shape_text(const RawData& raw) {
  return std::visit([](const auto& value) { return text_of(value); }, raw.value);
}

std::string hash_of(const RawData& raw) {
  Sha256 hash;
  hash.add(shape_text(raw));
  std::visit([&](const auto& value) { add_values(hash, value); }, raw.value);
  return hash.hex();
}

}  // namespace penta
