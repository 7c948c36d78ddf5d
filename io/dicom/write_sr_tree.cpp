#include "io/dicom/write_sr_tree.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <array>
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

DcmItem& add_number(DcmItem& parent, const CodedConcept& name, double value, const CodedConcept& unit) {
  DcmItem& item = add_item(parent, contains, "NUM", &name);
  DcmItem& measured = parts::add_item(item, DCM_MeasuredValueSequence);
  parts::put_decimal(measured, DCM_NumericValue, value);
  parts::put_double(measured, DCM_FloatingPointValue, value);
  parts::add_code(measured, DCM_MeasurementUnitsCodeSequence, unit);
  return item;
}

DcmItem& add_image(DcmItem& parent, std::string_view relation, const CodedConcept* name, const SourceInstance& instance,
                   const std::vector<int>& segments) {
  DcmItem& item = add_item(parent, relation, "IMAGE", name);
  parts::add_reference(item, DCM_ReferencedSOPSequence, instance);
  if (segments.empty()) return item;
  DcmItem* row = nullptr;
  item.findOrCreateSequenceItem(DCM_ReferencedSOPSequence, row, 0);
  std::vector<std::uint16_t> numbers;
  for (const int segment : segments) numbers.push_back(static_cast<std::uint16_t>(segment));
  parts::put_u16s(*row, DCM_ReferencedSegmentNumber, numbers);
  return item;
}

DcmItem& add_planar(DcmItem& parent, const CodedConcept& name, const PlanarRegion& region) {
  constexpr std::array<const char*, 5> types{"POINT", "MULTIPOINT", "POLYLINE", "CIRCLE", "ELLIPSE"};
  DcmItem& item = add_item(parent, contains, "SCOORD", &name);
  std::vector<float> values;
  for (const auto& point : region.points_px)
    for (const double value : point) values.push_back(static_cast<float>(value));
  parts::put_float(item, DCM_GraphicData, values);
  parts::put(item, DCM_GraphicType, types[static_cast<std::size_t>(region.shape)]);
  add_image(item, selected, nullptr, region.image);
  return item;
}

DcmItem& add_spatial(DcmItem& parent, const CodedConcept& name, const SpatialRegion& region) {
  constexpr std::array<const char*, 6> types{"POINT", "MULTIPOINT", "POLYLINE", "POLYGON", "ELLIPSE", "ELLIPSOID"};
  DcmItem& item = add_item(parent, contains, "SCOORD3D", &name);
  std::vector<float> values;
  for (const PatientPoint& p : region.points_mm)
    for (const double value : {p.x, p.y, p.z}) values.push_back(static_cast<float>(value));
  parts::put_float(item, DCM_GraphicData, values);
  parts::put(item, DCM_GraphicType, types[static_cast<std::size_t>(region.shape)]);
  parts::put(item, DCM_ReferencedFrameOfReferenceUID, region.frame_of_reference_uid);
  return item;
}

}  // namespace penta::io::dicom::tree
