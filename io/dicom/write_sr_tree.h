#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/structured_report.h"

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
/// A NUM with its value to 16 characters and, exactly, as Floating Point Value (PS3.3 C.18.1).
DcmItem& add_number(DcmItem& parent, const CodedConcept& name, double value, const CodedConcept& unit);
/// An IMAGE item, of some segments where they are named. Null `name`: none.
DcmItem& add_image(DcmItem& parent, std::string_view relation, const CodedConcept* name, const SourceInstance& instance,
                   const std::vector<int>& segments = {});
/// SCOORD (PS3.3 C.18.6), selected from its frame.
DcmItem& add_planar(DcmItem& parent, const CodedConcept& name, const PlanarRegion& region);
/// SCOORD3D (PS3.3 C.18.9).
DcmItem& add_spatial(DcmItem& parent, const CodedConcept& name, const SpatialRegion& region);

}  // namespace penta::io::dicom::tree
