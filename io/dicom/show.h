#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/picture.h"

namespace penta::io::dicom {

/// How values become grey (PS3.3 C.11.2): a window with one of its functions, or a table.
struct Voi {
  enum class Kind { none, linear, linear_exact, sigmoid, table } kind = Kind::none;
  double centre = 0, width = 0;
  std::int64_t first = 0;      ///< of a table: the value of the first entry
  std::vector<float> entries;  ///< of a table: 0 (black) to 1 (white); values outside it get its ends

  /// 0 (black) to 1 (white); NaN is black.
  [[nodiscard]] double grey(double value) const noexcept;
};

/// One frame as it is stored (row 0 on top, nothing turned), and how its maker wants it to be looked at.
struct ShownFrame {
  std::int64_t width = 0, height = 0;
  /// Grey values behind the modality's rescale or table (PS3.3 C.11.1), or colours.
  std::variant<std::vector<float>, std::vector<Rgb8>> pixels;
  Voi voi;                 ///< the first one that the file names for this frame
  bool inverted = false;   ///< MONOCHROME1: the least value is white
  bool synthetic = false;  ///< Synthetic Data (0008,001C)
  int bits = 0;            ///< that a value was stored in; 0 where that is no whole number
  bool rescaled = false;   ///< whether the values are others than the stored ones
  std::string modality, rescale_type;
};

/// The frames of one file by their number in it, whatever order a volume made of them would have.
class ShownFile {
 public:
  /// Throws Error{bad_input}: no PS3.10 file, no pixel data, pixels that are not read.
  explicit ShownFile(const std::filesystem::path& path);
  ~ShownFile();
  /// `frame` from 1. Throws Error{nothing_to_do} for one that is not there, Error{bad_input} for one that cannot be read.
  [[nodiscard]] ShownFrame frame(std::int64_t frame) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace penta::io::dicom
