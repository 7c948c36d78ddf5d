#pragma once

#include "core/label_map.h"
#include "core/picture.h"
#include "core/results.h"
#include "render/draw.h"
#include "render/text.h"
#include "render/view.h"

namespace penta::render {

struct LabelStyle {
  double alpha = 0.3;  ///< of the filling; 0: only outlines
  bool outline = true;
};

/// Every layer's segments in the colours of the table over a picture of `view`. `frame` is the slice of planar labels.
void draw_labels(Picture& picture, const LabelMap& labels, const View& view, LabelStyle style = {},
                 std::int64_t frame = 0);

/// Box and label of a finding that this slice (or projection, or frame `frame`) meets; returns whether it did.
bool draw_finding(Picture& picture, const Finding& finding, const View& view, const Text& text, std::int64_t frame = 0,
                  const Stroke& stroke = {});

/// R, L, A, P, S, I in the middle of the edges, where the view knows them.
void draw_letters(Picture& picture, const View& view, const Text& text);
/// A bar of 1, 2, 5, 10, 20, 50 or 100 mm (at most a third of the width) at the bottom right; nothing where there is no
/// mm.
void draw_scale_bar(Picture& picture, const View& view, const Text& text);
/// SYNTHETIC in the top left corner, with or without fonts: every picture of a synthetic image must bear it.
void stamp_synthetic(Picture& picture, const Text& text);

}  // namespace penta::render
