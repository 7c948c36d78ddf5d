#include <algorithm>

#include "core/parallel.h"
#include "io/dicom/internal.h"
#include "io/dicom/read_parametric.h"
#include "io/dicom/read_pixels.h"
#include "io/dicom/read_seg.h"
#include "io/dicom/read_sr.h"

namespace penta::io::dicom {

namespace {

// The facts of the first slice; the acquisition time is the earliest one, since beds follow each other.
Acquisition acquisition_of_all(const std::vector<Instance>& instances, const Arrangement& arrangement) {
  Acquisition out = instances[arrangement.stacks.front().slices.front().instance].acquisition;
  for (const Stack& stack : arrangement.stacks)
    for (const Slice& slice : stack.slices) {
      const Instance& instance = instances[slice.instance];
      SourceInstance id = instance.id;
      id.frame = instance.layout.frames > 1 || instance.enhanced ? slice.frame + 1 : 0;
      out.instances.push_back(std::move(id));
      auto* mine = std::get_if<PetFacts>(&out.facts);
      const auto* other = std::get_if<PetFacts>(&instance.acquisition.facts);
      if (mine != nullptr && other != nullptr && other->acquisition_time_s &&
          (!mine->acquisition_time_s || *other->acquisition_time_s < *mine->acquisition_time_s))
        mine->acquisition_time_s = other->acquisition_time_s;
    }
  return out;
}

bool is_float(const Image& image) {
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels))
    return std::holds_alternative<Volume<float>>(volumes->front());
  const auto* frames = std::get_if<FrameSequence>(&image.pixels);
  return frames == nullptr || std::holds_alternative<std::vector<float>>(frames->front().pixels);
}

}  // namespace

Image read_slices(std::vector<Instance> instances) {
  std::vector<Slice> slices;
  Image image;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (!instances[i].has_pixels)
      throw Error(Code::bad_input, "reading " + instances[i].source.name + ": there is no pixel data");
    const Layout &mine = instances[i].layout, &first = instances.front().layout;
    if (mine.columns != first.columns || mine.rows != first.rows || mine.is_colour() != first.is_colour())
      throw Error(Code::bad_input,
                  "reading " + instances[i].source.name + ": its size differs from that of the series");
    for (Slice& slice : instances[i].slices) {
      slice.instance = i;
      slices.push_back(slice);
    }
    add_new(image.remarks, instances[i].faults);
  }
  if (slices.empty())
    throw Error(Code::bad_input, "reading " + instances.front().source.name + ": there are no frames");
  const bool flat = instances.front().kind != SeriesKind::volume;
  if (flat)
    for (Slice& slice : slices) slice.plane.reset();
  const Arrangement arrangement = as_one_image(arrange(std::move(slices)));
  add_new(image.remarks, arrangement.faults);
  say_monochrome1(instances.front(), image.remarks);
  image.axis = arrangement.axis;
  image.axis_values = arrangement.values;
  image.axis_directions = arrangement.directions;
  image.unit = instances.front().unit;
  image.quantity = instances.front().quantity;
  if (instances.front().layout.is_double())
    for (const Instance& instance : instances)
      if (const auto loss = double_loss(load(instance.source, true))) add_new(image.remarks, {*loss});
  image.acquisition = acquisition_of_all(instances, arrangement);
  if (arrangement.planar) {
    image.pixels = read_pictures(instances, arrangement);
    if (image.acquisition.modality == "US") add_regions(instances, arrangement, image);
    if (image.acquisition.dicom_modality == "NM") image.axis = nm_axis_of(arrangement.stacks.front().slices);
  } else if (!arrangement.stacks.front().why.empty()) {
    image.pixels = read_stack(instances, arrangement);
  } else {
    image.pixels = read_volumes(instances, arrangement);
  }
  for (const Instance& instance : instances)
    if (const auto loss = loss_of(instance, is_float(image))) add_new(image.remarks, {*loss});
  return image;
}

namespace {

LabelMap read_segments(const Object& object, const Instance& instance) {
  LabelMap labels = seg_from(object);
  labels.acquisition = instance.acquisition;
  labels.acquisition.instances = {instance.id};
  return labels;
}

}  // namespace

Content read_instances(std::vector<Instance> instances) {
  const Instance& first = instances.front();
  switch (first.kind) {
    case SeriesKind::volume:
    case SeriesKind::frames: return read_slices(std::move(instances));
    case SeriesKind::projections: {
      const Object object = load(first.source, true);
      return read_projections(object, first);
    }
    case SeriesKind::contours: {
      const Object object = load(first.source, true);
      std::vector<Remark> faults;
      return read_contours(object, faults);
    }
    case SeriesKind::report: {
      const Object object = load(first.source, true);
      std::vector<Remark> faults;
      return read_report(object, faults);
    }
    case SeriesKind::segmentation: {
      const Object object = load(first.source, true);
      return read_segments(object, first);
    }
    case SeriesKind::other: break;
  }
  std::string why = "this kind of object is not read";
  for (auto fault = first.faults.rbegin(); fault != first.faults.rend(); ++fault)
    if (fault->severity == Severity::error || fault->code == "unsupported_sop_class") why = fault->text;
  throw Error(Code::bad_input, "reading " + first.source.name + ": " + why);
}

namespace {

/// True when all files are those that scan saw.
bool still_there(const Series& series) {
  const auto& instances = series.parsed->instances;
  if (instances.size() != series.files.size()) return false;
  for (std::size_t i = 0; i < instances.size(); ++i)
    if (instances[i].source.path != series.files[i] || stamp_of(series.files[i]) != instances[i].stamp) return false;
  return true;
}

void keep_frames(Instance& instance, const std::vector<int>& frames) {
  std::erase_if(instance.slices, [&](const Slice& slice) {
    return std::find(frames.begin(), frames.end(), slice.frame) == frames.end();
  });
}

}  // namespace

Content read(const Series& series) {
  if (series.files.empty()) throw Error(Code::bad_input, "reading a series: it names no files");
  if (series.parsed && still_there(series)) return read_instances(series.parsed->instances);
  std::vector<Instance> instances(series.files.size());
  parallel_for(static_cast<std::int64_t>(instances.size()), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const auto& path = series.files[static_cast<std::size_t>(i)];
      const Source source{path.filename().string(), path};
      Instance& instance = instances[static_cast<std::size_t>(i)];
      instance = placed_instance_of(load(source, false), source);
      if (!series.frames.empty()) keep_frames(instance, series.frames[static_cast<std::size_t>(i)]);
    }
  });
  return read_instances(std::move(instances));
}

Content read_bytes(std::span<const std::byte> bytes, const std::string& name) {
  const Source source{name, {}, bytes};
  std::vector<Instance> instances;
  instances.push_back(instance_of(load(source, false), source));
  return read_instances(std::move(instances));
}

}  // namespace penta::io::dicom
