#include "io/foreign.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <vector>

#include "io/nifti/gzip.h"

namespace penta::io {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Magic {
  std::string_view name, start;
};
constexpr std::array magics{
    Magic{"MINC-1 (NetCDF)", std::string_view("CDF\1", 4)},
    Magic{"MINC-1 (NetCDF)", std::string_view("CDF\2", 4)},
    Magic{"Philips PAR/REC", "# === DATA DESCRIPTION FILE"},
    Magic{"ECAT 7", "MATRIX7"},
    Magic{"JPEG XL", std::string_view("\0\0\0\x0CJXL ", 8)},
};

/// FreeSurfer's MGH has no magic: version 1, four sizes, a type of five, big-endian.
bool is_mgh(std::span<const std::byte> head) noexcept {
  if (head.size() < 24) return false;
  const auto field = [&](std::size_t i) {
    std::uint32_t value = 0;
    for (std::size_t k = 0; k < 4; ++k) value = value << 8 | std::to_integer<std::uint32_t>(head[4 * i + k]);
    return value;
  };
  for (std::size_t i = 1; i < 5; ++i)
    if (field(i) < 1 || field(i) > 1U << 20U) return false;
  constexpr std::array<std::uint32_t, 5> types{0, 1, 3, 4, 10};
  return field(0) == 1 && std::find(types.begin(), types.end(), field(5)) != types.end();
}

bool is_afni(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || !text.substr(first).starts_with("type")) return false;
  const std::string_view line = text.substr(first, 80);
  return line.find("-attribute") != std::string_view::npos && line.find("name") != std::string_view::npos;
}

}  // namespace

std::string_view foreign_format(std::span<const std::byte> head) noexcept {
  const std::string_view text = text_of(head);
  for (const Magic& magic : magics)
    if (text.starts_with(magic.start)) return magic.name;
  if (text.starts_with("\x89HDF\r\n\x1A\n") && text.substr(0, 4096).find("minc-2.0") != std::string_view::npos)
    return "MINC-2";
  if (is_afni(text.substr(0, 256))) return "AFNI (.HEAD and .BRIK)";
  if (text.substr(0, 512).find("<GIFTI") != std::string_view::npos) return "GIFTI, a surface";
  if (is_mgh(head)) return "FreeSurfer MGH";
  if (!nifti::is_gzip(head)) return {};
  try {
    return is_mgh(nifti::gunzip_head(head, 64)) ? "FreeSurfer MGZ" : std::string_view();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace penta::io
