#include "engine/open.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "engine/result_json.h"
#include "engine/sidecar.h"
#include "image/regrid/regrid.h"
#include "io/dicom/dicom.h"
#include "io/formats.h"
#include "io/table/csv.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> modalities{"CT", "MR", "US", "PET", "SPECT"};

std::string_view kind_name(io::dicom::SeriesKind kind) {
  switch (kind) {
    case io::dicom::SeriesKind::volume: return "volume";
    case io::dicom::SeriesKind::frames: return "frames";
    case io::dicom::SeriesKind::projections: return "projections";
    case io::dicom::SeriesKind::contours: return "contours";
    case io::dicom::SeriesKind::segmentation: return "segmentation";
    case io::dicom::SeriesKind::report: return "report";
    case io::dicom::SeriesKind::other: break;
  }
  return "other";
}

// A word that is wrong is refused even where the file says it itself.
std::string modality_of(const ReadSettings& settings) {
  const auto it = settings.find("modality");
  if (it == settings.end()) return {};
  if (std::find(modalities.begin(), modalities.end(), it->second) == modalities.end())
    throw Error(Code::wrong_use, "--set modality=" + it->second + ": expected CT, MR, US, PET or SPECT");
  return it->second;
}

std::optional<double> pixel_mm_of(const ReadSettings& settings) {
  const auto it = settings.find("pixel_mm");
  if (it == settings.end()) return {};
  double pixel_mm = 0;
  const std::string& text = it->second;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), pixel_mm);
  if (fault != std::errc() || end != text.data() + text.size() || !(pixel_mm > 0) || !std::isfinite(pixel_mm))
    throw Error(Code::wrong_use, "--set pixel_mm=" + text + ": expected a length > 0 in mm");
  return pixel_mm;
}

// What the caller said of pixels and modality; only where the file itself says nothing.
void apply_settings(Image& image, const ReadSettings& settings) {
  const std::string modality = modality_of(settings);
  if (image.acquisition.modality.empty()) image.acquisition.modality = modality;
  const std::optional<double> given_mm = pixel_mm_of(settings);
  if (!given_mm || !image.is_frames()) return;
  const double pixel_mm = *given_mm;
  for (Frame2d& frame : std::get<FrameSequence>(image.pixels)) {
    if (frame.spacing_mm && std::abs((*frame.spacing_mm)[0] - pixel_mm) > 1e-6)
      image.remarks.push_back({Severity::warning, "pixel_mm_replaced",
                               "the header's pixel size was replaced by the one given (pixel_mm)"});
    frame.spacing_mm = {pixel_mm, pixel_mm};
  }
}

// A file that has no UIDs gets them from its content, so that results can point at it.
template <class ImageOrRaw>
void name_by_content(ImageOrRaw& content) {
  Acquisition& acquisition = content.acquisition;
  if (acquisition.series_uid.empty()) acquisition.series_uid = uid_from("series " + content.sha256);
  if (acquisition.study_uid.empty()) acquisition.study_uid = uid_from("study " + content.sha256);
}

void apply_modality(RawData& raw, const ReadSettings& settings) {
  const std::string modality = modality_of(settings);
  if (raw.acquisition.modality.empty()) raw.acquisition.modality = modality;
}

// Slices that are no volume: as the caller said, or kept with a word on what can be said.
void apply_geometry(Image& image, const ReadSettings& settings) {
  const auto* stack = std::get_if<SliceStack>(&image.pixels);
  if (stack == nullptr) return;
  const auto it = settings.find("geometry");
  if (it == settings.end()) {
    image.remarks.push_back({Severity::warning, "geometry_policy",
                             "the slices are no volume (" + stack->why + ") and are kept as they are; --geometry=resample "
                             "makes an even volume of them, --geometry=strict refuses them"});
    return;
  }
  const bool resamples = it->second == "resample";
  VolumeSequence volumes;
  volumes.emplace_back(regrid(*stack, resamples ? RegridPolicy::resample : RegridPolicy::strict, image.remarks));
  image.pixels = std::move(volumes);
  image.sha256.clear();
}

ContentPtr finished(io::Content content, const ReadSettings& settings) {
  if (auto* image = std::get_if<Image>(&content)) {
    apply_settings(*image, settings);
    apply_geometry(*image, settings);
    if (image->sha256.empty()) image->sha256 = hash_of(*image);
    name_by_content(*image);
  }
  if (auto* raw = std::get_if<RawData>(&content)) {
    apply_modality(*raw, settings);
    name_by_content(*raw);
  }
  return std::make_shared<const io::Content>(std::move(content));
}

// BIDS puts beside a NIfTI, which knows neither, what its modality and its unit are. A JSON of another kind is none.
void apply_file_beside(Image& image, const fs::path& path) {
  std::string name = path.filename().string();
  for (const std::string_view ending : {".nii.gz", ".nii"})
    if (name.ends_with(ending)) {
      const fs::path beside = path.parent_path() / (name.substr(0, name.size() - ending.size()) + ".json");
      std::error_code fault;
      if (!fs::is_regular_file(beside, fault)) return;
      const std::vector<std::byte> bytes = io::read_file(beside, 16 << 20);
      try {
        apply_sidecar(image, Json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}), beside.filename().string());
      } catch (const Error& error) {
        image.remarks.push_back({Severity::warning, "bad_sidecar", "'" + beside.filename().string() + "' is left out: " + error.what()});
      }
      return;
    }
}

ContentPtr load_file(const fs::path& path, const ReadSettings& settings) {
  io::Content content = io::read(path);
  if (auto* image = std::get_if<Image>(&content)) apply_file_beside(*image, path);
  return finished(std::move(content), settings);
}

ContentPtr load_series(const io::dicom::Series& series, const ReadSettings& settings) {
  return finished(io::dicom::read(series), settings);
}

Entry entry_of(const io::dicom::Series& series, const ReadSettings& settings) {
  Entry entry;
  entry.format = "DICOM";
  entry.kind = kind_name(series.kind);
  entry.shape = series.shape;
  entry.acquisition = series.acquisition;
  entry.files = series.files;
  entry.faults = series.faults;
  entry.readable = series.kind != io::dicom::SeriesKind::other;
  entry.load = [series, settings] { return load_series(series, settings); };
  return entry;
}

void describe(const Image& image, Entry& entry) {
  entry.kind = image.is_frames() ? "frames" : "volume";
  entry.shape = image.shape_text();
  entry.faults = image.remarks;
}

void describe(const RawData& raw, Entry& entry) {
  entry.kind = std::holds_alternative<Projections>(raw.value) ? "projections" : "raw";
  entry.shape = shape_text(raw);
  entry.faults = raw.remarks;
}

// The whole file is read here to know its shape; a NIfTI or PNG is one image, and the caller needs it anyway.
Entry entry_of(const fs::path& path, std::string format, const ReadSettings& settings) {
  const ContentPtr content = load_file(path, settings);
  Entry entry;
  entry.format = std::move(format);
  if (const auto* image = std::get_if<Image>(content.get())) describe(*image, entry);
  if (const auto* raw = std::get_if<RawData>(content.get())) describe(*raw, entry);
  entry.acquisition = acquisition_of(*content);
  entry.acquisition.series_description = path.filename().string();
  entry.files = {path};
  if (entry.acquisition.modality.empty())
    entry.faults.push_back({Severity::warning, "modality_unknown",
                            path.filename().string() + ": the file does not say its modality; listed, not measured "
                            "(give it with --set modality=...)"});
  // Not held: a folder may have hundreds of volumes.
  entry.load = [path, settings] { return load_file(path, settings); };
  return entry;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

std::vector<fs::path> files_below(const fs::path& path, const fs::path& leave_out) {
  if (!fs::exists(path)) throw Error(Code::bad_input, "'" + path.string() + "' does not exist");
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& item : fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied))
    if (item.is_regular_file() && item.path().filename().string().front() != '.' &&
        (leave_out.empty() || !is_below(fs::absolute(item.path()).lexically_normal(), leave_out)))
      files.push_back(item.path());
  std::sort(files.begin(), files.end());
  return files;
}

void add_file(Opened& opened, const fs::path& path, const std::string& format, const ReadSettings& settings) {
  try {
    opened.entries.push_back(entry_of(path, format, settings));
  } catch (const Error& fault) {
    if (fault.code() == Code::wrong_use || opened.single_file) throw;
    // A file that holds no data by its nature (a template) is said, and is nobody's fault.
    const bool empty = fault.code() == Code::nothing_to_do;
    opened.faults.push_back({empty ? Severity::warning : Severity::error, empty ? "no_data" : "unreadable", fault.what()});
  }
}

// A file that calls itself an image and is none was probably cut or damaged: it must not vanish from the report.
bool named_as_image(const fs::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(image_endings.begin(), image_endings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

void check_something_found(const Opened& opened, std::span<const fs::path> paths) {
  if (!opened.entries.empty()) return;
  for (const Remark& fault : opened.faults)
    if (fault.severity == Severity::error) throw Error(Code::bad_input, fault.text);
  if (opened.single_file) throw Error(Code::bad_input, "'" + paths.front().string() + "' is no image that can be read");
  throw Error(Code::nothing_to_do, "nothing below '" + paths.front().string() + "' can be read as an image");
}

}  // namespace

bool is_read_setting(std::string_view name) noexcept {
  return std::find(read_settings.begin(), read_settings.end(), name) != read_settings.end();
}

Opened open(std::span<const fs::path> paths, const ReadSettings& settings, const fs::path& leave_out) {
  if (const auto it = settings.find("geometry"); it != settings.end() && it->second != "strict" && it->second != "resample")
    throw Error(Code::wrong_use, "--geometry=" + it->second + ": expected strict or resample");
  Opened opened;
  const fs::path out = leave_out.empty() ? fs::path() : fs::absolute(leave_out).lexically_normal();
  opened.single_file = paths.size() == 1 && !fs::is_directory(paths.front());
  std::vector<fs::path> dicom_files;
  for (const fs::path& path : paths)
    for (const fs::path& file : files_below(path, out)) {
      const std::string format = io::format_of(file);
      if (format == "DICOM") dicom_files.push_back(file);
      else if (!format.empty()) add_file(opened, file, format, settings);
      else if (named_as_image(file) && !opened.single_file)
        opened.faults.push_back({Severity::error, "unreadable",
                                 file.filename().string() + ": its name says image, its content is none that can be read"});
    }
  io::dicom::Catalogue catalogue = io::dicom::scan(dicom_files);
  std::vector<Entry> entries;
  for (const io::dicom::Series& series : catalogue.series) entries.push_back(entry_of(series, settings));
  std::move(opened.entries.begin(), opened.entries.end(), std::back_inserter(entries));
  opened.entries = std::move(entries);
  opened.faults.insert(opened.faults.begin(), catalogue.faults.begin(), catalogue.faults.end());
  check_something_found(opened, paths);
  return opened;
}

ContentPtr open_labels(const fs::path& path) {
  if (!fs::exists(path)) throw Error(Code::bad_input, "'" + path.string() + "' does not exist");
  if (!fs::is_directory(path) && io::format_of(path) != "DICOM")
    return std::make_shared<const io::Content>(io::read_labels(path));
  const std::array<fs::path, 1> paths{path};
  for (const Entry& entry : open(paths).entries)
    if (entry.kind == "segmentation" || entry.kind == "contours") return entry.load();
  throw Error(Code::bad_input, "'" + path.string() + "' holds no labels (DICOM SEG or RTSTRUCT, NIfTI, PNG)");
}

ContentPtr open_table(const fs::path& path) {
  constexpr std::uint64_t table_bytes_max = 256U << 20U;
  return std::make_shared<const io::Content>(io::table::read(io::read_file(path, table_bytes_max), path.string()));
}

const std::vector<Remark>& remarks_of(const io::Content& content) noexcept {
  static const std::vector<Remark> none{};
  return std::visit(
      [](const auto& value) -> const std::vector<Remark>& {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Table>) return none;
        else return value.remarks;
      },
      content);
}

const Acquisition& acquisition_of(const io::Content& content) noexcept {
  static const Acquisition none{};
  if (const auto* image = std::get_if<Image>(&content)) return image->acquisition;
  if (const auto* raw = std::get_if<RawData>(&content)) return raw->acquisition;
  if (const auto* labels = std::get_if<LabelMap>(&content)) return labels->acquisition;
  if (const auto* report = std::get_if<StructuredReport>(&content)) return report->acquisition;
  return none;
}

namespace {

std::string hash_of_labels(const LabelMap& labels) {
  Sha256 hash;
  for (const auto& layer : labels.layers) hash.add(std::as_bytes(layer.voxels()));
  for (const Segment& segment : labels.segments) hash.add(segment.name);
  return hash.hex();
}

std::string hash_of_contours(const Contours& contours) {
  Sha256 hash;
  for (const ContourRegion& region : contours.regions) {
    hash.add(region.name);
    for (const Contour& contour : region.contours) hash.add(std::as_bytes(std::span(contour.points_mm)));
  }
  return hash.hex();
}

}  // namespace

std::string hash_of_content(const io::Content& content) {
  if (const auto* image = std::get_if<Image>(&content)) return image->sha256.empty() ? hash_of(*image) : image->sha256;
  if (const auto* labels = std::get_if<LabelMap>(&content)) return hash_of_labels(*labels);
  if (const auto* contours = std::get_if<Contours>(&content)) return hash_of_contours(*contours);
  if (const auto* raw = std::get_if<RawData>(&content)) return raw->sha256;
  const auto* table = std::get_if<Table>(&content);
  const std::string report = table != nullptr ? io::table::write(*table) : to_json(std::get<StructuredReport>(content)).dump();
  return sha256_hex(std::as_bytes(std::span(report)));
}

}  // namespace penta::engine
