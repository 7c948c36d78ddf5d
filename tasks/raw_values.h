#pragma once

#include <array>
#include <vector>

#include "tasks/slices.h"

namespace penta {

/// Whether raw values are Hounsfield units: of the finite ones at least 2 % lie in -1100..-700 (air), at least 10 % in
/// -200..200 (soft tissue and fat), and fewer in between than in either. The twin of in_hounsfield_units() of
/// train/recognition.py.
[[nodiscard]] bool in_hounsfield_units(const std::vector<CutSlice>& slices) noexcept;

/// Of a slice in HU the share of lung-like pixels (-950..-600) that have body on all four sides, of those and the body,
/// which is the largest part above -250 HU (a table is none of it); 0 where there is neither. The twin of lung_share() of
/// train/recognition.py.
[[nodiscard]] double lung_share(const CutSlice& slice);

/// Of a CT slice the largest part that bone (`bone_min` and more) parts from the air (`body_min` and less) at the picture's
/// edge, as a share of the body; 0 where no air is at the edge, or where the part holds less than half of the middle third
/// of the body's box (lungs in a window that shows the chest's wall as bone). A skull shuts in most of a head, and no other
/// bone so much. The twin of bone_ring() of train/recognition.py.
[[nodiscard]] double bone_ring(const CutSlice& slice, float bone_min, float body_min);

/// Flat ground at the highest value of a slice (3 x 3 pixels of 97 % of the range and more), as a share of what lies above
/// 10 % of the range: what a display window makes of bone, or of the body in a lung window. The twin of clipped_share()
/// of train/recognition.py.
[[nodiscard]] double clipped_share(const CutSlice& slice);

/// How far a grey picture (0..255) shows tissue (above 16) up to its edges: the least of its upper twentieth and of the
/// upper halves of its left and right twenty-eighths, after the cut to its content. The twin of edges_filled() of
/// train/recognition.py.
[[nodiscard]] double edges_filled(const CutSlice& grey);

/// Pixels whose channels differ by 16 of 255 and more, over up to nine frames; 0 where frames are grey. The twin of
/// colour_share() of train/recognition.py.
[[nodiscard]] double colour_share(const FrameSequence& frames);

/// Whether a voxel is a cube to 10 %. SPECT's are: axial and transaxial pixels are the same pixels of the detector
/// (a PET's slice distance comes from its rings).
[[nodiscard]] bool is_cube(const std::array<double, 3>& spacing_mm) noexcept;

}  // namespace penta
