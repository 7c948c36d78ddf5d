#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penta::io::dicom::j2k {

/// Coefficients of a picture of so many columns and rows, low halves before high ones at each of `levels` levels, row
/// by row.
struct Plane {
  std::size_t columns = 0, rows = 0;
  std::vector<std::int32_t> samples, other;  ///< `other` is room to work in, as large
};

/// Undoes the reversible 5/3 transform (ITU-T T.800, F.3.8.1; of a picture that begins at 0, 0). The answer is in
/// `samples`. Wraps around where a broken stream makes numbers too large.
void undo_wavelet(Plane& plane, int levels);

}  // namespace penta::io::dicom::j2k
