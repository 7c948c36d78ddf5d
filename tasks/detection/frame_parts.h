#pragma once

#include <string>

#include "nn/bundle.h"
#include "tasks/method.h"

namespace penta {

/// What is looked for in the frames of a picture: a class of a label network.
struct FrameParts {
  std::string bundle;      ///< id of the label network's bundle (2-D)
  std::int64_t label = 1;  ///< value in its label map
  std::string name;        ///< what a finding is called
  CodedConcept code;
};

/// The 4-connected parts of one label in every frame of the input "image" as artefact "findings", the highest score
/// first. The labels are those that the bundle's segmentation gives. Score: mean probability of the label over the part,
/// logits interpolated to the frame. Box and centre in pixel coordinates (integers at pixel centres; the box from outer
/// face to outer face). Parameters: share_min (of the frame's pixels), score_min, most (a frame).
/// Throws Error{bad_input} where the image has no frame, Error{model_missing}.
[[nodiscard]] Answer find_frame_parts(const nn::ModelStore& models, const FrameParts& what, const Request& request);

}  // namespace penta
