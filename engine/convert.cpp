#include "engine/convert.h"

#include <array>

#include "core/error.h"
#include "engine/dicom_out.h"
#include "engine/pictures.h"
#include "io/formats.h"
#include "io/metaimage/metaimage.h"
#include "io/nifti/nifti.h"
#include "io/nrrd/nrrd.h"
#include "io/png/png.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

// The one thing to convert: an image before labels that lie beside it. Several images are an error that names them.
ContentPtr only_content(const fs::path& in, const ReadSettings& settings, std::vector<Remark>& remarks) {
  const std::array<fs::path, 1> paths{in};
  const Opened opened = open(paths, settings);
  for (const Remark& fault : opened.faults)
    if (fault.severity == Severity::error) throw Error(Code::bad_input, fault.text);
  std::vector<const Entry*> images, others;
  std::string names;
  for (const Entry& entry : opened.entries) {
    if (!entry.readable) continue;
    const bool labels = entry.kind == "segmentation" || entry.kind == "contours";
    (labels ? others : images).push_back(&entry);
    if (!labels) names += "\n  " + entry.acquisition.modality + " " + entry.shape + " " + entry.acquisition.series_uid;
  }
  if (images.size() > 1) throw Error(Code::wrong_use, "'" + in.string() + "' holds several images; name the folder of one:" + names);
  if (images.empty()) images = others;
  if (images.empty())
    throw Error(Code::bad_input, "'" + in.string() + "': " + (opened.entries.front().faults.empty() ? std::string("a kind not yet read") : opened.entries.front().faults.front().text));
  ContentPtr content = images.front()->load();
  remarks = images.front()->faults;
  return content;
}

bool ends_with(const fs::path& path, std::string_view end) { return path.filename().string().ends_with(end); }

/// A format that holds volumes, by the ending of the file's name.
struct VolumeFormat {
  std::string_view ending, name;
  std::vector<std::byte> (*image)(const Image&);
  std::vector<std::byte> (*labels)(const LabelMap&, int layer);
};
constexpr std::array volume_formats{
    VolumeFormat{".nii.gz", "NIfTI", io::nifti::write, io::nifti::write},
    VolumeFormat{".nrrd", "NRRD", io::nrrd::write, io::nrrd::write},
    VolumeFormat{".mha", "MetaImage", io::metaimage::write, io::metaimage::write},
};

std::vector<std::byte> volume_file_of(const io::Content& content, const VolumeFormat& format) {
  if (const auto* image = std::get_if<Image>(&content)) return format.image(*image);
  if (const auto* labels = std::get_if<LabelMap>(&content)) return format.labels(*labels, 0);
  throw Error(Code::bad_input, "contours and projections have no voxels to write as " + std::string(format.name));
}

std::vector<std::byte> png_of(const io::Content& content) {
  if (const auto* labels = std::get_if<LabelMap>(&content); labels != nullptr && labels->planar) return io::png::write(*labels);
  const std::vector<ReportPicture> pictures = key_pictures(content);
  if (pictures.empty()) throw Error(Code::bad_input, "there is nothing to draw");
  return io::png::write(pictures.front().picture);
}

}  // namespace

namespace {

void write_as_named(const fs::path& out, const io::Content& content, const Job& job) {
  for (const VolumeFormat& format : volume_formats)
    if (ends_with(out, format.ending)) return io::write_file(out, volume_file_of(content, format));
  if (ends_with(out, ".png")) return io::write_file(out, png_of(content));
  if (!out.extension().empty()) throw Error(Code::wrong_use, "'" + out.string() + "': written are .nii.gz, .nrrd, .mha, .png, and a folder of DICOM");
  save_dicom_images(out, content, job);
}

}  // namespace

std::vector<Remark> convert(const fs::path& in, const fs::path& out, const ReadSettings& settings, const Job& job) {
  std::vector<Remark> remarks;
  const ContentPtr content = only_content(in, settings, remarks);
  write_as_named(out, *content, job);
  return remarks;
}

}  // namespace penta::engine
