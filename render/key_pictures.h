#pragma once

#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "core/raw_data.h"
#include "render/montage.h"
#include "render/overlay.h"
#include "render/slice.h"

namespace penta::render {

struct KeyPicture {
  enum class Kind { slice, projection, frame, camera_view, stack_slice };
  Picture picture;
  Kind kind = Kind::slice;
  Plane plane = Plane::axial;  ///< of a slice or a projection
  std::int64_t number = 0;     ///< 1-based slice (from the first along its axis), frame or camera view
  std::int64_t count = 0;      ///< of how many
  std::string window{};        ///< Window::name
  std::string caption{};       ///< in English: "axial 45 / 120, lung"
};

struct KeyPictureStyle {
  ViewSize size{};
  LabelStyle labels{};
  int frames_max = 4;       ///< frames, camera views and slices of a stack: this many, evenly spaced
  bool all_windows = true;  ///< CT: the axial slice in every window, not only in the first
  bool letters = true;      ///< false where left and right are not known (remark orientation_unknown)
  bool scale_bar = true;
};

/// What to show of an image: volumes axial, coronal and sagittal (through what is labelled, else through the middle) in
/// the usual window, CT's axial slice in the others too; PET and SPECT coronal and sagittal projections first; frames,
/// stacks and camera views evenly spaced. Of several volumes the middle one. `labels` (may be null) are laid over,
/// findings drawn where they are met. A synthetic image's pictures are stamped.
[[nodiscard]] std::vector<KeyPicture> key_pictures(const Image& image, const LabelMap* labels, const Findings& findings,
                                                   const Text& text, const KeyPictureStyle& style = {});
/// The first layer's camera views, evenly spaced over the orbit.
[[nodiscard]] std::vector<KeyPicture> key_pictures(const RawData& raw, const Text& text,
                                                   const KeyPictureStyle& style = {});

/// A sheet of `count` axial slices (those that are labelled, where labels are given) in the first window, captions
/// below. Throws Error{bad_input} on an image without a volume.
[[nodiscard]] Picture axial_montage(const Image& image, const LabelMap* labels, const Text& text, int count = 12,
                                    ViewSize size = {.longest_px = 220, .zoom_max = 8});

}  // namespace penta::render
