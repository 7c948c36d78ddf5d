#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/dicom/internal.h"
#include "io/dicom/web.h"

class DcmElement;

/// Inside io/dicom only: the parts of web.h.
namespace penta::io::dicom {

/// The data set as DICOM JSON, with its pixel data as a BulkDataURI.
[[nodiscard]] std::string dicom_json(const Object& object);
/// The value's bytes in little endian. Throws Error{bad_input} that names the tag.
[[nodiscard]] std::vector<std::byte> little_endian_bytes(DcmElement& element);
/// A JSON text with its quotes; what is no UTF-8 becomes U+FFFD.
void append_json_text(std::string& json, std::string_view text);
/// The number as JSON, as it was written where that is JSON too; false where it is none.
[[nodiscard]] bool append_json_number(std::string& json, std::string_view decimal, bool whole);

}  // namespace penta::io::dicom
