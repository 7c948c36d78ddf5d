#include "io/dicom/jpeg2000_wavelet.h"

#include <algorithm>

namespace penta::io::dicom::j2k {

namespace {

std::int32_t add(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
// F.3.8.1.1: the sample at an even place, from the high ones beside it, and at an odd place.
std::int32_t even(std::int32_t low, std::int32_t before, std::int32_t after) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(low) -
                                   static_cast<std::uint32_t>(add(add(before, after), 2) >> 2));
}
std::int32_t odd(std::int32_t high, std::int32_t before, std::int32_t after) noexcept {
  return add(high, add(before, after) >> 1);
}

// A row: lows, then highs, become samples; `room` has as many and two more.
void undo_row(std::int32_t* __restrict row, std::int32_t* __restrict room, std::size_t columns) noexcept {
  if (columns < 2) return;
  const std::size_t lows = (columns + 1) / 2, highs = columns / 2;
  const std::int32_t* const high = row + lows;
  std::int32_t* const evens = room;
  std::int32_t* const odds = room + lows + 1;
  evens[0] = even(row[0], high[0], high[0]);
  for (std::size_t i = 1; i < highs; ++i) evens[i] = even(row[i], high[i - 1], high[i]);
  if (lows > highs) evens[highs] = even(row[highs], high[highs - 1], high[highs - 1]);
  else evens[lows] = evens[lows - 1];
  for (std::size_t i = 0; i < highs; ++i) odds[i] = odd(high[i], evens[i], evens[i + 1]);
  for (std::size_t i = 0; i < highs; ++i) row[2 * i] = evens[i], row[2 * i + 1] = odds[i];
  if (lows > highs) row[columns - 1] = evens[lows - 1];
}

// A row at an even or at an odd place from three of the other kinds.
void even_row(std::int32_t* __restrict to, const std::int32_t* low, const std::int32_t* before,
              const std::int32_t* after, std::size_t columns) noexcept {
  for (std::size_t x = 0; x < columns; ++x) to[x] = even(low[x], before[x], after[x]);
}
void odd_row(std::int32_t* __restrict to, const std::int32_t* high, const std::int32_t* before,
             const std::int32_t* after, std::size_t columns) noexcept {
  for (std::size_t x = 0; x < columns; ++x) to[x] = odd(high[x], before[x], after[x]);
}

// Columns: rows of lows, then of highs, become rows of samples, elsewhere.
void undo_columns(const std::int32_t* from, std::int32_t* to, std::size_t stride, std::size_t columns,
                  std::size_t rows) noexcept {
  const std::size_t lows = (rows + 1) / 2, highs = rows / 2;
  if (highs == 0) {
    std::copy_n(from, columns, to);
    return;
  }
  const std::int32_t* const high = from + lows * stride;
  for (std::size_t i = 0; i < lows; ++i) {
    const std::int32_t* before = high + (i == 0 ? 0 : i - 1) * stride;
    const std::int32_t* after = high + std::min(i, highs - 1) * stride;
    even_row(to + 2 * i * stride, from + i * stride, before, after, columns);
    if (i == 0) continue;
    std::int32_t* const between = to + (2 * i - 1) * stride;
    odd_row(between, high + (i - 1) * stride, between - stride, between + stride, columns);
  }
  if (highs == lows) {
    const std::int32_t* last = to + (rows - 2) * stride;
    odd_row(to + (rows - 1) * stride, high + (highs - 1) * stride, last, last, columns);
  }
}

}  // namespace

void undo_wavelet(Plane& plane, int levels) {
  std::vector<std::int32_t> room(plane.columns + 2);
  for (int level = levels - 1; level >= 0; --level) {
    const std::size_t round = (std::size_t{1} << level) - 1;
    const std::size_t columns = (plane.columns + round) >> level, rows = (plane.rows + round) >> level;
    for (std::size_t y = 0; y < rows; ++y) undo_row(plane.samples.data() + y * plane.columns, room.data(), columns);
    undo_columns(plane.samples.data(), plane.other.data(), plane.columns, columns, rows);
    if (level == 0) {
      std::swap(plane.samples, plane.other);
      continue;
    }
    for (std::size_t y = 0; y < rows; ++y)
      std::copy_n(plane.other.data() + y * plane.columns, columns, plane.samples.data() + y * plane.columns);
  }
}

}  // namespace penta::io::dicom::j2k
