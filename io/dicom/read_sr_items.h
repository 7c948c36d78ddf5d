#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/structured_report.h"
#include "io/dicom/internal.h"

/// Content items of a structured report, read (PS3.3 C.17.3). Inside io/dicom only.
namespace penta::io::dicom::sr {

inline constexpr Tag content{0x0040, 0xA730}, relationship{0x0040, 0xA010}, value_type{0x0040, 0xA040},
    concept_name{0x0040, 0xA043}, concept_code{0x0040, 0xA168}, text_value{0x0040, 0xA160}, uid{0x0040, 0xA124},
    measured_value{0x0040, 0xA300}, numeric_value{0x0040, 0xA30A}, float_value{0x0040, 0xA161},
    numerator{0x0040, 0xA162}, denominator{0x0040, 0xA163}, units{0x0040, 0x08EA}, graphic{0x0070, 0x0022},
    graphic_type{0x0070, 0x0023}, referenced_frame_of_reference{0x3006, 0x0024}, referenced_sop{0x0008, 0x1199},
    referenced_class{0x0008, 0x1150}, referenced_instance{0x0008, 0x1155}, referenced_frame{0x0008, 0x1160},
    referenced_segment_number{0x0062, 0x000B}, template_sequence{0x0040, 0xA504}, template_identifier{0x0040, 0xDB00},
    current_evidence{0x0040, 0xA375}, other_evidence{0x0040, 0xA385}, referenced_series{0x0008, 0x1115},
    coding_scheme{0x0008, 0x0102}, long_code{0x0008, 0x0119}, urn_code{0x0008, 0x0120};

/// A concept by its code and, where older reports have another one for it (SRT, UMLS as text), that too.
struct Known {
  std::string_view scheme, value, older_scheme{}, older_value{};
};
inline constexpr Known tracking_identifier{"DCM", "112039"}, tracking_unique_identifier{"DCM", "112040"},
    finding{"DCM", "121071"}, finding_category{"SCT", "276214006", "SRT", "M-01000"},
    finding_site{"SCT", "363698007", "SRT", "G-C0E3"}, laterality{"SCT", "272741003", "SRT", "G-C171"},
    method{"SCT", "370129005", "SRT", "G-C306"}, derivation{"DCM", "121401"}, algorithm_name{"DCM", "111001"},
    algorithm_version{"DCM", "111003"}, equation{"DCM", "121420"}, referenced_segment{"DCM", "121191"},
    segmentation_frame{"DCM", "121214"}, source_series{"DCM", "121232"}, language{"DCM", "121049"},
    procedure_reported{"DCM", "121058"}, image_library{"DCM", "111028"}, imaging_measurements{"DCM", "126010"},
    derived_measurements{"DCM", "126011"}, qualitative_evaluations{"UMLS", "C0034375"};

[[nodiscard]] std::vector<DcmItem*> children(DcmItem& item);
[[nodiscard]] CodedConcept code_in(DcmItem& item, Tag sequence);
[[nodiscard]] inline CodedConcept code_of(DcmItem& item) { return code_in(item, concept_code); }

/// One content item: its place in the tree and what it is named.
struct Node {
  explicit Node(DcmItem& of);
  [[nodiscard]] bool is(const Known& known) const noexcept;

  DcmItem* item;
  std::string relation, type;
  CodedConcept name;
};

[[nodiscard]] std::string text_of(DcmItem& item);
[[nodiscard]] Statement statement_of(const Node& node);
/// Floating Point Value, else numerator / denominator, else Numeric Value (PS3.3 C.18.1). Nothing where none is finite.
[[nodiscard]] std::optional<double> value_of(DcmItem& measured);
[[nodiscard]] std::vector<double> graphic_data(DcmItem& item);
[[nodiscard]] SourceInstance reference_of(DcmItem& item);
/// At least one, empty where the item refers to nothing; one a frame where frames are named.
[[nodiscard]] std::vector<SourceInstance> references_of(DcmItem& item);
[[nodiscard]] std::vector<int> segments_of(DcmItem& item);
[[nodiscard]] std::string template_of(DcmItem& item);

/// Fills measurements, findings and regions from the groups.
void add_results(StructuredReport& report);

}  // namespace penta::io::dicom::sr
