#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/acquisition.h"
#include "core/label_map.h"
#include "core/results.h"
#include "core/structured_report.h"
#include "io/dicom/write_common.h"
#include "io/dicom/write_seg.h"

namespace penta::io::dicom {

/// A Comprehensive 3D SR (PS3.3 A.35.13) with the template TID 1500 'Measurement Report' (PS3.16), as part-10 bytes.
///
/// Measurements of one region and side make one group: TID 1411 that refers to the segment of that name where `labels`
/// and `seg_uid` (SOP Instance UID of the SEG made with the same provenance and `seg_type`; may be empty) are given, else TID 1501.
/// Findings are groups of their own: TID 1411 with an ellipsoid in their box, TID 1410 with a rectangle or their
/// ellipse where they are in pixels of a known instance (Finding::frame counts from 0), else TID 1501. A finding in
/// pixels takes the measurements of its region into its group: a circumference stands beside the ellipse it is of.
/// A group that lies in space is preceded by one of its own tracking ids that has a point inside it and no numbers, for
/// viewers that draw points only.
/// Units are UCUM codes. A quantity, region or finding without a code gets one of the scheme 99PENTA.
/// Throws Error{nothing_to_do} when there is neither a measurement nor a finding.
[[nodiscard]] std::vector<std::byte> write_sr(const Measurements& measurements, const Findings& findings,
                                              const LabelMap* labels, const std::string& seg_uid,
                                              const Acquisition& source, const Provenance& provenance,
                                              SegType seg_type = SegType::binary);

/// The same of groups as they are: what read() gave of a TID 1500 report comes back with the same values and codes.
/// `source` gives patient, study and the images of the Image Library. Throws Error{nothing_to_do} without groups.
[[nodiscard]] std::vector<std::byte> write_sr(const StructuredReport& report, const Acquisition& source,
                                              const Provenance& provenance);

/// The groups that the first form writes.
[[nodiscard]] StructuredReport report_of(const Measurements& measurements, const Findings& findings,
                                         const LabelMap* labels, const std::string& seg_uid, const Acquisition& source,
                                         const Provenance& provenance, SegType seg_type = SegType::binary);

/// SOP Instance UID that write_sr gives with this provenance.
[[nodiscard]] std::string sr_instance_uid(const Provenance& provenance);

}  // namespace penta::io::dicom
