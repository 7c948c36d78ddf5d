// What we read of, and write as, SR and RTSTRUCT, for sr.py and rtstruct.py:
//   dicom_objects sr FILE                 its groups as JSON, numbers as hexadecimal floats
//   dicom_objects sr-again FILE OUT       read and written
//   dicom_objects sr-made FOLDER          reports of our own making: <name>.dcm
//   dicom_objects rt-masks RTSTRUCT SERIES OUT     OUT: a line 'nx ny nz regions', a line a name, then the masks (u1)
//   dicom_objects rt-made SERIES RTSTRUCT OUT      labels made up on the grid of a series, written, and as above
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "core/error.h"
#include "core/json.h"
#include "image/rasterize/polygon.h"
#include "io/dicom/dicom.h"
#include "io/dicom/write_rtstruct.h"
#include "io/dicom/write_sr.h"

namespace {

using namespace penta;
using Path = std::filesystem::path;

std::vector<std::byte> bytes_of(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void write(const Path& path, const std::vector<std::byte>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

io::dicom::Provenance provenance(const std::string& seed) {
  return {"peer.test", "1", "0.1.0", seed, "20260102030405", false};
}

StructuredReport report_in(const Path& path) {
  return std::get<StructuredReport>(io::dicom::read_bytes(bytes_of(path), path.filename().string()));
}

Json code_json(const CodedConcept& code) {
  Json json = Json::array();
  json.push(code.scheme), json.push(code.value), json.push(code.meaning);
  return json;
}

std::string exact(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

Json quantity_json(const Quantity& q) {
  Json json = Json::object();
  json.set("name", code_json(q.name)).set("unit", code_json(q.unit)).set("method", code_json(q.method));
  json.set("derivation", code_json(q.derivation)).set("label", q.label).set("site", code_json(q.site));
  return json.set("value", q.value ? exact(*q.value) : std::string("none"));
}

Json group_json(const MeasurementGroup& group) {
  Json json = Json::object(), quantities = Json::array(), planar = Json::array(), evaluations = Json::array();
  for (const Quantity& q : group.quantities) quantities.push(quantity_json(q));
  for (const Statement& s : group.evaluations) {
    Json one = Json::object();
    evaluations.push(one.set("name", code_json(s.name)).set("value", code_json(s.value)).set("text", s.text));
  }
  for (const PlanarRegion& region : group.planar) {
    Json points = Json::array(), one = Json::object();
    for (const auto& p : region.points_px) points.push(exact(p[0])), points.push(exact(p[1]));
    one.set("shape", static_cast<int>(region.shape)).set("points", std::move(points));
    planar.push(one.set("image", region.image.sop_instance_uid).set("frame", region.image.frame));
  }
  json.set("template", group.template_id).set("tracking_id", group.tracking_id).set("tracking_uid", group.tracking_uid);
  json.set("finding", code_json(group.finding)).set("category", code_json(group.category));
  json.set("site", code_json(group.site)).set("side", std::string(name_of(group.side)));
  json.set("segmentation", group.segmentation.sop_instance_uid).set("spatial", static_cast<int>(group.spatial.size()));
  return json.set("quantities", std::move(quantities)).set("planar", std::move(planar)).set("evaluations", std::move(evaluations));
}

int show(const Path& path) {
  const StructuredReport report = report_in(path);
  Json json = Json::object(), groups = Json::array(), remarks = Json::array();
  for (const MeasurementGroup& group : report.groups) groups.push(group_json(group));
  for (const Remark& remark : report.remarks) remarks.push(remark.code + ": " + remark.text);
  json.set("title", code_json(report.title)).set("template", report.template_id).set("groups", std::move(groups));
  std::cout << json.set("remarks", std::move(remarks)).dump() << "\n";
  return 0;
}

int again(const Path& in, const Path& out) {
  const StructuredReport report = report_in(in);
  Acquisition source = report.acquisition;
  source.series_uid.clear();  // that of the report itself
  write(out, io::dicom::write_sr(report, source, provenance(in.string())));
  return 0;
}

Acquisition ultrasound() {
  Acquisition a;
  a.modality = "US", a.dicom_modality = "US";
  a.study_uid = "1.2.3", a.series_uid = "1.2.3.4", a.patient.name = "Doe^Jane", a.patient.id = "4711";
  for (int frame = 1; frame <= 5; ++frame) a.instances.push_back({"1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4.1", frame});
  return a;
}

Measurement measurement(const char* name, double value, const char* unit, CodedConcept code) {
  Measurement m{name, value, unit, std::move(code)};
  m.region = "fetal head";
  return m;
}

int make_reports(const Path& folder) {
  Finding head{"fetal head (fitted ellipse)", 1, {120, 90, 0}, {60, 50, 0, 180, 130, 0}, 120};
  head.frame = 3, head.in_pixels = true, head.region = "fetal head";
  head.ellipse_px = {{60, 90}, {180, 90}, {120, 50}, {120, 130}};
  const Measurements numbers{measurement("head circumference", 271.0 / 3, "mm", {"LN", "11984-2", "Head Circumference"}),
                             measurement("biparietal diameter", 0.1 + 0.2, "mm", {"LN", "11820-8", "Biparietal Diameter"})};
  const Acquisition source = ultrasound();
  write(folder / "fetal-head.dcm", io::dicom::write_sr(numbers, {head}, nullptr, "", source, provenance("head")));
  StructuredReport report;
  using Shape = PlanarRegion::Shape;
  int index = 0;
  for (const auto& [shape, points] : std::vector<std::pair<Shape, std::vector<std::array<double, 2>>>>{
           {Shape::point, {{3.5, 4.25}}},
           {Shape::polyline, {{1, 1}, {9, 1}, {9, 7.125}, {1, 1}}},
           {Shape::circle, {{50, 50}, {60, 50}}},
           {Shape::ellipse, {{10, 20}, {50, 20}, {30, 10}, {30, 30}}}}) {
    MeasurementGroup group;
    group.tracking_id = "shape " + std::to_string(++index);
    group.tracking_uid = "1.2.3.9." + std::to_string(index);
    group.finding = {"SCT", "27925004", "Nodule"};
    group.category = {"SCT", "49755003", "Morphologically Abnormal Structure"};
    group.site = {"SCT", "39607008", "Lung"};
    group.side = index % 2 == 0 ? Side::left : Side::right;
    group.planar = {{shape, group.tracking_id, source.instances[static_cast<std::size_t>(index)], points}};
    Quantity area;
    area.name = {"SCT", "42798000", "Area"}, area.unit = {"UCUM", "mm2", "square millimeter"};
    area.value = std::sqrt(2.0) * index * 1e-7;
    area.derivation = {"SCT", "373098007", "Mean"};
    group.quantities = {area};
    group.evaluations = {{{"SCT", "272141005", "Severity"}, {"SCT", "6736007", "Moderate"}, {}}};
    report.groups.push_back(group);
  }
  write(folder / "shapes.dcm", io::dicom::write_sr(report, source, provenance("shapes")));
  return 0;
}

Image series_in(const Path& folder) {
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  const auto catalogue = io::dicom::scan(files);
  for (const auto& series : catalogue.series)
    if (series.kind == io::dicom::SeriesKind::volume) return std::get<Image>(io::dicom::read(series));
  throw Error(Code::bad_input, "no volume in " + folder.string());
}

void write_masks(const Path& path, const LabelMap& labels) {
  const Size3& size = labels.grid().size();
  std::ofstream out(path, std::ios::binary);
  out << size[0] << ' ' << size[1] << ' ' << size[2] << ' ' << labels.segments.size() << '\n';
  for (const Segment& segment : labels.segments) out << segment.name << '\n';
  for (const Segment& segment : labels.segments)
    for (const std::uint16_t voxel : labels.layers[static_cast<std::size_t>(segment.layer)].voxels())
      out.put(voxel == segment.value ? '\1' : '\0');
}

LabelMap masks_of(const Path& path, const Grid& grid) {
  const Contours contours = std::get<Contours>(io::dicom::read_bytes(bytes_of(path), path.filename().string()));
  std::vector<Remark> remarks = contours.remarks;
  LabelMap labels = rasterize(contours, grid, remarks);
  for (const Remark& remark : remarks) std::cerr << remark.code << ": " << remark.text << "\n";
  return labels;
}

// A ball with a hollow in which a smaller ball lies, islands, and voxels at random.
LabelMap made_up(const Grid& grid) {
  LabelMap labels;
  std::mt19937 random(5);
  const Size3& size = grid.size();
  for (int layer = 0; layer < 2; ++layer) labels.layers.emplace_back(grid);
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const auto part = [](std::int64_t at, std::int64_t of) { return 2.2 * (static_cast<double>(at) + 0.5) / static_cast<double>(of) - 1.1; };
        const double r = std::hypot(part(x, size[0]), part(y, size[1]), part(z, size[2]));
        if ((r < 0.9 && r > 0.6) || r < 0.3) labels.layers[0].at(x, y, z) = 1;
        if (random() % 50 == 0) labels.layers[1].at(x, y, z) = 2;
      }
  labels.segments = {{1, 0, "hollow ball", {}}, {2, 1, "scattered", {}}};
  return labels;
}

int make_contours(const Path& series, const Path& rtstruct, const Path& out) {
  const Image image = series_in(series);
  const Grid& grid = grid_of(image.volume());
  const LabelMap labels = made_up(grid);
  write(rtstruct, io::dicom::write_rtstruct(labels, image, provenance("contours")));
  write_masks(out, labels);
  const LabelMap back = masks_of(rtstruct, grid);
  for (std::size_t s = 0; s < 2; ++s)
    if (!std::ranges::equal(labels.layers[s].voxels(), back.layers[s].voxels())) return 1;
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 2 && words[0] == "sr") return show(words[1]);
  if (words.size() == 3 && words[0] == "sr-again") return again(words[1], words[2]);
  if (words.size() == 2 && words[0] == "sr-made") return make_reports(words[1]);
  if (words.size() == 4 && words[0] == "rt-masks") {
    const Image image = series_in(words[2]);
    write_masks(words[3], masks_of(words[1], grid_of(image.volume())));
    return 0;
  }
  if (words.size() == 4 && words[0] == "rt-made") return make_contours(words[1], words[2], words[3]);
  std::cerr << "usage: see the head of dicom_objects.cpp\n";
  return 2;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& fault) {
    std::cerr << fault.what() << "\n";
    return 3;
  }
}
