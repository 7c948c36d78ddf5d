#pragma once

#include <string>

namespace penta::io::dicom {

/// What made a written instance, and what its UIDs come from. Two objects of one job (a SEG and the SR that points
/// to it) are given the same Provenance.
struct Provenance {
  std::string method, method_version, software_version;
  std::string uid_seed;       ///< every UID is uid_from(uid_seed + creation_time + purpose + index)
  std::string creation_time;  ///< YYYYMMDDHHMMSS, UTC
  bool deidentified = false;  ///< name, birth date and the like left empty, id 'ANON-' and 8 hex digits of a hash
};

}  // namespace penta::io::dicom
