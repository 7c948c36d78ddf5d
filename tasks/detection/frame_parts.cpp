#include "tasks/detection/frame_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "image/components/components.h"
#include "image/resample/resample.h"
#include "nn/logits.h"
#include "nn/preprocess.h"
#include "nn/segment.h"
#include "tasks/finite.h"

namespace penta {

namespace {

/// Where a label is in a frame, and how probable it is there.
struct Seen {
  Volume<std::uint8_t> mask;
  Volume<float> probability;
};

/// Mean logits of the ensemble on the network's own grid.
nn::Logits logits_of(const nn::ModelStore& models, const nn::Bundle& bundle, VolumeView<const float> picture) {
  const Volume<float> seen = nn::prepared(picture, bundle.network.input);
  const std::vector<const nn::Network*> networks = models.networks(bundle);
  nn::Logits sum = nn::infer(*networks.front(), seen.view(), bundle.network);
  for (std::size_t i = 1; i < networks.size(); ++i) {
    const nn::Logits more = nn::infer(*networks[i], seen.view(), bundle.network);
    for (std::size_t k = 0; k < sum.values.size(); ++k) sum.values[k] += more.values[k];
  }
  for (float& v : sum.values) v /= static_cast<float>(networks.size());
  return sum;
}

/// The logits interpolated to the frame, as nn::segment does before it labels.
nn::Logits on_frame(const nn::Logits& logits, const Grid& grid) {
  nn::Logits out{grid, logits.classes, {}};
  const auto count = static_cast<std::size_t>(logits.grid.count());
  for (std::int64_t c = 0; c < logits.classes; ++c) {
    const Volume<float> one = resample_linear({logits.grid, {logits.of_class(c), count}}, grid, 0.F);
    out.values.insert(out.values.end(), one.voxels().begin(), one.voxels().end());
  }
  return out;
}

Seen look(const nn::ModelStore& models, const nn::Bundle& bundle, VolumeView<const float> picture, std::int64_t label) {
  const nn::Logits logits = logits_of(models, bundle, picture);
  const Volume<std::uint16_t> labels = nn::labels_on(logits, picture.grid, nn::threshold_of(bundle.network));
  nn::Logits probable = on_frame(logits, picture.grid);
  nn::to_probabilities(probable);
  const std::int64_t channel = probable.classes == 1 ? 0 : label;
  if (label < 1 || channel >= probable.classes)
    throw Error(Code::model_missing, "the network " + bundle.id + " has no label " + std::to_string(label));
  Seen seen{Volume<std::uint8_t>(picture.grid), Volume<float>(picture.grid)};
  std::transform(labels.voxels().begin(), labels.voxels().end(), seen.mask.voxels().begin(),
                 [&](std::uint16_t v) -> std::uint8_t { return v == label ? 1 : 0; });
  const float* from = probable.of_class(channel);
  std::copy(from, from + picture.grid.count(), seen.probability.voxels().begin());
  return seen;
}

struct Part {
  double probability = 0, x = 0, y = 0;  ///< sums
  std::int64_t pixels = 0, left = INT64_MAX, right = -1, top = INT64_MAX, bottom = -1;
};

std::vector<Part> parts_of(const Seen& seen) {
  const Components components = connected_components(seen.mask.view(), Connectivity::faces);
  std::vector<Part> parts(components.sizes.size());
  for (const Run& run : components.runs) {
    Part& part = parts[static_cast<std::size_t>(run.component - 1)];
    part.pixels += run.length();
    part.left = std::min(part.left, run.first_x);
    part.right = std::max(part.right, run.last_x);
    part.top = std::min(part.top, run.y);
    part.bottom = std::max(part.bottom, run.y);
    part.y += static_cast<double>(run.y * run.length());
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      part.x += static_cast<double>(x);
      part.probability += static_cast<double>(seen.probability.at(x, run.y, 0));
    }
  }
  return parts;
}

Finding finding_of(const Part& part, const FrameParts& what, int frame) {
  const auto n = static_cast<double>(part.pixels);
  const double left = static_cast<double>(part.left) - 0.5, right = static_cast<double>(part.right) + 0.5;
  const double top = static_cast<double>(part.top) - 0.5, bottom = static_cast<double>(part.bottom) + 0.5;
  Finding finding;
  finding.label = what.name;
  finding.code = what.code;
  finding.score = part.probability / n;
  finding.centre = {part.x / n, part.y / n, 0};
  finding.box = {left, top, 0, right, bottom, 0};
  finding.size = std::max(right - left, bottom - top);
  finding.frame = frame;
  finding.in_pixels = true;
  return finding;
}

void by_score(Findings& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) { return a.score > b.score; });
}

Findings findings_in(const Seen& seen, const FrameParts& what, const Params& params, int frame) {
  const double pixels_min = params.number("share_min") * static_cast<double>(seen.mask.grid().count());
  Findings findings;
  for (const Part& part : parts_of(seen)) {
    if (static_cast<double>(part.pixels) < pixels_min) continue;
    Finding finding = finding_of(part, what, frame);
    if (finding.score >= params.number("score_min")) findings.push_back(std::move(finding));
  }
  by_score(findings);
  const auto most = static_cast<std::size_t>(params.integer("most"));
  if (findings.size() > most) findings.resize(most);
  return findings;
}

}  // namespace

Answer find_frame_parts(const nn::ModelStore& models, const FrameParts& what, const Request& request) {
  const nn::Bundle& bundle = models.need(what.bundle);
  const FrameSequence& frames = request.need<Image>("image").frames();
  if (frames.empty()) throw Error(Code::bad_input, what.bundle + ": the image has no frame");
  Answer answer;
  Findings all;
  std::int64_t replaced = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    request.control.report(static_cast<double>(i) / static_cast<double>(frames.size()), what.bundle);
    // One pixel a unit, so that the network's grid lies in pixels too.
    Volume<float> picture(Grid({frames[i].width, frames[i].height, 1}, {1, 1, 1}));
    const std::vector<float> grey = frames[i].grey();
    std::copy(grey.begin(), grey.end(), picture.voxels().begin());
    replaced += replace_non_finite(picture.voxels(), what.bundle);
    const Seen seen = look(models, bundle, std::as_const(picture).view(), what.label);
    for (Finding& finding : findings_in(seen, what, request.params, static_cast<int>(i))) all.push_back(std::move(finding));
  }
  by_score(all);
  if (all.empty())
    answer.remarks.push_back({Severity::note, "nothing_found", "no " + what.name + " was found; that none is there, this "
                              "does not say"});
  say_non_finite(replaced, "of the image", "the smallest finite value is taken there", answer.remarks);
  answer.artifacts.push_back({"findings", std::move(all)});
  return answer;
}

}  // namespace penta
