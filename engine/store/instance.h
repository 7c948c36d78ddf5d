#pragma once

#include "io/dicom/web.h"

namespace penta::engine {

/// A range of bytes of a stored file: one frame of native pixel data, or one fragment of an encapsulated frame.
using ByteRange = io::dicom::FileRange;

/// What the archive knows of one DICOM instance. What came from outside is read by a worker (io::dicom::web_index).
using InstanceIndex = io::dicom::WebIndex;

}  // namespace penta::engine
