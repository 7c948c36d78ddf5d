#include "core/volume.h"

#include <algorithm>

#include "core/error.h"

namespace penta {

namespace {

template <class T>
float as_float(const T& value) {
  if constexpr (std::is_same_v<T, Rgb8>)
    return 0.299F * static_cast<float>(value.red) + 0.587F * static_cast<float>(value.green) +
           0.114F * static_cast<float>(value.blue);
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    return value.real();
  else
    return static_cast<float>(value);
}

}  // namespace

const Grid& grid_of(const AnyVolume& volume) noexcept {
  return std::visit([](const auto& v) -> const Grid& { return v.grid(); }, volume);
}

AnyVolume clone(const AnyVolume& volume) {
  return std::visit([](const auto& v) { return AnyVolume(v.clone()); }, volume);
}

Volume<float> to_float(const AnyVolume& volume) {
  if (std::holds_alternative<Volume<std::complex<float>>>(volume))
    throw Error(Code::bad_input, "complex voxels have no single real value");
  return std::visit(
      [](const auto& v) {
        Volume<float> out(v.grid());
        std::transform(v.voxels().begin(), v.voxels().end(), out.voxels().begin(),
                       [](const auto& value) { return as_float(value); });
        return out;
      },
      volume);
}

}  // namespace penta
