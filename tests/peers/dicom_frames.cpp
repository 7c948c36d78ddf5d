// Decoded frames of one DICOM file as they are stored, for dicom_pixels.py: dicom_frames FILE OUT.
// OUT: a line 'columns rows frames samples type', then the samples.
#include <fstream>
#include <iostream>
#include <span>

#include "io/dicom/internal.h"

namespace {

using namespace penta;

void write_frames(const io::dicom::Frames& frames, std::ofstream& out) {
  const io::dicom::Layout& layout = frames.layout();
  const bool colour = layout.samples == 3, real = layout.is_real() || layout.is_double();
  out << layout.columns << ' ' << layout.rows << ' ' << layout.frames << ' ' << layout.samples << ' '
      << (colour ? "u1" : real ? "<f4" : "<i4") << '\n';
  const auto pixels = static_cast<std::size_t>(layout.pixels());
  const auto put = [&](auto span) {
    const auto bytes = std::as_bytes(span);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  std::vector<std::int32_t> whole(pixels);
  std::vector<float> values(pixels);
  for (std::int64_t frame = 0; frame < layout.frames; ++frame) {
    if (colour) put(std::span<const Rgb8>(frames.colour(frame)));
    else if (real) frames.real(frame, values), put(std::span<const float>(values));
    else frames.stored(frame, whole), put(std::span<const std::int32_t>(whole));
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  try {
    const io::dicom::Object object = io::dicom::load({words[1], words[1]}, true);
    std::ofstream out(words[2], std::ios::binary);
    write_frames(io::dicom::Frames(object), out);
    return out ? 0 : 9;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
}
