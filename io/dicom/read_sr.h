#pragma once

#include "core/structured_report.h"
#include "io/dicom/internal.h"

namespace penta::io::dicom {

/// A structured report (PS3.3 A.35): Basic Text, Enhanced, Comprehensive, Comprehensive 3D, Extensible. With the
/// template TID 1500 all its groups; of another report its numbers by the container that holds them, its codes and
/// texts, and a remark that says so. Throws Error{bad_input} where there is no content tree.
[[nodiscard]] StructuredReport read_report(const Object& object, std::vector<Remark>& faults);

}  // namespace penta::io::dicom
