#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/coded.h"
#include "core/image.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// What the values of a parametric map measure, and how they came to be.
struct MappedQuantity {
  CodedConcept code;          ///< such as (113041, DCM, "Apparent Diffusion Coefficient"); empty: not said
  std::string label;          ///< short, for people; empty: the code's meaning
  CodedConcept derivation{};  ///< PS3.16 CID 7203; empty: (112187, DCM, "Unspecified method of calculation")
};

/// A Parametric Map (PS3.3 A.75, C.8.32) as part-10 bytes: the one volume of `map` as Float Pixel Data (7FE0,0008), one
/// frame a slice, its values as they are (slope 1), with map.unit as UCUM code and the quantity's code. Frames refer to
/// the instances of `source` that lie in their planes.
/// Throws Error{bad_input} where the map is no single volume of real numbers, or has 4 GiB of values or more.
[[nodiscard]] std::vector<std::byte> write_parametric_map(const Image& map, const MappedQuantity& quantity,
                                                          const Image& source, const Provenance& provenance);

/// SOP Instance UID that write_parametric_map gives with this provenance.
[[nodiscard]] std::string parametric_map_instance_uid(const Provenance& provenance);

}  // namespace penta::io::dicom
