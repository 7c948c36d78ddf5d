#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>

#include "core/error.h"
#include "io/nifti/voxels.h"
#include "io/raster.h"
#include "io/rawdata/interfile_parts.h"
#include "io/rawdata/rawdata.h"
#include "io/text_header.h"

namespace penta::io::rawdata {

namespace {

using nifti::Datatype;

constexpr std::uint64_t bytes_max = 8ULL << 30U;

enum class Kind { image, sinogram, projections, list_mode };

Kind kind_of(const InterfileKeys& keys) {
  if (keys.text_lower("data format") == "coincidencelist" || keys.has("LM event and tag words format (bits)"))
    return Kind::list_mode;
  const std::string type = keys.text_lower("type of data"), status = keys.text_lower("process status");
  if (type == "tomographic") return status == "reconstructed" ? Kind::image : Kind::projections;
  if (!type.empty() && type != "pet" && type != "other")
    keys.fail("type of data", "'" + keys.text("type of data") + "' is not read (PET and Tomographic are)");
  const std::string data = keys.text_lower("PET data type");
  if (data == "image" || (data.empty() && status == "reconstructed")) return Kind::image;
  for (const char* known : {"", "emission", "transmission", "blank", "attenuationcorrection", "normalisation"})
    if (data == known)
      return data.empty() && !keys.has("minimum ring difference per segment") ? Kind::image : Kind::sinogram;
  keys.fail("PET data type", "'" + keys.text("PET data type") + "' is not read");
}

void fill_pet(const InterfileKeys& keys, Acquisition& acquisition) {
  PetFacts facts;
  const auto take = [&](Fact<double>& fact, const char* key) {
    if (const auto value = keys.number(key)) fact = {value, key};
  };
  if (const std::string tracer = keys.text("radiopharmaceutical"); !tracer.empty())
    facts.tracer = {tracer, "radiopharmaceutical"};
  if (const std::string isotope = keys.text("isotope name"); !isotope.empty()) facts.isotope = {isotope, "isotope name"};
  if (const auto applied = keys.list("applied corrections"); !applied.empty()) {
    std::string all;
    for (const std::string& one : applied) all += (all.empty() ? "" : "\\") + one;
    facts.corrections = {all, "applied corrections"};
  }
  take(facts.injected_dose_bq, "tracer activity at time of injection (Bq)");
  take(facts.half_life_s, "isotope gamma halflife (sec)");
  const int index = keys.has("image duration (sec)", 1) ? 1 : 0;
  if (const auto seconds = keys.number("image duration (sec)", index); seconds && *seconds > 0)
    facts.frame_duration_ms = {*seconds * 1000, "image duration (sec)"};
  acquisition.facts = std::move(facts);
}

void fill_spect(const InterfileKeys& keys, Acquisition& acquisition) {
  SpectFacts facts;
  if (const std::string isotope = keys.text("isotope name"); !isotope.empty())
    facts.isotope = {isotope, "isotope name"};
  const std::int64_t windows = std::clamp<std::int64_t>(keys.whole("number of energy windows").value_or(1), 0, 64);
  for (int w = 1; w <= static_cast<int>(windows); ++w) {
    const auto low = keys.number("energy window lower level", w), high = keys.number("energy window upper level", w);
    if (low && high) facts.energy_windows.push_back({keys.text("energy window", w), *low, *high});
  }
  acquisition.facts = std::move(facts);
}

}  // namespace

Acquisition acquisition_of(const InterfileKeys& keys) {
  Acquisition acquisition;
  const std::string modality = keys.text_lower("imaging modality"), type = keys.text_lower("type of data");
  if (modality == "pt" || modality == "pet" || (modality.empty() && type == "pet"))
    acquisition.modality = "PET";
  else if (modality == "nucmed" || modality == "nm" || type == "tomographic")
    acquisition.modality = "SPECT";
  else if (modality == "ct" || modality == "mr")
    acquisition.modality = modality == "ct" ? "CT" : "MR";
  acquisition.model = keys.text("originating system");
  acquisition.patient_position = patient_position(keys);
  if (acquisition.modality == "PET") fill_pet(keys, acquisition);
  if (acquisition.modality == "SPECT") fill_spect(keys, acquisition);
  return acquisition;
}

std::string patient_position(const InterfileKeys& keys) {
  const std::string orientation = keys.text_lower("patient orientation"),
                    rotation = keys.text_lower("patient rotation");
  for (const char* position : {"HFS", "HFP", "FFS", "FFP"})
    if (orientation == lower(position)) return position;  // Siemens
  const std::string head = orientation == "head_in" ? "HF" : orientation == "feet_in" ? "FF" : "";
  const std::string side = rotation == "supine" ? "S" : rotation == "prone" ? "P" : "";
  return head.empty() || side.empty() ? "" : head + side;
}

std::vector<std::byte> data_file(const Interfile& file) {
  const std::string other = file.keys.text("name of data file");
  if (other.empty()) return {file.header.begin(), file.header.end()};
  if (other == std::filesystem::path(file.name).filename().string())
    throw Error(Code::nothing_to_do, "reading Interfile '" + std::string(file.name) + "': name of data file: '" + other +
                                         "' is this header itself: a template without data");
  return file.beside(other);
}

NumberFormat number_format(const InterfileKeys& keys) {
  struct Row {
    const char* format;
    std::int64_t bytes;
    Datatype datatype;
  };
  constexpr std::array rows{
      Row{"signed integer", 1, Datatype::i8},
      Row{"signed integer", 2, Datatype::i16},
      Row{"signed integer", 4, Datatype::i32},
      Row{"signed integer", 8, Datatype::i64},
      Row{"unsigned integer", 1, Datatype::u8},
      Row{"unsigned integer", 2, Datatype::u16},
      Row{"unsigned integer", 4, Datatype::u32},
      Row{"unsigned integer", 8, Datatype::u64},
      Row{"float", 4, Datatype::f32},
      Row{"float", 8, Datatype::f64},
      Row{"short float", 4, Datatype::f32},
      Row{"long float", 8, Datatype::f64},
  };
  // Interfile 3.3 has "unsigned integer" and big endian where nothing is said.
  const std::string format = keys.has("number format") ? keys.text_lower("number format") : "unsigned integer";
  const std::optional<std::int64_t> bytes = keys.whole("number of bytes per pixel");
  if (!bytes && format != "short float" && format != "long float")
    keys.fail("number of bytes per pixel", "it is missing");
  const std::int64_t size = bytes.value_or(format == "short float" ? 4 : 8);
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return format == r.format && size == r.bytes; });
  if (row == rows.end())
    keys.fail("number format",
              "'" + keys.text("number format") + "' of " + std::to_string(size) + " bytes is not read");
  const std::string order = keys.has("imagedata byte order") ? keys.text_lower("imagedata byte order") : "bigendian";
  if (order != "bigendian" && order != "littleendian") keys.fail("imagedata byte order", "'" + order + "' is neither");
  return {row->datatype, (order == "bigendian") != (std::endian::native == std::endian::big)};
}

std::uint64_t data_offset(const InterfileKeys& keys, int index, std::uint64_t otherwise) {
  constexpr std::int64_t block_bytes = 2048, offset_max = std::int64_t{1} << 40;
  std::optional<std::int64_t> offset = keys.whole("data offset in bytes", index);
  const char* key = "data offset in bytes";
  if (!offset && index <= 1) {
    offset = keys.whole(key);
    if (const auto block = keys.whole("data starting block"); !offset && block) {
      key = "data starting block";
      if (*block > offset_max / block_bytes) keys.fail(key, "it points nowhere");
      offset = *block * block_bytes;
    }
  }
  if (!offset) return otherwise;
  // STIR writes 0 for every frame but the first of files whose frames follow each other.
  if (*offset == 0 && index > 1) return otherwise;
  if (*offset < 0 || *offset > offset_max) keys.fail(key, "it points nowhere");
  return static_cast<std::uint64_t>(*offset);
}

double scale_of(const InterfileKeys& keys, int index) {
  const int at = keys.has("image scaling factor", index) ? index : keys.has("image scaling factor", 1) ? 1 : 0;
  const std::vector<double> factors = keys.number_list("image scaling factor", at);
  if (!factors.empty()) {
    if (std::any_of(factors.begin(), factors.end(), [&](double f) { return f != factors[0]; }))
      keys.fail("image scaling factor", "factors that differ from slice to slice are not read");
    if (factors[0] != 1) return factors[0];
  }
  // Louvain-la-Neuve's key holds a factor; others put the name of a unit there.
  const std::string unit = keys.text("quantification units");
  if (unit.empty() || unit.find_first_not_of("0123456789.+-eE") != std::string::npos) return 1;
  return keys.number("quantification units").value_or(1);
}

std::vector<float> numbers_at(const Interfile& file, const std::vector<std::byte>& data, std::uint64_t offset,
                              std::uint64_t count, double scale) {
  const NumberFormat format = number_format(file.keys);
  const std::uint64_t one = nifti::voxel_bytes(format.datatype);
  if (count > bytes_max / 8) file.keys.fail("matrix size", "more than 8 GiB of numbers");
  if (offset > data.size() || data.size() - offset < count * one)
    throw Error(Code::bad_input, file.keys.doing() + "its data file is cut off: " + std::to_string(data.size()) +
                                     " bytes of " + std::to_string(offset + count * one));
  nifti::Header header;
  header.datatype = format.datatype;
  header.swapped = format.swapped;
  header.dim = {4, static_cast<std::int64_t>(count), 1, 1, 1, 1, 1, 1};
  header.slope = scale;
  const Grid line({static_cast<std::int64_t>(count), 1, 1}, {1, 1, 1});
  const auto volumes = nifti::decode(header, line, std::span(data).subspan(offset, count * one), file.remarks);
  const Volume<float> values = to_float(volumes.front());
  return {values.voxels().begin(), values.voxels().end()};
}

bool sniff_interfile(std::span<const std::byte> bytes) noexcept {
  return starts_as_interfile({reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 256)});
}

Content read_interfile(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside) {
  RawData raw;
  const InterfileKeys keys(bytes, "reading Interfile '" + name + "': ", raw.remarks);
  const Interfile file{keys, bytes, name, beside, raw.remarks};
  raw.acquisition = acquisition_of(keys);
  const Kind kind = kind_of(keys);
  if (kind == Kind::image) {
    Image image = interfile_image(file);
    image.acquisition = std::move(raw.acquisition);
    image.remarks = std::move(raw.remarks);
    image.sha256 = hash_of(image);
    return image;
  }
  if (kind == Kind::sinogram) raw.value = interfile_sinogram(file);
  if (kind == Kind::projections) raw.value = interfile_projections(file);
  if (kind == Kind::list_mode) raw.value = interfile_list_mode(file);
  raw.sha256 = hash_of(raw);
  return raw;
}

LabelMap read_interfile_labels(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside) {
  const Content content = read_interfile(bytes, name, beside);
  const auto* image = std::get_if<Image>(&content);
  if (image == nullptr)
    throw Error(Code::bad_input, "reading labels '" + name + "': this Interfile holds raw data, no labels");
  return labels_of(std::get<VolumeSequence>(image->pixels), false, name);
}

}  // namespace penta::io::rawdata
