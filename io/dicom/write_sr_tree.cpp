#include "io/dicom/write_sr_tree.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cctype>

#include "core/hash.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::tree {

namespace {

DcmItem& add_item(DcmItem& parent, std::string_view relation, const char* type, const CodedConcept* name) {
  DcmItem& item = parts::add_item(parent, DCM_ContentSequence);
  parts::put(item, DCM_RelationshipType, relation);
  parts::put(item, DCM_ValueType, type);
  if (name != nullptr) parts::add_code(item, DCM_ConceptNameCodeSequence, *name);
  return item;
}

// "SUV maximum" -> "suv-maximum"; a longer name is cut and told apart by its hash (SH holds 16 characters).
std::string slug(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 128 && std::isalnum(byte) != 0)
      text += static_cast<char>(std::tolower(byte));
    else if (!text.empty() && text.back() != '-')
      text += '-';
  }
  while (!text.empty() && text.back() == '-') text.pop_back();
  if (!text.empty() && text.size() <= 16) return text;
  return text.substr(0, 7) + "-" + Sha256().add(name).hex().substr(0, 8);
}

struct UnitName {
  std::string_view unit, meaning;
};
constexpr std::array<UnitName, 12> unit_names{{{"1", "no units"},
                                               {"mm", "millimeter"},
                                               {"cm", "centimeter"},
                                               {"mm2", "square millimeter"},
                                               {"cm2", "square centimeter"},
                                               {"mm3", "cubic millimeter"},
                                               {"cm3", "cubic centimeter"},
                                               {"mL", "milliliter"},
                                               {"%", "percent"},
                                               {"[hnsf'U]", "Hounsfield unit"},
                                               {"Bq/mL", "Becquerels/milliliter"},
                                               {"g/mL", "gram per milliliter"}}};

}  // namespace

CodedConcept dcm(const char* value, const char* meaning) { return {"DCM", value, meaning}; }

CodedConcept code_or_private(const CodedConcept& code, const std::string& name) {
  if (!code.empty()) return {code.scheme, code.value, code.meaning.empty() ? name : code.meaning};
  const std::string& meaning = name.empty() ? std::string("whole image") : name;
  return {"99PENTA", slug(meaning), meaning};
}

CodedConcept unit_code(const std::string& unit) {
  const std::string value = unit.empty() ? "1" : unit;
  for (const UnitName& row : unit_names)
    if (row.unit == value) return {"UCUM", value, std::string(row.meaning)};
  return {"UCUM", value, value};
}

DcmItem& add_container(DcmItem& parent, const CodedConcept& name, const char* template_id) {
  DcmItem& item = add_item(parent, contains, "CONTAINER", &name);
  parts::put(item, DCM_ContinuityOfContent, "SEPARATE");
  if (template_id != nullptr) {
    DcmItem& row = parts::add_item(item, DCM_ContentTemplateSequence);
    parts::put(row, DCM_MappingResource, "DCMR");
    parts::put(row, DCM_TemplateIdentifier, template_id);
  }
  return item;
}

DcmItem& add_code_item(DcmItem& parent, std::string_view relation, const CodedConcept& name,
                       const CodedConcept& value) {
  DcmItem& item = add_item(parent, relation, "CODE", &name);
  parts::add_code(item, DCM_ConceptCodeSequence, value);
  return item;
}

DcmItem& add_text(DcmItem& parent, std::string_view relation, const CodedConcept& name, const std::string& text) {
  DcmItem& item = add_item(parent, relation, "TEXT", &name);
  parts::put_text(item, DCM_TextValue, text, 10000);
  return item;
}

DcmItem& add_uid(DcmItem& parent, std::string_view relation, const CodedConcept& name, const std::string& uid) {
  DcmItem& item = add_item(parent, relation, "UIDREF", &name);
  parts::put(item, DCM_UID, uid);
  return item;
}

DcmItem& add_number(DcmItem& parent, const CodedConcept& name, double value, const std::string& unit) {
  DcmItem& item = add_item(parent, contains, "NUM", &name);
  DcmItem& measured = parts::add_item(item, DCM_MeasuredValueSequence);
  parts::put_decimal(measured, DCM_NumericValue, value);
  parts::put_double(measured, DCM_FloatingPointValue, value);
  parts::add_code(measured, DCM_MeasurementUnitsCodeSequence, unit_code(unit));
  return item;
}

DcmItem& add_image(DcmItem& parent, std::string_view relation, const CodedConcept* name, const SourceInstance& instance,
                   int segment) {
  DcmItem& item = add_item(parent, relation, "IMAGE", name);
  parts::add_reference(item, DCM_ReferencedSOPSequence, instance);
  if (segment > 0) {
    DcmItem* row = nullptr;
    item.findOrCreateSequenceItem(DCM_ReferencedSOPSequence, row, 0);
    parts::put_u16(*row, DCM_ReferencedSegmentNumber, static_cast<std::uint16_t>(segment));
  }
  return item;
}

DcmItem& add_rectangle(DcmItem& parent, const CodedConcept& name, const std::array<double, 6>& box) {
  DcmItem& item = add_item(parent, contains, "SCOORD", &name);
  // In SCOORD the centre of the first pixel is 0.5, 0.5; ours is 0, 0.
  const auto x0 = static_cast<float>(box[0] + 0.5), y0 = static_cast<float>(box[1] + 0.5);
  const auto x1 = static_cast<float>(box[3] + 0.5), y1 = static_cast<float>(box[4] + 0.5);
  parts::put_float(item, DCM_GraphicData, std::array{x0, y0, x1, y0, x1, y1, x0, y1, x0, y0});
  parts::put(item, DCM_GraphicType, "POLYLINE");
  return item;
}

DcmItem& add_ellipsoid(DcmItem& parent, const CodedConcept& name, const std::array<double, 6>& box,
                       const std::string& frame_of_reference_uid) {
  DcmItem& item = add_item(parent, contains, "SCOORD3D", &name);
  std::array<float, 18> ends{};  // two ends of each of the three axes
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (std::size_t end = 0; end < 2; ++end)
      for (std::size_t k = 0; k < 3; ++k)
        ends[6 * axis + 3 * end + k] = static_cast<float>(k == axis ? box[k + 3 * end] : (box[k] + box[k + 3]) / 2);
  parts::put_float(item, DCM_GraphicData, ends);
  parts::put(item, DCM_GraphicType, "ELLIPSOID");
  parts::put(item, DCM_ReferencedFrameOfReferenceUID, frame_of_reference_uid);
  return item;
}

}  // namespace penta::io::dicom::tree
