#include "io/dicom/write_cielab.h"

#include <algorithm>
#include <cmath>

#include "core/points.h"

namespace penta::io::dicom {

namespace {

// Linear sRGB to XYZ of illuminant D50, Bradford-adapted (ICC sRGB profile), and its inverse.
constexpr Matrix3 to_xyz{
    {{0.4360747, 0.3850649, 0.1430804}, {0.2225045, 0.7168786, 0.0606169}, {0.0139322, 0.0971045, 0.7141733}}};
constexpr Matrix3 to_rgb{
    {{3.1338561, -1.6168667, -0.4906146}, {-0.9787684, 1.9161415, 0.0334540}, {0.0719453, -0.2289914, 1.4052427}}};
constexpr Vector3 white{0.96422, 1.0, 0.82521};

double linear(double c) noexcept { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); }
double encoded(double c) noexcept { return c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055; }

// CIE 15:2004, equation 8.6 and its inverse.
double lab_f(double t) noexcept { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; }
double lab_inverse(double f) noexcept { return f > 6.0 / 29 ? f * f * f : (116 * f - 16) * 27 / 24389; }

std::uint16_t coded(double fraction) noexcept {
  return static_cast<std::uint16_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * 65535));
}

}  // namespace

std::array<std::uint16_t, 3> cielab_from_rgb(const std::array<std::uint8_t, 3>& rgb) noexcept {
  const Vector3 light{linear(rgb[0] / 255.0), linear(rgb[1] / 255.0), linear(rgb[2] / 255.0)};
  Vector3 f{};
  for (std::size_t k = 0; k < 3; ++k) f[k] = lab_f(dot(to_xyz[k], light) / white[k]);
  return {coded((116 * f[1] - 16) / 100), coded((500 * (f[0] - f[1]) + 128) / 255),
          coded((200 * (f[1] - f[2]) + 128) / 255)};
}

std::array<std::uint8_t, 3> rgb_from_cielab(const std::array<std::uint16_t, 3>& lab) noexcept {
  const double y = (lab[0] / 65535.0 * 100 + 16) / 116;
  const Vector3 f{y + (lab[1] / 65535.0 * 255 - 128) / 500, y, y - (lab[2] / 65535.0 * 255 - 128) / 200};
  Vector3 xyz{};
  for (std::size_t k = 0; k < 3; ++k) xyz[k] = lab_inverse(f[k]) * white[k];
  std::array<std::uint8_t, 3> rgb{};
  for (std::size_t k = 0; k < 3; ++k)
    rgb[k] = static_cast<std::uint8_t>(std::lround(std::clamp(encoded(dot(to_rgb[k], xyz)), 0.0, 1.0) * 255));
  return rgb;
}

}  // namespace penta::io::dicom
