#pragma once

#include <optional>

#include "core/points.h"
#include "io/dicom/internal.h"

namespace penta::io::dicom {

/// Nothing where the picture is not a mosaic, or where the header does not say how many tiles it has.
[[nodiscard]] std::optional<Mosaic> mosaic_of(DcmItem& data);
/// The layout of one tile; frames counts the tiles of all frames. Nothing where the tiles do not divide the picture.
[[nodiscard]] std::optional<Layout> tile_layout(const Layout& picture, const Mosaic& mosaic);
/// Slices of a mosaic instance; `first` describes the picture, `tile` is the layout of one slice. (0020,0032) is that of
/// the whole picture's corner, as if the slice were as large as the mosaic.
[[nodiscard]] std::vector<Slice> tile_slices(const Slice& first, const Mosaic& mosaic, const Layout& picture,
                                             const Layout& tile, std::vector<Remark>& faults);

}  // namespace penta::io::dicom
