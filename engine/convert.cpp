#include "engine/convert.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "engine/convert_dicom.h"
#include "engine/label_table.h"
#include "engine/pictures.h"
#include "engine/sidecar.h"
#include "image/rasterize/polygon.h"
#include "image/regrid/regrid.h"
#include "io/dicom/read_seg.h"
#include "io/formats.h"
#include "io/metaimage/metaimage.h"
#include "io/nifti/nifti.h"
#include "io/nrrd/nrrd.h"
#include "io/png/png.h"
#include "io/rawdata/write_npy.h"
#include "io/tiff/tiff.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

/// The files of one volume: what each name ends in, and its bytes.
using Parts = std::vector<std::pair<std::string_view, Bytes>>;

Parts one(std::string_view ending, Bytes bytes) {
  Parts parts;
  parts.emplace_back(ending, std::move(bytes));
  return parts;
}

Parts two(io::nifti::Pair pair) {
  Parts parts = one(".hdr", std::move(pair.header));
  parts.emplace_back(".img", std::move(pair.voxels));
  return parts;
}

/// A format that holds voxels, by the ending of the file's name.
struct VoxelFormat {
  std::string_view ending, name;
  Parts (*image)(const Image&);
  Parts (*labels)(const LabelMap&, int layer);
};

namespace nifti = io::nifti;
constexpr auto plain = nifti::Compression::none;
constexpr std::array voxel_formats{
    VoxelFormat{".nii.gz", "NIfTI", [](const Image& i) { return one(".nii.gz", nifti::write(i)); },
                [](const LabelMap& l, int n) { return one(".nii.gz", nifti::write(l, n)); }},
    VoxelFormat{".nii", "NIfTI", [](const Image& i) { return one(".nii", nifti::write(i, plain)); },
                [](const LabelMap& l, int n) { return one(".nii", nifti::write(l, n, plain)); }},
    VoxelFormat{".hdr", "NIfTI", [](const Image& i) { return two(nifti::write_pair(i)); },
                [](const LabelMap& l, int n) { return two(nifti::write_pair(l, n)); }},
    VoxelFormat{".nrrd", "NRRD", [](const Image& i) { return one(".nrrd", io::nrrd::write(i)); },
                [](const LabelMap& l, int n) { return one(".nrrd", io::nrrd::write(l, n)); }},
    VoxelFormat{".mha", "MetaImage", [](const Image& i) { return one(".mha", io::metaimage::write(i)); },
                [](const LabelMap& l, int n) { return one(".mha", io::metaimage::write(l, n)); }},
    VoxelFormat{".tif", "TIFF", [](const Image& i) { return one(".tif", io::tiff::write(i)); },
                [](const LabelMap& l, int n) { return one(".tif", io::tiff::write(l, n)); }},
    VoxelFormat{".tiff", "TIFF", [](const Image& i) { return one(".tiff", io::tiff::write(i)); },
                [](const LabelMap& l, int n) { return one(".tiff", io::tiff::write(l, n)); }},
};

bool ends_with(const fs::path& path, std::string_view end) { return path.filename().string().ends_with(end); }

const VoxelFormat* voxel_format_of(const fs::path& path) {
  const auto it = std::find_if(voxel_formats.begin(), voxel_formats.end(),
                               [&](const VoxelFormat& f) { return ends_with(path, f.ending); });
  return it == voxel_formats.end() ? nullptr : &*it;
}

/// The path with another ending; `format` may be null.
fs::path with_ending(const fs::path& path, const VoxelFormat* format, const std::string& ending) {
  std::string name = path.filename().string();
  name.resize(name.size() - (format == nullptr ? path.extension().string().size() : format->ending.size()));
  return path.parent_path() / (name + ending);
}

/// "1.2.3", "7", or "1.2.3/2": one series may hold several images, counted from 1.
struct Wanted {
  std::string series;
  std::size_t place = 0;  ///< 0: there must be one alone

  explicit Wanted(const std::string& text) : series(text.substr(0, text.find('/'))) {
    if (series.size() == text.size()) return;
    const char *first = text.data() + series.size() + 1, *last = text.data() + text.size();
    const auto [end, fault] = std::from_chars(first, last, place);
    if (fault != std::errc() || end != last || place == 0)
      throw Error(Code::wrong_use, "--series=" + text + ": expected a UID or number, and /2 for its second image");
  }
  [[nodiscard]] bool fits(const Entry& entry) const {
    return series.empty() || entry.acquisition.series_uid == series || entry.acquisition.series_number == series;
  }
};

std::string line_of(const Entry& entry) {
  const Acquisition& a = entry.acquisition;
  return "\n  " + (a.modality.empty() ? entry.kind : a.modality) + " " + entry.shape + " " +
         (a.series_number.empty() ? "" : "number " + a.series_number + " ") + a.series_uid;
}

// An image goes before labels that lie beside it. Several of a kind are an error that names them.
const Entry& only_entry(const Opened& opened, const fs::path& in, const std::string& series) {
  const Wanted wanted(series);
  std::array<std::vector<const Entry*>, 3> by_rank;
  std::string names;
  for (const Entry& entry : opened.entries) {
    if (!entry.readable || !wanted.fits(entry)) continue;
    const bool labels = entry.kind == "segmentation" || entry.kind == "contours";
    by_rank[entry.kind == "report" ? 2 : labels ? 1 : 0].push_back(&entry);
  }
  for (const auto& entries : by_rank) {
    if (wanted.place > 0 && wanted.place <= entries.size()) return *entries[wanted.place - 1];
    if (entries.size() == 1 && wanted.place == 0) return *entries.front();
    for (const Entry* entry : entries) names += line_of(*entry);
    if (!entries.empty())
      throw Error(Code::wrong_use, "'" + in.string() + "' holds several images; name one with --series=UID, or --series=UID/2 for the second of a series:" + names);
  }
  for (const Entry& entry : opened.entries) names += line_of(entry);
  if (!series.empty()) throw Error(Code::wrong_use, "'" + in.string() + "' holds no series " + series + ", but:" + names);
  const Entry& first = opened.entries.front();
  throw Error(Code::bad_input, "'" + in.string() + "': " + (first.faults.empty() ? "a kind that is not read" : first.faults.front().text));
}

struct Loaded {
  ContentPtr content;
  std::string format;  ///< of the input: "DICOM", "NIfTI" ...
};

Loaded load(const fs::path& in, const ConvertSettings& settings, std::vector<Remark>& remarks) {
  const std::array<fs::path, 1> paths{in};
  const Opened opened = open(paths, settings.read);
  for (const Remark& fault : opened.faults)
    if (fault.severity == Severity::error) throw Error(Code::bad_input, fault.text);
  const Entry& entry = only_entry(opened, in, settings.series);
  remarks.insert(remarks.end(), entry.faults.begin(), entry.faults.end());
  return {entry.load(), entry.format};
}

// Voxels of labels in a file that only holds numbers: further layers lie beside it, and so does the table of segments.
LabelMap labels_at(const fs::path& path) {
  LabelMap labels = io::read_labels(path);
  const VoxelFormat* format = voxel_format_of(path);
  for (int layer = 1; format != nullptr && layer < 256; ++layer) {
    const fs::path next = with_ending(path, format, "." + std::to_string(layer) + std::string(format->ending));
    if (!fs::exists(next)) break;
    LabelMap more = io::read_labels(next);
    if (!more.grid().same_as(labels.grid()))
      throw Error(Code::bad_input, "reading '" + next.string() + "': it lies on another grid than '" + path.string() + "'");
    for (Segment& segment : more.segments) segment.layer = layer;
    labels.layers.push_back(std::move(more.layers.front()));
    labels.segments.insert(labels.segments.end(), more.segments.begin(), more.segments.end());
  }
  const fs::path table = with_ending(path, format, ".json");
  if (!fs::exists(table)) return labels;
  const Bytes bytes = io::read_file(table, 64 << 20);
  const Json json = Json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (json.find("segments") != nullptr) apply_label_table(labels, json);
  return labels;
}

// One slice has a place but, without a thickness, no size across: a file of voxels needs one, so it is assumed and said.
const Image& as_volume(const Image& image, Image& room, std::vector<Remark>& remarks) {
  const auto* stack = std::get_if<SliceStack>(&image.pixels);
  if (stack == nullptr) return image;
  if (stack->slices.size() != 1)
    throw Error(Code::bad_input, "the slices are no volume (" + stack->why + "); --geometry=resample makes an even volume of them");
  std::vector<Remark> said;
  Volume<float> volume = regrid(*stack, RegridPolicy::resample, said);
  std::erase_if(remarks, [](const Remark& remark) { return remark.code == "geometry_policy"; });
  add_new(remarks, said);
  room = image_like(image, std::move(volume), image.unit);
  return room;
}

class Writer {
 public:
  Writer(const fs::path& out, Converted& done) : out_(out), format_(voxel_format_of(out)), done_(done) {}
  [[nodiscard]] const VoxelFormat* format() const noexcept { return format_; }

  void put(const fs::path& path, std::span<const std::byte> bytes) {
    io::write_file(path, bytes);
    done_.files.push_back(path);
  }
  void put(const fs::path& path, const std::string& text) { put(path, std::as_bytes(std::span(text))); }

  void image(const Image& image, bool from_dicom) {
    write(format_->image(image), "");
    if (!from_dicom || format_->name != "NIfTI") return;
    put(with_ending(out_, format_, ".json"), sidecar_of(image).dump() + "\n");
    if (const std::string values = b_values_of(image); !values.empty()) put(with_ending(out_, format_, ".bval"), values);
    if (const std::string lines = b_vectors_of(image); !lines.empty()) put(with_ending(out_, format_, ".bvec"), lines);
  }

  void labels(const LabelMap& labels) {
    const std::string ending(format_->ending);
    const fs::path stale = with_ending(out_, format_, "." + std::to_string(labels.layers.size()) + ending);
    if (fs::exists(stale))
      throw Error(Code::wrong_use, "'" + stale.string() + "' is there already and would be read as a layer of these labels: name another file");
    for (std::size_t layer = 0; layer < labels.layers.size(); ++layer)
      write(format_->labels(labels, static_cast<int>(layer)), layer == 0 ? "" : "." + std::to_string(layer));
    put(with_ending(out_, format_, ".json"), label_table(labels).dump() + "\n");
  }

 private:
  void write(const Parts& parts, const std::string& middle) {
    for (const auto& [ending, bytes] : parts) put(with_ending(out_, format_, middle + std::string(ending)), bytes);
  }

  const fs::path& out_;
  const VoxelFormat* format_;
  Converted& done_;
};

// The very pixels of a frame, where a picture can hold them.
std::optional<Picture> exact_picture(const Frame2d& frame) {
  Picture picture(frame.width, frame.height);
  if (const auto* colour = std::get_if<std::vector<Rgb8>>(&frame.pixels)) picture.pixels = *colour;
  const auto* grey = std::get_if<std::vector<std::uint8_t>>(&frame.pixels);
  if (grey != nullptr)
    std::transform(grey->begin(), grey->end(), picture.pixels.begin(), [](std::uint8_t v) { return Rgb8{v, v, v}; });
  if (grey == nullptr && !std::holds_alternative<std::vector<Rgb8>>(frame.pixels)) return {};
  return picture;
}

// One frame is the picture itself; of anything larger the pictures that a report would show.
Bytes png_of(const io::Content& content) {
  if (const auto* labels = std::get_if<LabelMap>(&content); labels != nullptr && labels->planar) return io::png::write(*labels);
  if (const auto* image = std::get_if<Image>(&content); image != nullptr && image->is_frames() && image->frames().size() == 1)
    if (const std::optional<Picture> picture = exact_picture(image->frames().front())) return io::png::write(*picture);
  const std::vector<ReportPicture> pictures = key_pictures(content);
  if (pictures.empty()) throw Error(Code::bad_input, "there is nothing to draw");
  return io::png::write(pictures.front().picture);
}

Bytes npy_of(const io::Content& content) {
  if (const auto* image = std::get_if<Image>(&content)) return io::rawdata::write_npy(*image);
  if (const auto* raw = std::get_if<RawData>(&content)) return io::rawdata::write_npy(*raw);
  throw Error(Code::wrong_use, "an .npy is made of an image or of raw data");
}

void write_voxels(const io::Content& content, const fs::path& in, const ConvertSettings& settings, bool from_dicom, Writer& writer,
                  Converted& done) {
  if (const auto* image = std::get_if<Image>(&content)) {
    Image room;
    try {
      return writer.image(as_volume(*image, room, done.remarks), from_dicom);
    } catch (const Error& fault) {
      rethrow_with(fault, "writing what '" + in.string() + "' holds");
    }
  }
  if (const auto* labels = std::get_if<LabelMap>(&content)) {
    if (settings.source.empty() || labels->planar) return writer.labels(*labels);
    const ContentPtr source = source_image(settings, done.remarks);
    return writer.labels(io::dicom::on_grid(*labels, grid_of(std::get<Image>(*source).volume())));
  }
  const auto* contours = std::get_if<Contours>(&content);
  if (contours == nullptr)
    throw Error(Code::bad_input, "'" + in.string() + "' holds " + (std::holds_alternative<RawData>(content) ? "raw data, which go to .npy" : "a report, which goes to .json") +
                                     ": it has no voxels to write as " + std::string(writer.format()->name));
  if (settings.source.empty())
    throw Error(Code::wrong_use, "contours have no voxels: --source=PATH names the image on whose grid they become labels");
  const ContentPtr source = source_image(settings, done.remarks);
  writer.labels(rasterize(*contours, grid_of(std::get<Image>(*source).volume()), done.remarks));
}

}  // namespace

Converted convert(const fs::path& in, const fs::path& out, const ConvertSettings& settings, const Job& job) {
  check_settings(out, settings);
  Converted done;
  Writer writer(out, done);
  const bool wants_labels = settings.as == "seg" || settings.as == "rtstruct";
  Loaded loaded;
  if (wants_labels && fs::is_regular_file(in) && io::format_of(in) != "DICOM")
    loaded = {std::make_shared<const io::Content>(labels_at(in)), "labels"};
  else
    loaded = load(in, settings, done.remarks);
  add_new(done.remarks, remarks_of(*loaded.content));
  if (writer.format() != nullptr) {
    write_voxels(*loaded.content, in, settings, loaded.format == "DICOM", writer, done);
  } else if (ends_with(out, ".png")) {
    writer.put(out, png_of(*loaded.content));
  } else if (ends_with(out, ".npy")) {
    writer.put(out, npy_of(*loaded.content));
  } else if (ends_with(out, ".json") && std::holds_alternative<StructuredReport>(*loaded.content)) {
    writer.put(out, to_json(std::get<StructuredReport>(*loaded.content)).dump() + "\n");
  } else if (ends_with(out, ".dcm")) {
    writer.put(out, dicom_object(*loaded.content, settings, job, done.remarks));
  } else if (out.extension().empty()) {
    save_dicom_images(out, *loaded.content, settings.as == "enhanced", job, done.remarks);
    done.files.push_back(out);
  } else {
    throw Error(Code::wrong_use, "'" + out.string() + "': written are .nii.gz, .nii, .hdr, .nrrd, .mha, .tif, .png, .npy, .json (of a DICOM SR), .dcm, and a folder of DICOM");
  }
  return done;
}

}  // namespace penta::engine
