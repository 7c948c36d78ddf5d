#include <mutex>

#include "core/error.h"
#include "io/rawdata/hdf5_parts.h"
#include "io/rawdata/rawdata.h"
#include "io/rawdata/rehearse.h"

namespace penta::io::rawdata {

namespace {

/// Top-level names for a message.
std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (out.size() > 200) return out + ", ...";
    out += (out.empty() ? "" : ", ") + name.substr(0, 60);
  }
  return out.empty() ? "nothing" : out;
}

/// The library has one lock of its own; a child process must not be made while another thread holds it.
std::mutex& library() {
  static std::mutex one;
  return one;
}

/// Enough for a slow machine to unpack the file.
unsigned seconds_for(std::size_t bytes) { return 5 + static_cast<unsigned>(bytes / (32U << 20U)); }

RawData read_inside(std::span<const std::byte> bytes, const std::string& name) {
  const Hdf5File file(bytes, "reading HDF5 '" + name + "': ");
  RawData raw;
  const std::vector<std::string> top = file.names("/");
  if (file.has("/data/rf_data")) {
    raw.value = pybf_channels(file, raw.remarks);
    raw.acquisition.modality = "US";
  } else if (file.has("/US/US_DATASET0000/data/real")) {
    raw.value = picmus_channels(file, "/US/US_DATASET0000", raw.remarks);
    raw.acquisition.modality = "US";
  } else {
    const std::string* group = nullptr;
    for (const std::string& candidate : top)
      if (group == nullptr && file.has("/" + candidate + "/xml") && file.has("/" + candidate + "/data"))
        group = &candidate;
    if (group == nullptr)
      throw Error(Code::bad_input, "reading HDF5 '" + name +
                                       "': it is neither ISMRMRD nor channel data of pybf or PICMUS; "
                                       "it holds " +
                                       listed(top));
    raw.value = ismrmrd_kspace(file, "/" + *group, raw.acquisition, raw.remarks);
  }
  raw.sha256 = hash_of(raw);
  return raw;
}

}  // namespace

bool sniff_hdf5(std::span<const std::byte> bytes) noexcept { return starts_as_hdf5(bytes); }

Content read_hdf5(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& /*beside*/) {
  const std::lock_guard lock(library());
  // The library is known to crash and to run on for ever on files that were made to do so.
  rehearse([&] { (void)read_inside(bytes, name); }, seconds_for(bytes.size()), "reading HDF5 '" + name + "': ");
  return read_inside(bytes, name);
}

}  // namespace penta::io::rawdata
