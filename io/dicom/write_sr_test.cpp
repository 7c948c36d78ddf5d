#include "io/dicom/write_sr.h"

#include <gtest/gtest.h>

#include <limits>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "io/dicom/write_seg.h"
#include "io/dicom/write_sr_places.h"

namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"pet.quantify", "1", "0.1.0", "seed", "20260102030405", false}; }

Acquisition source() {
  Acquisition a;
  a.modality = "PET", a.dicom_modality = "PT";
  a.study_uid = "1.2.3", a.series_uid = "1.2.3.4", a.frame_of_reference_uid = "1.2.3.5";
  a.patient.name = "Doe^Jane", a.patient.id = "4711";
  for (int k = 1; k <= 3; ++k)
    a.instances.push_back({"1.2.840.10008.5.1.4.1.1.128", "1.2.3.4." + std::to_string(k), 0});
  return a;
}

std::vector<std::byte> report(const Provenance& made_by, const std::string& seg_uid) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({2, 2, 3}, {1, 1, 1}));
  labels.segments = {{1, 0, "GTV_Mass", {}}};
  Measurement suv{"SUVmax", 7.91, "g/mL", {}};
  suv.region = "GTV_Mass";
  Measurement mean{"SUVmean", 2.5, "g/mL", {"DCM", "126401", "SUVbw"}};
  mean.region = "GTV_Mass";
  Measurement nothing{"undefined", std::numeric_limits<double>::quiet_NaN(), "1", {}};
  const Findings findings{{"lesion", 0.9, {1, 2, 3}, {0, 1, 2, 2, 3, 4}, 2}};
  return write_sr({suv, mean, nothing}, findings, &labels, seg_uid, source(), made_by);
}

bool holds(const std::vector<std::byte>& bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(text) !=
         std::string_view::npos;
}

TEST(DicomSr, says_what_it_must) {
  const auto bytes = report(provenance(), seg_instance_uid(provenance()));
  for (const std::string_view text :
       {"SUVmax", "7.91", "SUVmean", "126401", "373098007", "g/mL", "UCUM", "GTV_Mass", "99PENTA", "not a number",
        "ELLIPSOID", "Research use, not a medical device.", "Doe^Jane"})
    EXPECT_TRUE(holds(bytes, text)) << text;
  EXPECT_TRUE(holds(bytes, seg_instance_uid(provenance())));
  EXPECT_TRUE(holds(bytes, tracking_uid(provenance(), 0)));
  EXPECT_EQ(bytes, report(provenance(), seg_instance_uid(provenance())));
}

// Truth: a bent segment's centre of mass lies outside of it; the point that leads there lies inside.
TEST(DicomSr, PhantomAPointInsideLeadsToAGroup) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({5, 5, 1}, {2, 2, 3}, {10, 20, 30}));
  for (const auto& [x, y] : {std::pair{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {0, 1}, {4, 1}, {0, 2}, {4, 2}, {0, 3}, {4, 3}})
    labels.layers[0].voxels()[static_cast<std::size_t>(x + 5 * y)] = 1;
  labels.segments = {{1, 0, "right lung", {}}};
  labels.segments[0].side = Side::right;
  Measurement volume{"volume", 12.5, "mL", {}};
  volume.region = "lung", volume.side = Side::right;
  const Findings findings{{"lesion", 0.9, {1, 2, 3}, {0, 1, 2, 2, 3, 4}, 2}};
  const StructuredReport report = report_of({volume}, findings, &labels, seg_instance_uid(provenance()), source(), provenance());
  ASSERT_EQ(report.groups.size(), 4U);
  for (const std::size_t place : {std::size_t{0}, std::size_t{2}}) {
    EXPECT_TRUE(is_place(report.groups[place], report));
    EXPECT_EQ(report.groups[place].tracking_uid, report.groups[place + 1].tracking_uid);
    EXPECT_FALSE(is_place(report.groups[place + 1], report));
  }
  EXPECT_EQ(report.groups[0].spatial.at(0).points_mm.at(0), (PatientPoint{14, 20, 30}));
  EXPECT_EQ(report.groups[0].evaluations.at(0).text, "lung (right): volume 12.5 mL");
  EXPECT_EQ(report.groups[1].segments, std::vector<int>{1});
  EXPECT_EQ(report.groups[2].spatial.at(0).points_mm.at(0), (PatientPoint{1, 2, 3}));
}

TEST(DicomSr, nothing_is_an_error) {
  EXPECT_THROW(static_cast<void>(write_sr({}, {}, nullptr, "", source(), provenance())), Error);
}

TEST(DicomSr, deidentified_has_no_name) {
  Provenance hidden = provenance();
  hidden.deidentified = true;
  const auto bytes = report(hidden, "");
  EXPECT_FALSE(holds(bytes, "Doe^Jane"));
  EXPECT_FALSE(holds(bytes, "4711"));
  EXPECT_TRUE(holds(bytes, "ANON-"));
}

}  // namespace
}  // namespace penta::io::dicom
