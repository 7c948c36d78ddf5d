#include "io/dicom/real_world.h"

#include <algorithm>
#include <cmath>

#include "io/dicom/private.h"

namespace penta::io::dicom {

namespace {

constexpr Tag mappings{0x0040, 0x9096}, slope{0x0040, 0x9225}, intercept{0x0040, 0x9224}, table{0x0040, 0x9212},
    first_value{0x0040, 0x9216}, first_value_real{0x0040, 0x9214}, units{0x0040, 0x08EA}, coding_scheme{0x0008, 0x0102};

void say(Instance& instance, const char* code, std::string text) {
  const bool said = std::any_of(instance.faults.begin(), instance.faults.end(),
                                [&](const Remark& fault) { return fault.code == code; });
  if (!said) instance.faults.push_back({Severity::note, code, std::move(text)});
}

// Files say Bq/ml, as CID 84 does; the litre is a capital one here, as in the units of PET.
std::string with_capital_litre(std::string unit) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (std::size_t at = unit.find("ml"); at != std::string::npos; at = unit.find("ml", at + 2))
    if ((at == 0 || !letter(unit[at - 1])) && (at + 2 == unit.size() || !letter(unit[at + 2]))) unit[at + 1] = 'L';
  return unit;
}

// UCUM codes only; "1" and annotations such as {M0} say no more than a rescale does.
std::string unit_of(DcmItem& mapping) {
  DcmItem* code = first_item(mapping, units);
  if (code == nullptr || text(*code, coding_scheme) != "UCUM") return {};
  std::string unit = with_capital_litre(text(*code, tag::code_value));
  return unit == "1" || unit.starts_with("{") ? std::string() : unit;
}

bool fill_table(DcmItem& mapping, Instance& instance) {
  const auto values = private_numbers(mapping, table, PrivateVr::float64);
  auto first = number(mapping, first_value);
  if (!first) first = number(mapping, first_value_real);
  if (values.empty() || !first || std::abs(*first) > 1e9) return false;
  ModalityLut lut;
  lut.first = static_cast<std::int32_t>(std::lround(*first));
  // US or SS: its sign is that of the pixels (PS3.3 C.7.6.16.2.11.1.2).
  if (instance.layout.is_signed && lut.first > 32767) lut.first -= 65536;
  for (const double value : values) lut.values.push_back(static_cast<float>(value));
  instance.lut = std::move(lut);
  return true;
}

std::string mapping_text(double slope_value, double intercept_value) {
  return "value = " + std::to_string(slope_value) + " * stored + " + std::to_string(intercept_value);
}

}  // namespace

void apply_real_world(DcmItem* holder, Instance& instance, Slice& slice) {
  if (holder == nullptr) return;
  const bool has_unit = !instance.unit.empty() && !instance.real_world;
  for (DcmItem* mapping : items(*holder, mappings)) {
    const std::string unit = unit_of(*mapping);
    const auto m = number(*mapping, slope), b = number(*mapping, intercept);
    const bool same = m && std::abs(*m - slice.slope) <= 1e-6 * std::abs(slice.slope) &&
                      b && std::abs(*b - slice.intercept) <= 1e-6 * std::max(1.0, std::abs(slice.intercept));
    if (unit.empty() || has_unit) {
      if (m && !same)
        say(instance, "real_world_values_left",
            "a Real World Value Mapping (0040,9096) is left out, since " +
                std::string(has_unit ? "the rescaled values have the unit " + instance.unit : "it has no unit") + ": " +
                mapping_text(*m, b.value_or(0)));
      continue;
    }
    if (m) {
      slice.slope = *m;
      slice.intercept = b.value_or(0);
    } else if (fill_table(*mapping, instance)) {
      slice.slope = 1;
      slice.intercept = 0;
    } else {
      continue;
    }
    if (instance.real_world && instance.unit != unit) say(instance, "several_units", "frames have different units");
    instance.unit = unit;
    instance.real_world = true;
    if (!same)
      say(instance, "real_world_values",
          "values are Real World Values (0040,9096) in " + unit + (m ? ": " + mapping_text(*m, slice.intercept) : ""));
    return;
  }
}

}  // namespace penta::io::dicom
