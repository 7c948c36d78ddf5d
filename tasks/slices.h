#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/raw_data.h"
#include "core/results.h"
#include "nn/judge.h"

namespace penta {

/// One picture cut from an image: a volume of one slice, one pixel a unit, and where it was cut.
struct CutSlice {
  Volume<float> picture;
  int axis = 2;           ///< index axis of the volume that it was cut across
  std::int64_t place = 0; ///< slice along that axis, frame of a cine, view of projections
};

/// The slice of a volume at `place` of index axis `axis`: the two other axes are columns (the lower one) and rows.
/// Complex voxels give their magnitude, colour its luma.
[[nodiscard]] Volume<float> cut(const AnyVolume& volume, int axis, std::int64_t place);

/// An axial picture as it is hung: columns to the patient's left, rows to the back. `columns` and `rows` are the patient
/// directions (LPS) in which x and y of the picture grow; a picture that is not axial stays as it is.
[[nodiscard]] Volume<float> upright(const Volume<float>& picture, const Vector3& columns, const Vector3& rows);

/// The pictures that stand for an image: of a volume the slices at 0.3, 0.5 and 0.7 of each axis (of a sequence those of
/// the middle volume), without slices of fewer than 16 rows or columns or of one value; of frames, slices and
/// views up to nine, evenly spread. The same rule as slices_of() of train/recognition.py.
[[nodiscard]] std::vector<CutSlice> standing_slices(const Image& image);
[[nodiscard]] std::vector<CutSlice> standing_slices(const Projections& projections);

/// Values to 0..255 between two percentiles of the finite ones; what is not finite becomes 0. Changes `picture`.
void to_grey(Volume<float>& picture, double lower_percent = 1, double upper_percent = 99.5);
/// Values to 0..255 between two values, clipped.
void to_grey_window(Volume<float>& picture, double lower, double upper) noexcept;

/// What a network says of several pictures together: the mean of probabilities and of strangeness. Throws
/// Error{bad_input} where there are none.
[[nodiscard]] nn::Judgement judge_together(const nn::ModelStore& models, const nn::Bundle& bundle,
                                           const std::vector<CutSlice>& slices);
/// Labels with their probabilities, the highest first; without probabilities where `calibrated` is false.
[[nodiscard]] Scores scores_of(const std::vector<std::string>& labels, const std::vector<double>& probabilities, bool calibrated);

}  // namespace penta
