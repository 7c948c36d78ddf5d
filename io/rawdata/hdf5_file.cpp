#include "io/rawdata/hdf5_file.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace penta::io::rawdata {

namespace {

constexpr std::uint64_t bytes_max = 8ULL << 30U, free_bytes = 512ULL << 20U, ratio_max = 200;
constexpr std::size_t numbers_max = 1000000, names_max = 10000, text_max = 64U << 20U;
constexpr std::size_t readout_bytes_max = 256U << 20U;

/// A handle of the library, closed when it goes.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  [[nodiscard]] hid_t id() const noexcept { return id_; }
  [[nodiscard]] bool good() const noexcept { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// One of the types that files are written with. The library's conversion of made-up ones (bits at odd places) reads
/// where it must not, so that they are refused before it sees them.
bool is_number(hid_t type) {
  for (const hid_t known :
       {H5T_STD_I8LE,  H5T_STD_I8BE,  H5T_STD_U8LE,   H5T_STD_U8BE,   H5T_STD_I16LE,  H5T_STD_I16BE, H5T_STD_U16LE,
        H5T_STD_U16BE, H5T_STD_I32LE, H5T_STD_I32BE,  H5T_STD_U32LE,  H5T_STD_U32BE,  H5T_STD_I64LE, H5T_STD_I64BE,
        H5T_STD_U64LE, H5T_STD_U64BE, H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE})
    if (H5Tequal(type, known) > 0) return true;
  return false;
}

/// The same for each member of a compound, at any depth; texts and variable lengths of numbers too.
bool is_plain(hid_t type, int depth = 0) {
  const H5T_class_t kind = H5Tget_class(type);
  if (depth > 4) return false;
  if (kind == H5T_VLEN || kind == H5T_ARRAY) {
    const Handle part(H5Tget_super(type), H5Tclose);
    return part.good() && is_plain(part.id(), depth + 1);
  }
  if (kind != H5T_COMPOUND) return is_number(type);
  const int members = H5Tget_nmembers(type);
  const std::size_t size = H5Tget_size(type);
  if (members < 1 || members > 64 || size > 65536) return false;
  for (unsigned i = 0; i < static_cast<unsigned>(members); ++i) {
    const Handle member(H5Tget_member_type(type, i), H5Tclose);
    if (!member.good() || !is_plain(member.id(), depth + 1)) return false;
    if (H5Tget_member_offset(type, i) + H5Tget_size(member.id()) > size) return false;
  }
  return true;
}

/// Room for variable lengths that a file asks for: no more than a readout can have.
void* take_room(size_t size, void* /*info*/) { return size > readout_bytes_max ? nullptr : std::malloc(size); }
void give_room(void* memory, void* /*info*/) { std::free(memory); }

/// ISMRMRD's members that are wanted, as they lie in memory here.
struct Counters {
  std::uint16_t step_1, step_2, average, slice, contrast, phase, repetition, set;
};
struct Head {
  std::uint64_t flags;
  std::uint16_t samples, channels, centre_sample;
  Counters idx;
};
struct Entry {
  Head head;
  hvl_t data;
};

Handle counters_type() {
  Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Counters)), H5Tclose);
  constexpr std::array names{
      "kspace_encode_step_1", "kspace_encode_step_2", "average", "slice", "contrast", "phase", "repetition", "set"};
  for (std::size_t i = 0; i < names.size(); ++i)
    H5Tinsert(type.id(), names[i], i * sizeof(std::uint16_t), H5T_NATIVE_UINT16);
  return type;
}

Handle head_type() {
  Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Head)), H5Tclose);
  const Handle counters = counters_type();
  H5Tinsert(type.id(), "flags", offsetof(Head, flags), H5T_NATIVE_UINT64);
  H5Tinsert(type.id(), "number_of_samples", offsetof(Head, samples), H5T_NATIVE_UINT16);
  H5Tinsert(type.id(), "active_channels", offsetof(Head, channels), H5T_NATIVE_UINT16);
  H5Tinsert(type.id(), "center_sample", offsetof(Head, centre_sample), H5T_NATIVE_UINT16);
  H5Tinsert(type.id(), "idx", offsetof(Head, idx), counters.id());
  return type;
}

Handle entry_type() {
  Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Entry)), H5Tclose);
  const Handle head = head_type();
  const Handle data(H5Tvlen_create(H5T_NATIVE_FLOAT), H5Tclose);
  H5Tinsert(type.id(), "head", offsetof(Entry, head), head.id());
  H5Tinsert(type.id(), "data", offsetof(Entry, data), data.id());
  return type;
}

/// True where the stored compound has all that entry_type() names, of the right classes.
bool is_readout(hid_t stored) {
  if (H5Tget_class(stored) != H5T_COMPOUND || !is_plain(stored)) return false;
  const int head_at = H5Tget_member_index(stored, "head"), data_at = H5Tget_member_index(stored, "data");
  if (head_at < 0 || data_at < 0) return false;
  const Handle head(H5Tget_member_type(stored, static_cast<unsigned>(head_at)), H5Tclose);
  const Handle data(H5Tget_member_type(stored, static_cast<unsigned>(data_at)), H5Tclose);
  if (!head.good() || !data.good() || H5Tget_class(head.id()) != H5T_COMPOUND || H5Tget_class(data.id()) != H5T_VLEN)
    return false;
  const Handle part(H5Tget_super(data.id()), H5Tclose);
  return part.good() && H5Tget_class(part.id()) == H5T_FLOAT && H5Tget_member_index(head.id(), "idx") >= 0 &&
         H5Tget_member_index(head.id(), "number_of_samples") >= 0 &&
         H5Tget_member_index(head.id(), "active_channels") >= 0;
}

}  // namespace

struct Hdf5File::Inside {
  Handle file;

  /// The data set or group, reached over hard links only.
  [[nodiscard]] std::optional<Handle> open(const std::string& path) const {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      H5L_info_t info{};
      if (part != "/" && (H5Lexists(file.id(), part.c_str(), H5P_DEFAULT) <= 0 ||
                          H5Lget_info(file.id(), part.c_str(), &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD))
        return std::nullopt;
      if (end == std::string::npos) break;
    }
    Handle object(H5Oopen(file.id(), path.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.good()) return std::nullopt;
    return object;
  }
};

Hdf5File::Hdf5File(std::span<const std::byte> bytes, std::string doing)
    : doing_(std::move(doing)), file_bytes_(bytes.size()) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  constexpr std::size_t step_bytes = 1U << 16U;
  // The library copies the image at once and never writes to what it was given; its parameter lacks the const.
  void* image = const_cast<std::byte*>(bytes.data());
  if (H5Pset_fapl_core(access.id(), step_bytes, 0) < 0 || H5Pset_file_image(access.id(), image, bytes.size()) < 0)
    fail("", "the HDF5 library takes no file from memory");
  // The library takes two open files of one name for the same: the address of this one tells them apart.
  const std::string name = "memory-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  Handle file(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (!file.good()) fail("", "the file is damaged or cut off: the HDF5 library cannot open it");
  inside_ = std::make_unique<Inside>(Inside{std::move(file)});
}

Hdf5File::~Hdf5File() = default;

void Hdf5File::fail(const std::string& path, const std::string& what) const {
  throw Error(Code::bad_input, doing_ + (path.empty() ? "" : path + ": ") + what);
}

bool Hdf5File::has(const std::string& path) const { return inside_->open(path).has_value(); }

std::vector<std::string> Hdf5File::names(const std::string& group) const {
  const auto object = inside_->open(group);
  H5G_info_t info{};
  if (!object || H5Gget_info(object->id(), &info) < 0) fail(group, "it is no group");
  if (info.nlinks > names_max) fail(group, "more than 10000 names");
  std::vector<std::string> out;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    std::array<char, 256> name{};
    const ssize_t length =
        H5Lget_name_by_idx(object->id(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
    if (length < 0) fail(group, "its names cannot be read");
    out.emplace_back(name.data());
  }
  return out;
}

namespace {

/// A data set that lies inside the file.
struct DataSet {
  Handle set, space, type;
  std::uint64_t count = 0;
};

std::optional<DataSet> data_set(const std::optional<Handle>& object, std::string& why) {
  if (!object || H5Iget_type(object->id()) != H5I_DATASET) {
    why = "there is no such data set, or it is of a newer format than this HDF5 library reads";
    return std::nullopt;
  }
  const Handle plan(H5Dget_create_plist(object->id()), H5Pclose);
  if (!plan.good() || H5Pget_layout(plan.id()) == H5D_VIRTUAL || H5Pget_external_count(plan.id()) > 0) {
    why = "its data lies in other files, which are not opened";
    return std::nullopt;
  }
  DataSet out{{object->id(), [](hid_t) -> herr_t { return 0; }},
              {H5Dget_space(object->id()), H5Sclose},
              {H5Dget_type(object->id()), H5Tclose}};
  const hssize_t count = out.space.good() ? H5Sget_simple_extent_npoints(out.space.id()) : -1;
  if (count < 0 || !out.type.good()) {
    why = "its shape or type cannot be read";
    return std::nullopt;
  }
  out.count = static_cast<std::uint64_t>(count);
  return out;
}

}  // namespace

std::vector<std::int64_t> Hdf5File::shape(const std::string& path) const {
  std::string why;
  const auto object = inside_->open(path);
  const auto set = data_set(object, why);
  if (!set) fail(path, why);
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int axes = H5Sget_simple_extent_dims(set->space.id(), sizes.data(), nullptr);
  if (axes < 0) fail(path, "its shape cannot be read");
  return {sizes.begin(), sizes.begin() + axes};
}

std::vector<float> Hdf5File::floats(const std::string& path) const {
  std::string why;
  const auto object = inside_->open(path);
  const auto set = data_set(object, why);
  if (!set) fail(path, why);
  if (!is_number(set->type.id())) fail(path, "it holds no numbers");
  const std::uint64_t bytes = set->count > bytes_max ? bytes_max + 1 : set->count * sizeof(float);
  if (bytes > bytes_max || (bytes > free_bytes && bytes / ratio_max > file_bytes_))
    fail(path, "it is more than 8 GiB, or more than 200 times the file");
  std::vector<float> out(set->count);
  if (H5Dread(set->set.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) < 0)
    fail(path, "its data is damaged or packed by a filter that is not there");
  return out;
}

std::vector<double> Hdf5File::numbers(const std::string& path) const {
  std::string why;
  const auto object = inside_->open(path);
  const auto set = data_set(object, why);
  if (!set) fail(path, why);
  if (!is_number(set->type.id())) fail(path, "it holds no numbers");
  if (set->count > numbers_max) fail(path, "more than a million numbers");
  std::vector<double> out(set->count);
  if (H5Dread(set->set.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) < 0)
    fail(path, "its data is damaged or packed by a filter that is not there");
  return out;
}

std::optional<double> Hdf5File::number(const std::string& path) const {
  if (!has(path)) return std::nullopt;
  const std::vector<double> all = numbers(path);
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::string Hdf5File::text(const std::string& path) const {
  std::string why;
  const auto object = inside_->open(path);
  const auto set = data_set(object, why);
  if (!set) fail(path, why);
  if (set->count != 1 || H5Tget_class(set->type.id()) != H5T_STRING) fail(path, "it is not one text");
  const bool variable = H5Tis_variable_str(set->type.id()) > 0;
  const std::size_t size = variable ? sizeof(char*) : H5Tget_size(set->type.id());
  if (size == 0 || size > text_max) fail(path, "a text of more than 64 MiB");
  const Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
  H5Pset_vlen_mem_manager(transfer.id(), take_room, nullptr, give_room, nullptr);
  if (!variable) {
    std::string out(size, '\0');
    if (H5Dread(set->set.id(), set->type.id(), H5S_ALL, H5S_ALL, transfer.id(), out.data()) < 0)
      fail(path, "its text is damaged");
    return out.substr(0, out.find('\0'));
  }
  char* first = nullptr;
  const herr_t status = H5Dread(set->set.id(), set->type.id(), H5S_ALL, H5S_ALL, transfer.id(), &first);
  const std::unique_ptr<char, decltype(&std::free)> owner(first, &std::free);
  if (status < 0 || first == nullptr) fail(path, "its text is damaged");
  return first;
}

Readout Hdf5File::readout(const std::string& path, std::int64_t index) const {
  std::string why;
  const auto object = inside_->open(path);
  const auto set = data_set(object, why);
  if (!set) fail(path, why);
  if (!is_readout(set->type.id())) fail(path, "its entries are no readouts of ISMRMRD");
  if (H5Sget_simple_extent_ndims(set->space.id()) != 1 || index < 0 || static_cast<std::uint64_t>(index) >= set->count)
    fail(path, "there is no entry " + std::to_string(index));
  const hsize_t start = static_cast<hsize_t>(index), one = 1;
  const Handle place(H5Screate_simple(1, &one, nullptr), H5Sclose), type = entry_type();
  const Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
  H5Pset_vlen_mem_manager(transfer.id(), take_room, nullptr, give_room, nullptr);
  Entry entry{};
  const herr_t status = H5Sselect_hyperslab(set->space.id(), H5S_SELECT_SET, &start, nullptr, &one, nullptr) < 0
                            ? -1
                            : H5Dread(set->set.id(), type.id(), place.id(), set->space.id(), transfer.id(), &entry);
  const std::unique_ptr<void, decltype(&std::free)> owner(entry.data.p, &std::free);
  if (status < 0) fail(path, "entry " + std::to_string(index) + " is damaged");
  const Counters& idx = entry.head.idx;
  Readout out{entry.head.flags,
              entry.head.samples,
              entry.head.channels,
              entry.head.centre_sample,
              idx.step_1,
              idx.step_2,
              idx.average,
              idx.slice,
              idx.contrast,
              idx.phase,
              idx.repetition,
              idx.set,
              {}};
  const std::size_t wanted = 2 * static_cast<std::size_t>(out.samples) * static_cast<std::size_t>(out.channels);
  if (entry.data.len != wanted || (wanted > 0 && entry.data.p == nullptr))
    fail(path, "entry " + std::to_string(index) + " has " + std::to_string(entry.data.len) + " numbers of " +
                   std::to_string(wanted));
  out.data.resize(wanted / 2);
  if (wanted > 0) std::memcpy(static_cast<void*>(out.data.data()), entry.data.p, wanted * sizeof(float));
  return out;
}

bool starts_as_hdf5(std::span<const std::byte> bytes) noexcept {
  constexpr std::array<std::uint8_t, 8> magic{0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace penta::io::rawdata
