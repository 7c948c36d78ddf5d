#pragma once

#include <vector>

#include "core/image.h"
#include "io/dicom/internal.h"

/// Frames decoded to where they belong; used by read.cpp only. All throw Error{bad_input} that names the file.
namespace penta::io::dicom {

/// One volume a stack: int16, uint16 or int32, the first that holds all values exactly, else float32.
[[nodiscard]] VolumeSequence read_volumes(const std::vector<Instance>& instances, const Arrangement& arrangement);
[[nodiscard]] SliceStack read_stack(const std::vector<Instance>& instances, const Arrangement& arrangement);
[[nodiscard]] FrameSequence read_pictures(const std::vector<Instance>& instances, const Arrangement& arrangement);

/// Gives each frame of `image` the regions of its own file: the depth may change from one to the next.
void add_regions(const std::vector<Instance>& instances, const Arrangement& arrangement, Image& image);
void say_monochrome1(const Instance& instance, std::vector<Remark>& remarks);

}  // namespace penta::io::dicom
