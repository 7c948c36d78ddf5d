#include "io/dicom/keyword.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctag.h>

namespace penta::io::dicom {

std::optional<std::uint32_t> tag_of_keyword(std::string_view keyword) {
  // DCMTK also takes "gggg,eeee" here, which is no keyword.
  if (keyword.empty() || keyword.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") !=
                             std::string_view::npos)
    return {};
  DcmTag tag;
  if (DcmTag::findTagFromName(std::string(keyword).c_str(), tag).bad()) return {};
  return (std::uint32_t{tag.getGroup()} << 16U) | tag.getElement();
}

}  // namespace penta::io::dicom
