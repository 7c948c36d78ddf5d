#include "nn/segment.h"

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "nn/by_planes.h"
#include "nn/cubic.h"
#include "nn/head.h"
#include "nn/logits.h"
#include "nn/model_access.h"
#include "nn/painter.h"
#include "nn/postprocess.h"
#include "nn/preprocess.h"
#include "nn/slab.h"
#include "nn/tiling.h"

namespace penta::nn {

namespace {

/// The networks of an ensemble as they are run: with their last layers, or without them.
struct Eyes {
  std::vector<Cut> cuts;  ///< empty: the networks as they are
  std::vector<const Network*> networks;
  std::string output;
  std::optional<Head> head;
  std::int64_t each = 0;      ///< channels that one network gives
  std::int64_t channels = 0;  ///< channels that are summed: side by side without last layers, else one upon another
};

Eyes eyes_of(std::vector<const Network*> networks, const NetworkSpec& spec) {
  const auto classes = static_cast<std::int64_t>(spec.classes.size());
  Eyes eyes{{}, std::move(networks), spec.outputs.logits, {}, classes, classes};
  // No network ends in so few features that the cut would pay; to look for its last layer is to read it.
  constexpr std::int64_t few = 4;
  if (spec.probabilities || classes <= few) return eyes;
  std::vector<Cut> cuts;
  std::vector<Head> heads;
  for (const Network* network : eyes.networks) {
    auto cut = without_head(*network, spec.outputs.logits);
    if (!cut || cut->head.classes != classes || (!heads.empty() && cut->head.features != heads.front().features)) return eyes;
    heads.push_back(cut->head);
    cuts.push_back(std::move(*cut));
  }
  const std::int64_t each = heads.front().features;
  const std::int64_t features = each * static_cast<std::int64_t>(heads.size());
  if (features >= classes) return eyes;
  eyes.cuts = std::move(cuts);
  for (std::size_t i = 0; i < eyes.cuts.size(); ++i) eyes.networks[i] = &eyes.cuts[i].body;
  eyes.output.clear();
  eyes.head = side_by_side(heads);
  eyes.each = each;
  eyes.channels = features;
  return eyes;
}

/// Runs the windows of each band, one network after another, and hands final lines on.
class Stream {
 public:
  Stream(const Eyes& eyes, const NetworkSpec& spec, std::span<const VolumeView<const float>> channels, Painter& painter,
         const Control& control)
      : eyes_(eyes),
        spec_(spec),
        channels_(channels),
        painter_(painter),
        control_(control),
        tiling_(tiling_of(channels.front().grid.size(), spec.input)),
        slab_(tiling_, eyes.channels),
        mirrors_(mirrorings(spec.mirror)) {
    shape_ = {1, static_cast<std::int64_t>(channels.size()), tiling_.tensor[1], tiling_.tensor[0]};
    if (spec.input.network_dims() == 3) shape_.insert(shape_.begin() + 2, tiling_.tensor[2]);
    input_.resize(channels.size() * static_cast<std::size_t>(tiling_.tensor[0] * tiling_.tensor[1] * tiling_.tensor[2]));
    std::int64_t most = 0, from = 0;
    for (const Tiling::Band& band : tiling_.rows.front().bands) {
      most = std::max(most, band.final_until - from);
      from = kept_from(tiling_, band);
    }
    lines_.resize(static_cast<std::size_t>(eyes.channels * most * slab_.line_voxels()));
    seen_.resize(static_cast<std::size_t>(most * slab_.line_voxels()));
  }

  void run() {
    std::int64_t next = 0;
    for (const Tiling::Row& row : tiling_.rows) {
      std::int64_t from = 0, painted = 0;
      for (const Tiling::Band& band : row.bands) {
        look(band);
        const std::int64_t keep = kept_from(tiling_, band);
        for (std::int64_t plane = next; plane < row.final_until; ++plane) {
          slab_.read(plane, from, band.final_until, passes(), lines_, seen_);
          painter_.plane(plane, {from, band.final_until, painted, lines_, seen_});
          slab_.release(plane, from, keep);
        }
        from = keep;
        painted = band.final_until;
      }
      next = row.final_until;
    }
  }

  void tell(SegmentExtra& extra) const {
    extra.windows = tiling_.window_count();
    extra.skipped = skipped_;
    extra.channels = eyes_.channels;
    extra.bytes = slab_.bytes() + painter_.bytes() + lines_.size() * sizeof(float);
  }

 private:
  /// How often each voxel of a window is added to a channel.
  [[nodiscard]] double passes() const {
    const double networks = eyes_.head ? 1 : static_cast<double>(eyes_.networks.size());
    return networks * static_cast<double>(mirrors_.size());
  }

  void look(const Tiling::Band& band) {
    std::vector<Size3> firsts;
    for (const Size3& first : band.firsts)
      if (!spec_.input.skip_empty || !is_empty(channels_, tiling_, first)) firsts.push_back(first);
    skipped_ += static_cast<std::int64_t>(band.firsts.size() - firsts.size());
    for (const Size3& first : firsts) slab_.count(first);
    for (std::size_t n = 0; n < eyes_.networks.size(); ++n) {
      // Only one network's working memory at a time; a single one keeps it from band to band.
      if (!session_ || eyes_.networks.size() > 1) {
        session_.reset();
        if (eyes_.networks.size() > 1) rest(*eyes_.networks[n == 0 ? eyes_.networks.size() - 1 : n - 1]);
        session_.emplace(*eyes_.networks[n], shape_, std::vector<std::string>{eyes_.output});
      }
      const std::int64_t first_channel = eyes_.head ? static_cast<std::int64_t>(n) * eyes_.each : 0;
      for (const Size3& first : firsts) look(first, first_channel);
    }
    done_ += static_cast<double>((band.firsts.size() - firsts.size()) * eyes_.networks.size());
  }

  void look(const Size3& first, std::int64_t first_channel) {
    control_.report(done_ / static_cast<double>(tiling_.window_count() * static_cast<std::int64_t>(eyes_.networks.size())),
                    "labelling");
    for (const int mirror : mirrors_) {
      read_window(channels_, tiling_, first, spec_.input.padding, mirror, input_);
      const TensorView answer = std::move(session_->run(input_).front());
      std::vector<std::int64_t> wanted = shape_;
      wanted[1] = eyes_.each;
      if (answer.shape != wanted)
        throw Error(Code::model_missing, "the model '" + eyes_.networks.front()->name() +
                                             "' gives not one value for each class of its card and voxel");
      slab_.add(answer.values, first, mirror, first_channel, eyes_.each);
      control_.check_cancelled();
    }
    done_ += 1;
  }

  const Eyes& eyes_;
  const NetworkSpec& spec_;
  std::span<const VolumeView<const float>> channels_;
  Painter& painter_;
  const Control& control_;
  Tiling tiling_;
  Slab slab_;
  std::vector<int> mirrors_;
  std::vector<std::int64_t> shape_;
  std::vector<float> input_, lines_;
  std::vector<std::uint8_t> seen_;
  std::optional<Session> session_;
  std::int64_t skipped_ = 0;
  double done_ = 0;
};

/// Axes of what was seen along which logits are taken from the nearest plane, as nnU-Net does with coarse ones.
std::array<bool, 3> nearest_axes(const Grid& image, const InputSpec& spec) {
  std::array<bool, 3> nearest{};
  if (spec.resampling != Resampling::cubic || !spec.separate_axis || !spec.spacing_mm) return nearest;
  const Grid grid = turned(image, spec);
  if (const auto axis = slice_axis_of(seen_spacing(grid, spec), grid.spacing_mm())) nearest[static_cast<std::size_t>(*axis)] = true;
  return nearest;
}

Volume<std::uint16_t> streamed(const ModelStore& models, const Bundle& bundle, const std::vector<Volume<float>>& seen,
                               const Grid& image, const Control& control, SegmentExtra* extra) {
  const NetworkSpec& spec = bundle.network;
  Volume<std::uint16_t> labels(image);
  if (extra != nullptr && extra->want_uncertainty) extra->uncertainty.emplace(image);
  {
    const Eyes eyes = eyes_of(models.networks(bundle), spec);
    Decision decision{eyes.head ? &*eyes.head : nullptr, static_cast<std::int64_t>(spec.classes.size()), spec.regions,
                      threshold_of(spec), spec.probabilities, spec.temperature.value_or(1.0)};
    const Grid& grid = seen.front().grid();
    const std::vector<VolumeView<const float>> channels = views_of(seen);
    Painter painter(labels, grid, tiling_of(grid.size(), spec.input).stream, nearest_axes(image, spec.input), eyes.channels,
                    std::move(decision));
    if (extra != nullptr && extra->uncertainty) painter.also(*extra->uncertainty);
    Stream stream(eyes, spec, channels, painter, control);
    stream.run();
    if (extra != nullptr) stream.tell(*extra);
  }
  if (spec.largest_component) keep_largest(labels, spec.fill_holes);
  return labels;
}

template <class Work>
Volume<std::uint16_t> within_memory(const Bundle& bundle, const Grid& image, const Work& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    const Size3& n = image.size();
    throw Error(Code::out_of_memory, "labelling " + std::to_string(n[0]) + " x " + std::to_string(n[1]) + " x " + std::to_string(n[2]) +
                                         " voxels with '" + bundle.id + "': there is not enough memory");
  }
}

}  // namespace

float threshold_of(const NetworkSpec& spec) noexcept {
  if (spec.probabilities) return static_cast<float>(spec.threshold);
  return static_cast<float>(spec.temperature.value_or(1.0)) * logit_of(spec.threshold);
}

Volume<std::uint16_t> segment(const ModelStore& models, const Bundle& bundle,
                              std::span<const VolumeView<const float>> channels, const Control& control, SegmentExtra* extra) {
  control.check_cancelled();
  return within_memory(bundle, channels.front().grid, [&] {
    return streamed(models, bundle, prepared(channels, bundle.network.input), channels.front().grid, control, extra);
  });
}

Volume<std::uint16_t> segment(const ModelStore& models, const Bundle& bundle, std::span<const AnyVolume* const> channels,
                              const Control& control, SegmentExtra* extra) {
  control.check_cancelled();
  return within_memory(bundle, grid_of(*channels.front()), [&] {
    return streamed(models, bundle, prepared_by_planes(channels, bundle.network.input), grid_of(*channels.front()), control, extra);
  });
}

}  // namespace penta::nn
