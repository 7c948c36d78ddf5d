#pragma once

#include <vector>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

/// Instances that belong together. The slices of an instance may be a part of its frames: the others are in another
/// group.
using Group = std::vector<Instance>;

/// All slices, each with its instance's place in the group.
[[nodiscard]] std::vector<Slice> slices_of(const Group& group);
/// What can be read as one: parts of one orientation and pixel size, of one kind of image (magnitude or phase, water or
/// fat) where kinds repeat at the same places, of one acquisition of a CT, of one stack (0020,9056) where stacks do not
/// make one volume together.
[[nodiscard]] std::vector<Group> split(Group group);

}  // namespace penta::io::dicom
