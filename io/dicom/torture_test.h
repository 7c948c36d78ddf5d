#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/points.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {

/// For tests: geometry that breaks readers, made with DCMTK alone, so that the truth is not our writers'.
/// Every voxel of a set holds a whole number of its own (after the rescale), and `truth` says where it lies.
enum class Torture {
  plain,             ///< CT, one file a slice, shuffled file names, instance numbers counting down
  tilt,              ///< CT, a gantry tilted by 15 degrees
  negative,          ///< MR, slices stored against the normal, Spacing Between Slices negative
  uneven,            ///< CT, distances of 3, 2, 4.5, 3, 7 ... mm
  missing,           ///< CT, the fifth of ten slices is not there
  duplicate,         ///< MR, one instance stored twice
  localiser,         ///< MR, three pictures of another orientation in the same series
  time,              ///< MR, three volumes told apart by Temporal Position Identifier
  echo,              ///< MR, two volumes told apart by Echo Time, written slice by slice
  pet,               ///< PET, another rescale slope in each slice
  nuclear,           ///< NM RECON TOMO, one position and a negative Spacing Between Slices
  enhanced,          ///< Enhanced MR, frames shuffled, Dimension Index Values in the order of space
  enhanced_against,  ///< Enhanced CT, frames against the normal
  enhanced_tilt,     ///< Enhanced CT of a tilted gantry
  enhanced_uneven,   ///< Enhanced MR with uneven distances
  enhanced_time,     ///< Enhanced MR, three volumes in one file, time running fastest
  split,             ///< Enhanced MR, one volume in three files of 4, 3 and 3 interleaved frames (a concatenation)
  split_time,        ///< Enhanced MR, one file a time
};
inline constexpr int torture_kinds = 18, torture_orientations = 12;

enum class TortureForm { volumes, stack };

struct TortureFile {
  std::string name;
  std::vector<std::byte> bytes;
};

/// Where a voxel's value says that it lies; `volume` counts times or echoes from 0.
struct TorturePlace {
  PatientPoint at;
  int volume = 0;
};

struct TortureSet {
  std::string name;  ///< "tilt_03"
  Torture kind{};
  std::vector<TortureFile> files;
  std::map<long, TorturePlace> truth;  ///< by voxel value
  TortureForm form = TortureForm::volumes;
  std::size_t volumes = 1, series = 1;
  double slice_mm = 3;
};

[[nodiscard]] std::string_view torture_name(Torture kind);
/// `orientation` counts from 0: three of axial, two each of coronal and sagittal, one of swapped rows and columns, and
/// four oblique ones. The same call gives the same bytes.
[[nodiscard]] TortureSet make_torture(Torture kind, int orientation);

}  // namespace penta::io::dicom
