#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/coded.h"
#include "core/remark.h"

class DcmItem;

namespace penta::io::dicom {

class Object;

/// What stored values stand for: one item of a Real World Value Mapping Sequence (PS3.3 C.7.6.16.2.11), which maps
/// stored values themselves, past any rescale.
struct RealWorld {
  double slope = 1, intercept = 0;
  bool is_table = false;  ///< a lookup table instead of slope and intercept
  std::string unit;       ///< code of Measurement Units, as UCUM
  CodedConcept quantity;  ///< of the Quantity Definition Sequence; empty when not said
  std::string label;
  int others = 0;  ///< further mappings of the same frame, which are not used

  friend bool operator==(const RealWorld&, const RealWorld&) = default;
};

/// The first Real World Value Mapping of a functional group, or of a data set. Nothing where there is none.
[[nodiscard]] std::optional<RealWorld> real_world(DcmItem& groups);

/// Says by how much 64-bit values of an instance were rounded to become float32. Nothing where they were not.
[[nodiscard]] std::optional<Remark> double_loss(const Object& object);

}  // namespace penta::io::dicom
