#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/acquisition.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// A PDF as Encapsulated PDF (PS3.3 A.45.1) in the study of `source`, a new series of modality DOC, as part-10 bytes.
/// Source Instance Sequence names the instances of `source` once each. Throws Error{bad_input} for what is no PDF.
[[nodiscard]] std::vector<std::byte> write_encapsulated_pdf(std::span<const std::byte> pdf, const std::string& title,
                                                            const Acquisition& source, const Provenance& provenance);

}  // namespace penta::io::dicom
