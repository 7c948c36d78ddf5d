#include "core/error.h"
#include "io/dicom/read_seg_parts.h"
#include "io/dicom/write_cielab.h"
#include "io/dicom/write_seg.h"

namespace penta::io::dicom::seg {

namespace {

constexpr Tag segment_sequence{0x0062, 0x0002}, category{0x0062, 0x0003}, segment_number{0x0062, 0x0004},
    label{0x0062, 0x0005}, description{0x0062, 0x0006}, colour{0x0062, 0x000D}, type{0x0062, 0x000F},
    type_modifier{0x0062, 0x0011}, region{0x0008, 0x2218}, region_modifier{0x0008, 0x2220}, scheme{0x0008, 0x0102},
    long_value{0x0008, 0x0119};

CodedConcept code_in(DcmItem* item) {
  if (item == nullptr) return {};
  std::string value = text(*item, tag::code_value);
  if (value.empty()) value = text(*item, long_value);
  return {text(*item, scheme), value, text(*item, tag::code_meaning)};
}

DcmItem* inside(DcmItem* item, Tag sequence) { return item == nullptr ? nullptr : first_item(*item, sequence); }

// Left and Right in SNOMED CT and in its retired SRT form.
Side side_of(const CodedConcept& code) {
  if (code.value == "7771000" || code.value == "G-A101") return Side::left;
  if (code.value == "24028007" || code.value == "G-A100") return Side::right;
  return Side::none;
}

Side side_in(DcmItem& row, DcmItem* property) {
  const Side of_type = side_of(code_in(inside(property, type_modifier)));
  if (of_type != Side::none) return of_type;
  return side_of(code_in(inside(first_item(row, region), region_modifier)));
}

Segment segment_in(DcmItem& row) {
  const auto number = integer(row, segment_number);
  if (!number || *number < 0 || *number > 65535)
    throw Error(Code::bad_input, "a segment without a Segment Number (0062,0004) from 0 to 65535");
  Segment segment;
  segment.value = *number;
  segment.name = text(row, label);
  segment.category = code_in(first_item(row, category));
  DcmItem* property = first_item(row, type);
  if (text(row, description) != no_type_code_text) segment.type = code_in(property);
  segment.side = side_in(row, property);
  const auto lab = words16(row, colour);
  segment.colour = lab.size() == 3 ? rgb_from_cielab({lab[0], lab[1], lab[2]}) : label_colour(segment.value);
  return segment;
}

}  // namespace

std::vector<Segment> segments_in(DcmItem& data) {
  std::vector<Segment> segments;
  std::vector<bool> known(65536, false);
  for (DcmItem* row : items(data, segment_sequence)) {
    segments.push_back(segment_in(*row));
    const auto number = static_cast<std::size_t>(segments.back().value);
    if (known[number])
      throw Error(Code::bad_input, "two segments have the Segment Number (0062,0004) " + std::to_string(number));
    known[number] = true;
  }
  if (segments.empty()) throw Error(Code::bad_input, "there is no Segment Sequence (0062,0002)");
  return segments;
}

}  // namespace penta::io::dicom::seg
