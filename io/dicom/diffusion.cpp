#include "io/dicom/diffusion.h"

#include <array>
#include <cmath>
#include <vector>

#include "io/dicom/internal.h"
#include "io/dicom/private.h"

namespace penta::io::dicom {

namespace {

struct Vendor {
  std::uint16_t group;
  const char* creator;
  std::uint8_t element;
  PrivateVr vr;
};

// dcm2niix nii_dicom.cpp (kDiffusion_bValue*, kDiffusionBValue*, kDiffusionDirection*), and the vendors' statements.
constexpr std::array<Vendor, 4> b_values{{{0x0019, "SIEMENS MR HEADER", 0x0C, PrivateVr::text},
                                          {0x2001, "Philips Imaging DD 001", 0x03, PrivateVr::float32},
                                          {0x0043, "GEMS_PARM_01", 0x39, PrivateVr::text},
                                          {0x0065, "Image Private Header", 0x09, PrivateVr::float64}}};
constexpr std::array<Vendor, 2> directions{{{0x0019, "SIEMENS MR HEADER", 0x0E, PrivateVr::float64},
                                            {0x0065, "Image Private Header", 0x37, PrivateVr::float64}}};

std::vector<double> private_of(DcmItem& data, const Vendor& row) {
  const auto tag = private_tag(data, row.group, row.creator, row.element);
  return tag ? private_numbers(data, *tag, row.vr) : std::vector<double>{};
}

std::optional<Vector3> unit_vector(const std::vector<double>& values) {
  if (values.size() != 3) return std::nullopt;
  Vector3 out{values[0], values[1], values[2]};
  const double length = norm(out);
  // A direction of length zero, or of -4096 (Siemens, at b = 0), is none.
  if (!(length > 0.5) || length > 2) return std::nullopt;
  for (double& c : out) c /= length;
  return out;
}

// Philips gives the parts along R-L, A-P and F-H, which are those of patient space.
std::vector<double> philips_direction(DcmItem& data) {
  std::vector<double> out;
  for (const std::uint8_t element : std::array<std::uint8_t, 3>{0xB0, 0xB1, 0xB2}) {
    const auto part = private_of(data, {0x2005, "Philips MR Imaging DD 001", element, PrivateVr::float32});
    if (part.size() != 1) return {};
    out.push_back(part.front());
  }
  return out;
}

void read_private(DcmItem& data, Diffusion& out) {
  for (const Vendor& row : b_values) {
    if (out.b_s_per_mm2) break;
    auto values = private_of(data, row);
    if (values.empty() || !(values.front() >= 0)) continue;
    // GE adds 1e9 to say that the value is of this image ("1000000750\8\0\0" is b = 750).
    if (values.front() >= 1e9) values.front() = std::fmod(values.front(), 1e5);
    if (values.front() < 1e5) out.b_s_per_mm2 = values.front();
  }
  for (const Vendor& row : directions)
    if (!out.gradient) out.gradient = unit_vector(private_of(data, row));
  if (!out.gradient) out.gradient = unit_vector(philips_direction(data));
  if (out.b_s_per_mm2 && out.gradient) return;
  const CsaHeader csa = csa_image_header(data);
  if (const auto b = csa_numbers(csa, "B_value"); !out.b_s_per_mm2 && b.size() == 1 && b.front() >= 0)
    out.b_s_per_mm2 = b.front();
  if (!out.gradient) out.gradient = unit_vector(csa_numbers(csa, "DiffusionGradientDirection"));
}

}  // namespace

Diffusion diffusion_of(DcmItem& data) {
  Diffusion out;
  out.b_s_per_mm2 = number(data, tag::b_value);
  out.gradient = unit_vector(numbers(data, Tag{0x0018, 0x9089}));
  if (!out.b_s_per_mm2 || !out.gradient) read_private(data, out);
  if (out.b_s_per_mm2.value_or(1) == 0) out.gradient.reset();
  return out;
}

Diffusion diffusion_of_group(DcmItem& item) {
  Diffusion out;
  out.b_s_per_mm2 = number(item, tag::b_value);
  if (DcmItem* direction = first_item(item, Tag{0x0018, 0x9076}))
    out.gradient = unit_vector(numbers(*direction, Tag{0x0018, 0x9089}));
  if (out.b_s_per_mm2.value_or(1) == 0) out.gradient.reset();
  return out;
}

double direction_key(const Diffusion& diffusion) {
  if (!diffusion.gradient) return 0;
  // Parts of 1/1000 tell apart what files give as different; 1 keeps a direction from being none.
  double key = 1;
  for (const double c : *diffusion.gradient) key = key * 4001 + std::round(1000 * c) + 2000;
  return key;
}

}  // namespace penta::io::dicom
