#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/parallel.h"
#include "io/dicom/directory.h"
#include "io/dicom/internal.h"
#include "io/dicom/split.h"

namespace penta::io::dicom {

namespace {

struct Scanned {
  std::vector<Instance> instances;
  std::vector<Remark> faults;
};

/// What one file is: an instance, a DICOMDIR, or a fault that names it.
struct ScannedFile {
  std::optional<Instance> instance;
  std::optional<Directory> directory;
  std::optional<Remark> fault;
};

void scan_file(const std::filesystem::path& path, ScannedFile& out) {
  auto& [instance, directory, fault] = out;
  const Source source{path.filename().string(), path};
  try {
    const Object object = load(source, false);
    if (is_directory(object)) {
      directory = directory_of(object, path.parent_path());
      fault = Remark{Severity::note, "dicomdir", source.name + ": a DICOMDIR; the files that it names are read"};
      return;
    }
    instance = placed_instance_of(object, source);
  } catch (const Error& error) {
    const std::string what = error.what();
    const bool foreign = what.ends_with("not a DICOM file"), cut = what.ends_with("(truncated)");
    fault = Remark{foreign ? Severity::note : Severity::error, foreign ? "not_dicom" : cut ? "truncated" : "unreadable", what};
  } catch (const std::exception& error) {
    fault = Remark{Severity::error, "unreadable", "reading " + source.name + ": " + error.what()};
  }
}

std::vector<ScannedFile> scan_each(const std::vector<std::filesystem::path>& files) {
  std::vector<ScannedFile> out(files.size());
  parallel_for(static_cast<std::int64_t>(files.size()), 4, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) scan_file(files[i], out[i]);
  });
  return out;
}

Scanned scan_files(std::span<const std::filesystem::path> files) {
  std::vector<std::filesystem::path> sorted(files.begin(), files.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<ScannedFile> scanned = scan_each(sorted);
  // What a DICOMDIR names beside what was given; a DICOMDIR that one of them is itself is not followed.
  const auto key = [](const std::filesystem::path& path) { return std::filesystem::absolute(path).lexically_normal(); };
  std::set<std::filesystem::path> seen, named;
  for (const auto& path : sorted) seen.insert(key(path));
  for (const ScannedFile& file : scanned)
    if (file.directory)
      for (const auto& path : file.directory->files)
        if (!seen.contains(key(path))) named.insert(path);
  for (ScannedFile& file : scan_each({named.begin(), named.end()})) scanned.push_back(std::move(file));
  Scanned out;
  for (ScannedFile& file : scanned) {
    if (file.instance) out.instances.push_back(std::move(*file.instance));
    if (file.fault) out.faults.push_back(std::move(*file.fault));
    if (file.directory) std::move(file.directory->faults.begin(), file.directory->faults.end(), std::back_inserter(out.faults));
  }
  return out;
}

// Slices of one multi-frame instance may belong with those of others: a concatenation, a file a time point.
bool may_join(const Instance& instance) noexcept {
  return instance.kind == SeriesKind::volume && !instance.slices.empty() && instance.slices.front().plane.has_value();
}

bool is_alone(const Instance& instance) noexcept {
  if (instance.kind != SeriesKind::volume && instance.kind != SeriesKind::other) return true;
  return instance.layout.frames > 1 && !may_join(instance);
}

bool is_localizer(const Instance& instance) noexcept {
  return instance.acquisition.image_type.find("LOCALIZER") != std::string::npos;
}

/// What all instances of an entry share. `alone` numbers those that are entries of their own.
auto key_of(const Instance& instance, std::size_t number) {
  const Acquisition& a = instance.acquisition;
  return std::tuple(a.study_uid, instance.series_number, a.series_uid, instance.sop_class, instance.kind,
                    instance.layout.columns, instance.layout.rows, instance.layout.is_colour(), is_localizer(instance),
                    is_alone(instance) ? number + 1 : 0);
}

// The same instance stored twice, under two names.
void drop_copies(Group& group, std::vector<Remark>& faults) {
  std::map<std::string, const Instance*> seen;
  Group kept;
  kept.reserve(group.size());
  for (Instance& instance : group) {
    const auto found = seen.find(instance.id.sop_instance_uid);
    const bool copy = found != seen.end() && !instance.id.sop_instance_uid.empty() &&
                      found->second->instance_number == instance.instance_number &&
                      !instance.slices.empty() && !found->second->slices.empty() &&
                      instance.slices.front().frame == found->second->slices.front().frame &&
                      instance.slices.front().plane.has_value() == found->second->slices.front().plane.has_value() &&
                      (!instance.slices.front().plane ||
                       instance.slices.front().plane->origin == found->second->slices.front().plane->origin);
    if (copy) {
      faults.push_back({Severity::warning, "duplicate_instance",
                        instance.source.name + " holds the same instance as " + found->second->source.name +
                            ": left out"});
      continue;
    }
    kept.push_back(std::move(instance));
    seen.emplace(kept.back().id.sop_instance_uid, &kept.back());
  }
  group = std::move(kept);
}

// One remark for a fault that many files have.
void add_file_faults(const Group& group, std::vector<Remark>& faults) {
  std::vector<std::pair<Remark, std::vector<std::string>>> found;
  for (const Instance& instance : group)
    for (const Remark& fault : instance.faults) {
      const auto same = [&](const auto& row) { return row.first.code == fault.code && row.first.text == fault.text; };
      auto at = std::find_if(found.begin(), found.end(), same);
      if (at == found.end()) at = found.insert(found.end(), {fault, {}});
      if (at->second.empty() || at->second.back() != instance.source.name) at->second.push_back(instance.source.name);
    }
  for (auto& [fault, names] : found) {
    if (names.size() < group.size() || group.size() == 1)
      fault.text += " [" + names.front() +
                    (names.size() > 1 ? " and " + std::to_string(names.size() - 1) + " more" : "") + "]";
    faults.push_back(std::move(fault));
  }
}

std::string frames_text(const Layout& layout) {
  return std::to_string(layout.frames) + " frames of " + std::to_string(layout.columns) + " x " +
         std::to_string(layout.rows) + " pixels";
}

// Which frames of its files belong to the series, where not all do.
void add_frames(const Group& group, const std::vector<std::size_t>& order, Series& series) {
  const bool partly = std::any_of(group.begin(), group.end(), [](const Instance& instance) {
    return static_cast<std::int64_t>(instance.slices.size()) < instance.layout.frames;
  });
  if (!partly || (series.kind != SeriesKind::volume && series.kind != SeriesKind::frames)) return;
  for (const std::size_t i : order) {
    std::vector<int>& frames = series.frames.emplace_back();
    for (const Slice& slice : group[i].slices) frames.push_back(slice.frame);
  }
}

// The instances in the order of the files, for read; only plain ones, since others are parsed again for their pixels.
void keep_parsed(Group group, const std::vector<std::size_t>& order, Series& series) {
  constexpr std::size_t instances_max = 5000;  // about 20 MB
  const bool plain = std::all_of(group.begin(), group.end(), [](const Instance& i) { return i.place.has_value(); });
  if (!plain || !series.frames.empty() || group.size() > instances_max) return;
  auto parsed = std::make_shared<ParsedSeries>();
  for (const std::size_t i : order) parsed->instances.push_back(std::move(group[i]));
  series.parsed = std::move(parsed);
}

Series series_of(Group group) {
  Series out;
  drop_copies(group, out.faults);
  add_file_faults(group, out.faults);
  out.kind = group.front().kind;
  out.shape = group.front().shape;
  std::vector<std::size_t> order;
  const std::vector<Slice> slices = slices_of(group);
  if ((out.kind == SeriesKind::volume || out.kind == SeriesKind::frames) && !slices.empty()) {
    std::vector<Slice> used = slices;
    if (out.kind == SeriesKind::frames)
      for (Slice& slice : used) slice.plane.reset();
    const Arrangement arrangement = as_one_image(arrange(std::move(used)));
    if (arrangement.planar) out.kind = SeriesKind::frames;
    out.faults.insert(out.faults.end(), arrangement.faults.begin(), arrangement.faults.end());
    out.shape = shape_of(arrangement, group.front().layout);
    std::set<std::size_t> seen;
    for (const Stack& stack : arrangement.stacks)
      for (const Slice& slice : stack.slices)
        if (seen.insert(slice.instance).second) order.push_back(slice.instance);
  } else {
    for (std::size_t i = 0; i < group.size(); ++i) order.push_back(i);
    if (out.shape.empty() && group.front().has_pixels)
      out.shape = frames_text(group.front().layout);
  }
  for (const std::size_t i : order) out.files.push_back(group[i].source.path);
  add_frames(group, order, out);
  const Instance& first = group[order.front()];
  out.sop_class = first.sop_class;
  out.transfer_syntax = first.transfer_syntax;
  out.acquisition = first.acquisition;
  keep_parsed(std::move(group), order, out);
  return out;
}

}  // namespace

Catalogue scan(std::span<const std::filesystem::path> files) {
  Scanned scanned = scan_files(files);
  Catalogue out;
  out.faults = std::move(scanned.faults);
  using Key = decltype(key_of(scanned.instances.front(), 0));
  std::map<Key, Group> groups;
  for (std::size_t i = 0; i < scanned.instances.size(); ++i) {
    const Key key = key_of(scanned.instances[i], i);
    groups[key].push_back(std::move(scanned.instances[i]));
  }
  for (auto& [key, group] : groups)
    for (Group& one : split(std::move(group))) out.series.push_back(series_of(std::move(one)));
  return out;
}

}  // namespace penta::io::dicom
