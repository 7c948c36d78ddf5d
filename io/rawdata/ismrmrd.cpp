#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "io/rawdata/hdf5_parts.h"
#include "io/text_header.h"

namespace penta::io::rawdata {

namespace {

constexpr std::uint64_t samples_max = (8ULL << 30U) / sizeof(std::complex<float>);
constexpr std::int64_t axis_max = 1 << 16;
constexpr std::uint64_t free_bytes = 512ULL << 20U, ratio_max = 200;

/// What stands inside the first element `name` (any namespace prefix), or nothing. ISMRMRD's header holds no attribute
/// that matters here and nests no element in one of its own name.
std::optional<std::string_view> element(std::string_view xml, std::string_view name) {
  for (std::size_t at = xml.find(name); at != std::string_view::npos; at = xml.find(name, at + 1)) {
    std::size_t open = at;
    if (open > 0 && xml[open - 1] == ':')
      open = xml.rfind('<', open);
    else if (open > 0 && xml[open - 1] == '<')
      --open;
    else
      continue;
    const std::size_t behind = at + name.size();
    if (open == std::string_view::npos || behind >= xml.size() || (open + 1 < xml.size() && xml[open + 1] == '/'))
      continue;
    if (xml[behind] != '>' && xml[behind] != ' ' && xml[behind] != '\n') continue;
    const std::size_t start = xml.find('>', behind);
    if (start == std::string_view::npos) return std::nullopt;
    for (std::size_t end = xml.find("</", start); end != std::string_view::npos; end = xml.find("</", end + 2)) {
      const std::string_view rest = xml.substr(end + 2);
      const std::string_view tag = rest.substr(0, rest.find('>'));
      const std::size_t colon = tag.find(':');
      if ((colon == std::string_view::npos ? tag : tag.substr(colon + 1)) == name)
        return xml.substr(start + 1, end - start - 1);
    }
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string_view> inside(std::string_view xml, std::initializer_list<std::string_view> path) {
  std::optional<std::string_view> at = xml;
  for (const std::string_view name : path)
    if (at) at = element(*at, name);
  return at;
}

/// The header while it is read.
struct Header {
  const Hdf5File& file;
  std::string path;
  std::string xml;

  [[nodiscard]] std::optional<double> number(std::initializer_list<std::string_view> names) const {
    const auto text = inside(xml, names);
    if (!text) return std::nullopt;
    const double value = io::number(trimmed(*text), path + " " + std::string(*std::rbegin(names)));
    if (!std::isfinite(value)) file.fail(path, std::string(*std::rbegin(names)) + " is not finite");
    return value;
  }
  [[nodiscard]] std::array<double, 3> triple(std::string_view space, std::string_view what) const {
    std::array<double, 3> out{};
    constexpr std::array<std::string_view, 3> axes{"x", "y", "z"};
    for (std::size_t i = 0; i < 3; ++i) out[i] = number({"encoding", space, what, axes[i]}).value_or(0);
    return out;
  }
};

std::array<std::int64_t, 3> sizes(const Header& header, std::string_view space) {
  const std::array<double, 3> found = header.triple(space, "matrixSize");
  std::array<std::int64_t, 3> out{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (found[i] < 0 || found[i] > static_cast<double>(axis_max))
      header.file.fail(header.path, "matrixSize is no size");
    out[i] = static_cast<std::int64_t>(found[i]);
  }
  return out;
}

void fill_facts(const Header& header, Acquisition& acquisition) {
  acquisition.modality = "MR";
  if (const auto text = inside(header.xml, {"acquisitionSystemInformation", "systemVendor"}))
    acquisition.manufacturer = trimmed(*text);
  if (const auto text = inside(header.xml, {"acquisitionSystemInformation", "systemModel"}))
    acquisition.model = trimmed(*text);
  MrFacts facts;
  const auto take = [&](Fact<double>& fact, const char* group, const char* name) {
    if (const auto value = header.number({group, name})) fact = {value, std::string(group) + "/" + name};
  };
  take(facts.field_strength_t, "acquisitionSystemInformation", "systemFieldStrength_T");
  take(facts.repetition_time_ms, "sequenceParameters", "TR");
  take(facts.echo_time_ms, "sequenceParameters", "TE");
  take(facts.inversion_time_ms, "sequenceParameters", "TI");
  take(facts.flip_angle_deg, "sequenceParameters", "flipAngle_deg");
  acquisition.facts = std::move(facts);
}

/// ismrmrd.h, ISMRMRD_AcquisitionFlags; bits count from 1.
constexpr std::uint64_t bit(int flag) { return 1ULL << static_cast<unsigned>(flag - 1); }
constexpr std::uint64_t no_image =
    bit(19) | bit(23) | bit(24) | bit(26) | bit(27) | bit(28) | bit(29) | bit(30) | bit(31);
constexpr std::uint64_t calibration = bit(20), calibration_and_image = bit(21), reversed = bit(22);

bool makes_image(const Readout& r) {
  return (r.flags & no_image) == 0 && ((r.flags & calibration) == 0 || (r.flags & calibration_and_image) != 0);
}

/// Puts readouts where they belong, and takes the mean of those that fall together.
class Filler {
 public:
  Filler(KSpace& space, const Hdf5File& file, std::string path, std::array<std::int64_t, 2> shift)
      : space_(space), file_(file), path_(std::move(path)), shift_(shift) {}

  void put(const Readout& r, std::int64_t index) {
    const std::int64_t nx = space_.shape[0], ny = space_.shape[1], nz = space_.shape[2];
    const std::string which = "entry " + std::to_string(index);
    if (r.channels != space_.shape[3]) file_.fail(path_, which + " has " + std::to_string(r.channels) + " channels");
    const std::int64_t y = r.step_1 + shift_[0], z = r.step_2 + shift_[1];
    // A partial echo has its centre before the middle of its samples.
    const std::int64_t first = r.samples == nx ? 0 : nx / 2 - r.centre_sample;
    if (y < 0 || y >= ny || z < 0 || z >= nz || first < 0 || first + r.samples > nx)
      file_.fail(path_, which + " lies outside the encoded matrix");
    const auto line = static_cast<std::size_t>(y + ny * z);
    const float hits = static_cast<float>(++hits_[line]);
    for (std::int64_t c = 0; c < r.channels; ++c)
      for (std::int64_t x = 0; x < r.samples; ++x) {
        const std::int64_t from = (r.flags & reversed) != 0 ? r.samples - 1 - x : x;
        auto& sample = space_.samples[static_cast<std::size_t>(first + x + nx * (y + ny * (z + nz * c)))];
        sample += (r.data[static_cast<std::size_t>(from + r.samples * c)] - sample) / hits;
      }
  }
  void expect_lines(std::size_t count) { hits_.assign(count, 0); }

 private:
  KSpace& space_;
  const Hdf5File& file_;
  std::string path_;
  std::array<std::int64_t, 2> shift_;
  std::vector<int> hits_;
};

std::int64_t shift_of(const Header& header, std::string_view limit, std::int64_t size) {
  const auto centre = header.number({"encoding", "encodingLimits", limit, "center"});
  if (!centre || std::abs(*centre) > static_cast<double>(axis_max)) return 0;
  return size / 2 - static_cast<std::int64_t>(*centre);
}

void allocate(KSpace& space, const Hdf5File& file, const std::string& path, int channels) {
  space.shape.push_back(channels);
  std::uint64_t count = 1;
  for (const std::int64_t size : space.shape) {
    if (size < 1) file.fail(path, "matrixSize or the number of channels is 0");
    if (static_cast<std::uint64_t>(size) > samples_max / count) file.fail(path, "a k-space of more than 8 GiB");
    count *= static_cast<std::uint64_t>(size);
  }
  const std::uint64_t bytes = count * sizeof(std::complex<float>);
  if (bytes > free_bytes && bytes / ratio_max > file.file_bytes())
    file.fail(path, "a k-space of more than 200 times the file");
  space.samples.resize(count);
}

}  // namespace

KSpace ismrmrd_kspace(const Hdf5File& file, const std::string& group, Acquisition& acquisition,
                      std::vector<Remark>& remarks) {
  const Header header{file, group + "/xml", file.text(group + "/xml")};
  fill_facts(header, acquisition);
  KSpace space;
  if (const auto text = inside(header.xml, {"encoding", "trajectory"})) space.trajectory = trimmed(*text);
  if (space.trajectory != "cartesian")
    file.fail(header.path, "the trajectory '" + space.trajectory.substr(0, 40) + "' is not read (cartesian is)");
  const std::array<std::int64_t, 3> encoded = sizes(header, "encodedSpace");
  space.shape.assign(encoded.begin(), encoded.end());
  space.field_of_view_mm = header.triple("encodedSpace", "fieldOfView_mm");
  space.recon_size = sizes(header, "reconSpace");
  space.recon_field_of_view_mm = header.triple("reconSpace", "fieldOfView_mm");
  const std::string path = group + "/data";
  const std::vector<std::int64_t> entries = file.shape(path);
  if (entries.size() != 1 || entries[0] > (std::int64_t{1} << 24)) file.fail(path, "it is no list of readouts");
  Filler filler(
      space, file, path,
      {shift_of(header, "kspace_encoding_step_1", encoded[1]), shift_of(header, "kspace_encoding_step_2", encoded[2])});
  std::int64_t others = 0, elsewhere = 0;
  for (std::int64_t i = 0; i < entries[0]; ++i) {
    const Readout r = file.readout(path, i);
    if (!makes_image(r)) {
      ++others;
    } else if (r.slice != 0 || r.contrast != 0 || r.phase != 0 || r.repetition != 0 || r.set != 0) {
      ++elsewhere;
    } else {
      if (space.samples.empty()) {
        allocate(space, file, path, r.channels);
        filler.expect_lines(static_cast<std::size_t>(encoded[1] * encoded[2]));
      }
      filler.put(r, i);
    }
  }
  if (space.samples.empty()) file.fail(path, "it holds no readout of an image");
  if (others > 0)
    remarks.push_back({Severity::note, "readouts_of_no_image",
                       std::to_string(others) + " readouts of noise, calibration or navigation were left out"});
  if (elsewhere > 0)
    remarks.push_back({Severity::warning, "readouts_left_out",
                       std::to_string(elsewhere) +
                           " readouts of further slices, contrasts, phases, repetitions or sets were left out"});
  return space;
}

}  // namespace penta::io::rawdata
