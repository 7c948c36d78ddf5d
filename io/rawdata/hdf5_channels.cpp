#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/rawdata/hdf5_parts.h"

namespace penta::io::rawdata {

namespace {

constexpr double mm_per_m = 1000;
constexpr std::int64_t elements_max = 65536, transmits_max = 65536;

double need(const Hdf5File& file, const std::string& path) {
  const std::optional<double> value = file.number(path);
  if (!value) file.fail(path, "it is missing");
  if (!std::isfinite(*value)) file.fail(path, "it is not finite");
  return *value;
}

/// shot_2 before shot_10: by the number at the end, then by the name.
std::vector<std::string> numbered(const Hdf5File& file, const std::string& group, const std::string& prefix) {
  std::vector<std::pair<int, std::string>> found;
  for (const std::string& name : file.names(group)) {
    if (!name.starts_with(prefix)) continue;
    int number = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) found.emplace_back(number, name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (const auto& [number, name] : found) names.push_back(name);
  return names;
}

void place_elements(const Hdf5File& file, ChannelData& channels) {
  const double pitch_mm = need(file, "/trans_params/x_pitch") * mm_per_m;
  if (file.number("/trans_params/y_num_of_elements").value_or(1) != 1)
    file.fail("/trans_params/y_num_of_elements", "probes of several rows are not read");
  const double middle = static_cast<double>(channels.elements - 1) / 2;
  for (std::int64_t e = 0; e < channels.elements; ++e)
    channels.element_mm.push_back({(static_cast<double>(e) - middle) * pitch_mm, 0, 0});
}

/// One array of angles for all plane waves; other modes are left without.
void take_angles(const Hdf5File& file, ChannelData& channels, std::vector<Remark>& remarks) {
  const std::int64_t shots = channels.transmits / std::max<std::int64_t>(channels.frames, 1);
  if (file.has("/data/tx_mode"))
    for (const std::string& mode : file.names("/data/tx_mode")) {
      if (!mode.starts_with("PW")) continue;
      const std::vector<double> angles = file.numbers("/data/tx_mode/" + mode);
      if (static_cast<std::int64_t>(angles.size()) != shots)
        file.fail("/data/tx_mode/" + mode,
                  std::to_string(angles.size()) + " angles of " + std::to_string(shots) + " shots");
      for (std::int64_t f = 0; f < channels.frames; ++f)
        channels.transmit_angle_rad.insert(channels.transmit_angle_rad.end(), angles.begin(), angles.end());
      return;
    }
  remarks.push_back(
      {Severity::warning, "transmits_unknown", "the file names no plane waves: how each transmit went is unknown"});
}

}  // namespace

ChannelData pybf_channels(const Hdf5File& file, std::vector<Remark>& remarks) {
  ChannelData channels;
  const std::string top = "/data/rf_data";
  const std::vector<std::string> frames = numbered(file, top, "frame_");
  channels.frames = static_cast<std::int64_t>(frames.size());
  std::size_t shots = 0;
  for (const std::string& frame : frames) {
    const std::string group = top + "/" + frame;
    const std::vector<std::string> names = numbered(file, group, "shot_");
    if (names.empty() || (shots != 0 && names.size() != shots))
      file.fail(group, "its shots are not as many as elsewhere");
    shots = names.size();
    for (const std::string& name : names) {
      const std::string path = group + "/" + name;
      const std::vector<std::int64_t> shape = file.shape(path);
      if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > elements_max)
        file.fail(path, "it is not [element, sample]");
      if (channels.transmits == 0) channels.elements = shape[0], channels.samples = shape[1];
      if (shape[0] != channels.elements || shape[1] != channels.samples)
        file.fail(path, "its shape differs from the first");
      if (++channels.transmits > transmits_max) file.fail(path, "too many transmits");
      const std::vector<float> values = file.floats(path);
      channels.values.insert(channels.values.end(), values.begin(), values.end());
    }
  }
  if (channels.transmits == 0) file.fail(top, "it holds no shot");
  channels.sampling_rate_hz = need(file, "/data/f_sampling");
  if (!(channels.sampling_rate_hz > 0)) file.fail("/data/f_sampling", "it must be > 0 Hz");
  const char* start = file.has("/sim_params/start_time") ? "/sim_params/start_time" : "/hardware_params/start_time";
  channels.start_time_s = file.number(start).value_or(0);
  channels.pulse_delay_s = file.number("/data/correction_time_shift").value_or(0);
  channels.centre_frequency_hz = file.number("/trans_params/f_central").value_or(0);
  place_elements(file, channels);
  take_angles(file, channels, remarks);
  return channels;
}

ChannelData picmus_channels(const Hdf5File& file, const std::string& group, std::vector<Remark>& remarks) {
  const std::string real = group + "/data/real";
  const std::vector<std::int64_t> shape = file.shape(real);
  if (shape.size() != 3 || shape[0] < 1 || shape[1] < 1 || shape[2] < 1 || shape[0] > transmits_max ||
      shape[1] > elements_max)
    file.fail(real, "it is not [angle, element, sample]");
  if (file.number(group + "/modulation_frequency").value_or(0) != 0)
    file.fail(group + "/modulation_frequency", "demodulated (IQ) data is not read, RF is");
  ChannelData channels;
  channels.transmits = shape[0];
  channels.elements = shape[1];
  channels.samples = shape[2];
  channels.values = file.floats(real);
  channels.sampling_rate_hz = need(file, group + "/sampling_frequency");
  if (!(channels.sampling_rate_hz > 0)) file.fail(group + "/sampling_frequency", "it must be > 0 Hz");
  channels.sound_speed_m_per_s = file.number(group + "/sound_speed").value_or(0);
  channels.start_time_s = file.number(group + "/initial_time").value_or(0);
  if (file.has(group + "/angles")) channels.transmit_angle_rad = file.numbers(group + "/angles");
  if (channels.transmit_angle_rad.size() != static_cast<std::size_t>(shape[0])) {
    channels.transmit_angle_rad.clear();
    remarks.push_back({Severity::warning, "transmits_unknown", "the file does not give one angle a transmit"});
  }
  const std::string probe = group + "/probe_geometry";
  const std::vector<double> places = file.numbers(probe);
  if (places.size() != 3 * static_cast<std::size_t>(channels.elements)) file.fail(probe, "it is not [3, element]");
  const auto n = static_cast<std::size_t>(channels.elements);
  for (std::size_t e = 0; e < n; ++e)
    channels.element_mm.push_back({places[e] * mm_per_m, places[n + e] * mm_per_m, places[2 * n + e] * mm_per_m});
  return channels;
}

}  // namespace penta::io::rawdata
