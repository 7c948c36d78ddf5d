#include "io/dicom/read_sr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/test_data.h"
#include "io/dicom/made_test.h"
#include "io/dicom/write_sr.h"

namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"us.fetal_biometry", "1", "0.1.0", "seed", "20260102030405", false}; }

Acquisition cine() {
  Acquisition a;
  a.modality = "US", a.dicom_modality = "US";
  a.study_uid = "1.2.3", a.series_uid = "1.2.3.4", a.patient.name = "Doe^Jane", a.patient.id = "4711";
  for (int frame = 1; frame <= 5; ++frame) a.instances.push_back({"1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4.1", frame});
  return a;
}

StructuredReport read(const std::vector<std::byte>& bytes) {
  return std::get<StructuredReport>(read_bytes(bytes, "sr"));
}

// Inverse: each value comes back with all its bits, which 16 characters of a decimal string could not hold.
TEST(ReadSr, InverseValuesAndCodesAreBitIdentical) {
  Measurements measurements;
  const std::array<double, 9> values{1.0 / 3, std::nextafter(1.0, 2), -std::sqrt(2.0) * 1e-300, 1.7976931348623157e308,
                                     5e-324, 0.1 + 0.2, -0.0, 123456789.123456789, 7};
  for (std::size_t i = 0; i < values.size(); ++i) {
    Measurement m{"value " + std::to_string(i),
                  values[i],
                  i % 2 == 0 ? "mm" : "g/mL",
                  {"99LAB", "Q" + std::to_string(i), "value"}};
    m.region = i < 5 ? "Liver" : "", m.side = i < 3 ? Side::left : Side::none, m.formula = "a = b";
    measurements.push_back(m);
  }
  const StructuredReport report = read(write_sr(measurements, {}, nullptr, "", cine(), provenance()));
  EXPECT_TRUE(report.remarks.empty());
  EXPECT_EQ(report.title, (CodedConcept{"DCM", "126000", ""}));
  ASSERT_EQ(report.measurements.size(), measurements.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Measurement &ours = measurements[i], &theirs = report.measurements[i];
    EXPECT_EQ(std::signbit(theirs.value), std::signbit(ours.value));
    EXPECT_EQ(theirs.value, ours.value);
    EXPECT_EQ(theirs.name, ours.name);
    EXPECT_EQ(theirs.unit, ours.unit);
    EXPECT_EQ(theirs.code, ours.code);
    EXPECT_EQ(theirs.region, ours.region);
    EXPECT_EQ(theirs.side, ours.side);
    EXPECT_EQ(theirs.formula, ours.formula);
  }
  EXPECT_EQ(report.referenced.size(), 1U);
}

// What ultrasound needs: the circumference stands in one group with the ellipse that it is of, on its frame (TID 1410).
TEST(ReadSr, InverseHeadCircumferenceAndItsEllipseOnItsFrame) {
  Measurement circumference{"head circumference", 271.0 / 3, "mm", {"LN", "11984-2", "Head Circumference"}};
  circumference.region = "fetal head";
  Finding head{"fetal head (fitted ellipse)", 1, {120, 90, 0}, {60, 50, 0, 180, 130, 0}, 120};
  head.frame = 3, head.in_pixels = true, head.region = "fetal head";
  head.ellipse_px = {{60, 90}, {180, 90}, {120, 50}, {120, 130}};
  const StructuredReport report = read(write_sr({circumference}, {head}, nullptr, "", cine(), provenance()));
  ASSERT_EQ(report.groups.size(), 1U);
  const MeasurementGroup& group = report.groups[0];
  EXPECT_EQ(group.template_id, "1410");
  EXPECT_EQ(group.tracking_id, "fetal head");
  ASSERT_EQ(group.planar.size(), 1U);
  EXPECT_EQ(group.planar[0].shape, PlanarRegion::Shape::ellipse);
  EXPECT_EQ(group.planar[0].image.sop_instance_uid, "1.2.3.4.1");
  EXPECT_EQ(group.planar[0].image.frame, 4);
  EXPECT_EQ(group.planar[0].points_px.at(3), (std::array<double, 2>{120.5, 130.5}));
  EXPECT_EQ(*group.quantities.at(0).value, circumference.value);
  EXPECT_EQ(group.quantities.at(0).name, circumference.code);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].frame, 3);
  EXPECT_EQ(report.findings[0].ellipse_px, head.ellipse_px);
  EXPECT_EQ(report.findings[0].box, head.box);
}

// Inverse: a report as it was read is written and read to the same groups.
TEST(ReadSr, InverseGroupsOfAllShapes) {
  StructuredReport report;
  using Shape = PlanarRegion::Shape;
  for (const Shape shape : {Shape::point, Shape::multipoint, Shape::polyline, Shape::circle, Shape::ellipse}) {
    MeasurementGroup group;
    group.tracking_id = "shape " + std::to_string(report.groups.size()), group.tracking_uid = "1.2.9";
    group.finding = {"SCT", "27925004", "Nodule"},
    group.category = {"SCT", "49755003", "Morphologically Abnormal Structure"};
    group.site = {"SCT", "39607008", "Lung"}, group.side = Side::right,
    group.method = {"DCM", "126410", "SUV body weight calculation method"};
    group.planar = {{shape,
                     group.tracking_id,
                     {"1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4.1", 2},
                     {{1.5, 2.25}, {3, 4}, {5, 6}, {7, 8}}}};
    Quantity area{{"SCT", "42798000", "Area"}, 1.0 / 7, {"UCUM", "mm2", "square millimeter"}};
    area.method = {"DCM", "126410", "m"}, area.derivation = {"SCT", "373098007", "Mean"},
    area.site = {"SCT", "39607008", "Lung"};
    area.modifiers = {{{"99LAB", "1", "how"}, {"99LAB", "2", "so"}, {}}};
    group.quantities = {area};
    group.evaluations = {{{"SCT", "272141005", "Severity"}, {"SCT", "6736007", "Moderate"}, {}},
                         {{"99LAB", "3", "words"}, {}, "as said"}};
    report.groups.push_back(group);
  }
  const StructuredReport back = read(write_sr(report, cine(), provenance()));
  ASSERT_EQ(back.groups.size(), report.groups.size());
  for (std::size_t i = 0; i < back.groups.size(); ++i) {
    const MeasurementGroup &a = report.groups[i], &b = back.groups[i];
    EXPECT_EQ(b.template_id, "1410");
    EXPECT_EQ(b.tracking_id, a.tracking_id);
    EXPECT_EQ(b.tracking_uid, a.tracking_uid);
    for (const auto& [x, y] :
         {std::pair{a.finding, b.finding}, {a.category, b.category}, {a.site, b.site}, {a.method, b.method}}) {
      EXPECT_EQ(x, y);
      EXPECT_EQ(x.meaning, y.meaning);
    }
    EXPECT_EQ(b.side, a.side);
    EXPECT_EQ(b.planar.at(0).shape, a.planar[0].shape);
    EXPECT_EQ(b.planar[0].points_px, a.planar[0].points_px);
    EXPECT_EQ(b.planar[0].image.frame, 2);
    const Quantity &p = a.quantities[0], &q = b.quantities.at(0);
    EXPECT_EQ(*q.value, *p.value);
    EXPECT_EQ(q.method, p.method);
    EXPECT_EQ(q.derivation, p.derivation);
    EXPECT_EQ(q.site, p.site);
    EXPECT_EQ(q.modifiers.at(0).value, p.modifiers[0].value);
    ASSERT_EQ(b.evaluations.size(), 2U);
    EXPECT_EQ(b.evaluations[0].value, a.evaluations[0].value);
    EXPECT_EQ(b.evaluations[1].text, "as said");
  }
}

void set_code(DcmItem& item, Tag sequence, const std::string& scheme, const std::string& value) {
  DcmItem& row = new_item(item, sequence);
  set_text(row, tag::code_value, value);
  set_text(row, {0x0008, 0x0102}, scheme);
  set_text(row, tag::code_meaning, value);
}

DcmItem& add(DcmItem& parent, const std::string& type, const std::string& name) {
  DcmItem& item = new_item(parent, {0x0040, 0xA730});
  set_text(item, {0x0040, 0xA010}, "CONTAINS");
  set_text(item, {0x0040, 0xA040}, type);
  set_code(item, {0x0040, 0xA043}, "99LAB", name);
  return item;
}

void add_number(DcmItem& parent, const std::string& name, const std::string& value) {
  DcmItem& measured = new_item(add(parent, "NUM", name), {0x0040, 0xA300});
  set_text(measured, {0x0040, 0xA30A}, value);
  set_code(measured, {0x0040, 0x08EA}, "UCUM", "cm");
}

TEST(ReadSr, ForeignReportsAreReadAsFarAsTheyGo) {
  Made made("1.2.840.10008.5.1.4.1.1.88.33", "SR", 0, 0);
  made.text({0x0040, 0xA040}, "CONTAINER");
  set_code(made.data(), {0x0040, 0xA043}, "99LAB", "Echo");
  DcmItem& section = add(made.data(), "CONTAINER", "Left ventricle");
  add_number(section, "Diameter", "4.5");
  add_number(section, "Wrong", "4,5");
  set_text(add(section, "PNAME", "Reader"), {0x0040, 0xA123}, "Doe^Jane");
  const auto bytes = made.bytes();
  const StructuredReport report = read(bytes);
  ASSERT_EQ(report.measurements.size(), 1U);
  EXPECT_EQ(report.measurements[0].name, "Diameter");
  EXPECT_EQ(report.measurements[0].value, 4.5);
  EXPECT_EQ(report.measurements[0].unit, "cm");
  EXPECT_EQ(report.measurements[0].region, "Left ventricle");
  ASSERT_EQ(report.remarks.size(), 3U);
  EXPECT_EQ(report.remarks[0].code, "foreign_report");
  EXPECT_EQ(report.remarks[1].code, "numbers_left_out");
  EXPECT_EQ(report.remarks[2].code, "content_left_out");
}

TEST(ReadSr, WithoutContentItIsRefused) {
  const auto bytes = Made("1.2.840.10008.5.1.4.1.1.88.33", "SR", 0, 0).bytes();
  EXPECT_THROW(static_cast<void>(read_bytes(bytes, "sr")), Error);
}

// Published: what highdicom wrote into its test reports (values as its own reader gives them).
TEST(ReadSr, PublishedReportsOfHighdicom) {
  const auto path = test_data("dicom/highdicom/sr_document_with_multiple_groups.dcm");
  if (!path) GTEST_SKIP() << "data not here: dicom/highdicom/sr_document_with_multiple_groups.dcm";
  std::ifstream in(*path, std::ios::binary);
  const std::vector<char> text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = std::as_bytes(std::span(text));
  const StructuredReport report = read({bytes.begin(), bytes.end()});
  ASSERT_EQ(report.groups.size(), 4U);
  EXPECT_EQ(report.groups[0].template_id, "1501");
  EXPECT_EQ(report.groups[1].tracking_id, "LungNodule0001");
  EXPECT_EQ(report.groups[1].planar.at(0).shape, PlanarRegion::Shape::circle);
  EXPECT_EQ(report.groups[2].quantities.at(0).value, 20.0);
  EXPECT_EQ(report.groups[3].spatial.at(0).points_mm.at(0).x, 123.5);
  EXPECT_EQ(report.measurements.at(0).value, -119.0738525390625);
}

}  // namespace
}  // namespace penta::io::dicom
