#pragma once

#include "io/dicom/internal.h"

namespace penta::io::dicom {

/// Which mapping of stored values counts, where a file gives both a rescale and Real World Values (0040,9096):
/// the rescale where it has a unit (HU of CT, the Units of PET); else the first mapping whose Measurement Units are a
/// UCUM code other than 1 ("no units"). A remark says when a mapping replaced the rescale, and when one was left out.
/// `holder` is the data set or functional group that has the sequence; may be null. Call once a slice.
void apply_real_world(DcmItem* holder, Instance& instance, Slice& slice);

}  // namespace penta::io::dicom
