#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/points.h"
#include "core/results.h"

class DcmItem;

/// Content items of a structured report (PS3.3 C.17.3). Inside io/dicom only.
namespace penta::io::dicom::tree {

inline constexpr std::string_view contains = "CONTAINS", modifies = "HAS CONCEPT MOD", observed = "HAS OBS CONTEXT",
                                  acquired = "HAS ACQ CONTEXT", inferred = "INFERRED FROM", selected = "SELECTED FROM";

/// A code of the DICOM controlled terminology (PS3.16 Annex D).
[[nodiscard]] CodedConcept dcm(const char* value, const char* meaning);
/// The code, or one of our private scheme 99PENTA that stands for `name`.
[[nodiscard]] CodedConcept code_or_private(const CodedConcept& code, const std::string& name);
/// UCUM (PS3.16 CID 7181); no unit is the code "1".
[[nodiscard]] CodedConcept unit_code(const std::string& unit);

DcmItem& add_container(DcmItem& parent, const CodedConcept& name, const char* template_id = nullptr);
DcmItem& add_code_item(DcmItem& parent, std::string_view relation, const CodedConcept& name, const CodedConcept& value);
DcmItem& add_text(DcmItem& parent, std::string_view relation, const CodedConcept& name, const std::string& text);
DcmItem& add_uid(DcmItem& parent, std::string_view relation, const CodedConcept& name, const std::string& uid);
DcmItem& add_number(DcmItem& parent, const CodedConcept& name, double value, const std::string& unit);
/// An IMAGE item; `segment` > 0 names a segment of it. Null `name`: none.
DcmItem& add_image(DcmItem& parent, std::string_view relation, const CodedConcept* name, const SourceInstance& instance,
                   int segment = 0);
/// SCOORD POLYLINE, column and row of each point from the top left corner of the image (PS3.3 C.18.6).
DcmItem& add_rectangle(DcmItem& parent, const CodedConcept& name, const std::array<double, 6>& box);
/// SCOORD3D ELLIPSOID that touches the faces of a box in mm (PS3.3 C.18.9).
DcmItem& add_ellipsoid(DcmItem& parent, const CodedConcept& name, const std::array<double, 6>& box,
                       const std::string& frame_of_reference_uid);

}  // namespace penta::io::dicom::tree
