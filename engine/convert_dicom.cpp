#include "engine/convert_dicom.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "engine/dicom_out.h"
#include "engine/pictures.h"
#include "image/rasterize/polygon.h"
#include "io/dicom/write_capture.h"
#include "io/dicom/write_image.h"
#include "io/dicom/write_parametric.h"
#include "io/dicom/write_rtstruct.h"
#include "io/dicom/write_seg.h"
#include "io/formats.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;
using io::dicom::Provenance;

Provenance provenance_of(const io::Content& content, const Job& job) {
  return {"penta convert", "1", job.software_version, hash_of_content(content), job.creation_time, job.deidentified};
}

bool has_voxels(const Entry& entry) { return entry.readable && (entry.kind == "volume" || entry.kind == "frames"); }

const Image& need_source(const ContentPtr& source) { return std::get<Image>(*source); }

Bytes seg_of(const io::Content& content, const ConvertSettings& settings, const Job& job, std::vector<Remark>& remarks) {
  const ContentPtr source = source_image(settings, remarks);
  const Image& image = need_source(source);
  const Provenance provenance = provenance_of(content, job);
  if (const auto* labels = std::get_if<LabelMap>(&content))
    return io::dicom::write_seg(*labels, image, provenance, job.seg);
  const auto* contours = std::get_if<Contours>(&content);
  if (contours == nullptr) throw Error(Code::wrong_use, "a DICOM SEG is made of labels or contours");
  return io::dicom::write_seg(rasterize(*contours, grid_of(image.volume()), remarks), image, provenance, job.seg);
}

Bytes rtstruct_of(const io::Content& content, const ConvertSettings& settings, const Job& job, std::vector<Remark>& remarks) {
  const ContentPtr source = source_image(settings, remarks);
  const Provenance provenance = provenance_of(content, job);
  if (const auto* contours = std::get_if<Contours>(&content))
    return io::dicom::write_rtstruct(*contours, need_source(source), provenance);
  const auto* labels = std::get_if<LabelMap>(&content);
  if (labels == nullptr) throw Error(Code::wrong_use, "an RTSTRUCT is made of contours or labels");
  return io::dicom::write_rtstruct(*labels, need_source(source), provenance);
}

Bytes parametric_map_of(const io::Content& content, const ConvertSettings& settings, const Job& job, std::vector<Remark>& remarks) {
  const auto* image = std::get_if<Image>(&content);
  if (image == nullptr) throw Error(Code::wrong_use, "a parametric map is made of an image");
  const io::dicom::MappedQuantity quantity{{}, "value"};
  const Provenance provenance = provenance_of(content, job);
  if (settings.source.empty()) return io::dicom::write_parametric_map(*image, quantity, *image, provenance);
  const ContentPtr source = source_image(settings, remarks);
  return io::dicom::write_parametric_map(*image, quantity, need_source(source), provenance);
}

// The pictures that a report would show, as one instance where they are of one size.
Bytes capture_of(const io::Content& content, const Job& job) {
  std::vector<Picture> pictures;
  for (ReportPicture& picture : key_pictures(content)) pictures.push_back(std::move(picture.picture));
  if (pictures.empty()) throw Error(Code::bad_input, "there is nothing to draw");
  const auto other = [&](const Picture& p) { return p.width != pictures.front().width || p.height != pictures.front().height; };
  std::erase_if(pictures, other);
  auto written = io::dicom::write_secondary_capture(pictures, acquisition_of(content), {}, provenance_of(content, job));
  return std::move(written.front().bytes);
}

}  // namespace

ContentPtr source_image(const ConvertSettings& settings, std::vector<Remark>& remarks) {
  if (settings.source.empty())
    throw Error(Code::wrong_use, "--source=PATH must name the image that the labels or contours belong to");
  const std::array<fs::path, 1> paths{settings.source};
  const Opened opened = open(paths, settings.read);
  std::vector<const Entry*> images;
  std::string there;
  for (const Entry& entry : opened.entries) {
    if (!has_voxels(entry)) continue;
    images.push_back(&entry);
    there += "\n  " + entry.acquisition.modality + " " + entry.shape + " " + entry.acquisition.series_uid;
  }
  if (images.empty()) throw Error(Code::wrong_use, "--source=" + settings.source.string() + " holds no image");
  if (images.size() > 1)
    throw Error(Code::wrong_use, "--source=" + settings.source.string() + " holds several images; name the folder of one:" + there);
  remarks.insert(remarks.end(), images.front()->faults.begin(), images.front()->faults.end());
  return images.front()->load();
}

Bytes dicom_object(const io::Content& content, const ConvertSettings& settings, const Job& job, std::vector<Remark>& remarks) {
  std::string as = settings.as;
  if (as.empty() && std::holds_alternative<LabelMap>(content)) as = "seg";
  if (as.empty() && std::holds_alternative<Contours>(content)) as = "rtstruct";
  if (as == "seg") return seg_of(content, settings, job, remarks);
  if (as == "rtstruct") return rtstruct_of(content, settings, job, remarks);
  if (as == "parametric-map") return parametric_map_of(content, settings, job, remarks);
  if (as == "secondary-capture") return capture_of(content, job);
  const auto* image = std::get_if<Image>(&content);
  if (image == nullptr || as.empty())
    throw Error(Code::wrong_use, "one .dcm holds labels (--as=seg, --as=rtstruct, with --source=IMAGE), a parametric map "
                                 "(--as=parametric-map) or pictures (--as=secondary-capture); images go to a folder");
  throw Error(Code::wrong_use, "--as=" + as + ": expected seg, rtstruct, enhanced, parametric-map or secondary-capture");
}

void check_settings(const fs::path& out, const ConvertSettings& settings) {
  constexpr std::array<std::string_view, 6> known{"", "seg", "rtstruct", "enhanced", "parametric-map", "secondary-capture"};
  const std::string& as = settings.as;
  if (std::find(known.begin(), known.end(), as) == known.end())
    throw Error(Code::wrong_use, "--as=" + as + ": expected seg, rtstruct, enhanced, parametric-map or secondary-capture");
  if (as == "enhanced" && !out.extension().empty())
    throw Error(Code::wrong_use, "--as=enhanced is written into a folder, and '" + out.string() + "' is named as a file");
  if (!as.empty() && as != "enhanced" && out.extension() != ".dcm")
    throw Error(Code::wrong_use, "--as=" + as + " is one DICOM file: name it .dcm, not '" + out.string() + "'");
  if (!settings.source.empty() && !fs::exists(settings.source))
    throw Error(Code::wrong_use, "--source=" + settings.source.string() + " does not exist");
}

void save_dicom_images(const fs::path& folder, const io::Content& content, bool enhanced, const Job& job,
                       std::vector<Remark>& remarks) {
  const Provenance provenance = provenance_of(content, job);
  std::vector<DicomFile> files;
  if (const auto* image = std::get_if<Image>(&content)) files = dicom_images(*image, enhanced, provenance, remarks);
  else if (const auto* raw = std::get_if<RawData>(&content)) files = dicom_images(*raw, provenance);
  else throw Error(Code::bad_input, "only images and projections can be written as a DICOM series");
  make_folder(folder);
  // Slices of another series beside these would be read as one with them.
  for (const auto& item : fs::directory_iterator(folder)) {
    const fs::path name = item.path().filename();
    if (name.extension() == ".dcm" && std::none_of(files.begin(), files.end(), [&](const DicomFile& f) { return f.file == name; }))
      throw Error(Code::wrong_use, "'" + folder.string() + "' holds other DICOM files, such as " + name.string() + ": name a new folder");
  }
  for (const DicomFile& file : files) io::write_file(folder / file.file, file.bytes);
}

}  // namespace penta::engine
