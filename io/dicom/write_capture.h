#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/picture.h"
#include "io/dicom/write_image.h"

namespace penta::io::dicom {

/// What is written of pictures for people.
struct Capture {
  std::string series_description{};  ///< empty: the method
  std::string description{};         ///< what the pictures show; empty: the method and its version
  /// False only where it is certain that no text was drawn that could identify somebody: Burned In Annotation (0028,0301).
  bool burned_in = true;
};

/// Rendered pictures as Multi-frame Secondary Capture (PS3.3 A.8.3, A.8.5) in the study of `source`, a new series of
/// modality OT: one instance for each run of pictures of one size; grey bytes where no pixel has a colour, else RGB.
/// Derivation Description says what they are and 'research use, not a medical device'; Source Image Sequence names the
/// instances of `source`. A synthetic source is marked as write_derived_image does, but the label in the pixels is the
/// renderer's. Throws Error{bad_input}: no picture, an empty one, or one of more than 65535 rows or columns.
[[nodiscard]] std::vector<WrittenInstance> write_secondary_capture(std::span<const Picture> pictures,
                                                                   const Acquisition& source, const Capture& capture,
                                                                   const Provenance& provenance);

}  // namespace penta::io::dicom
