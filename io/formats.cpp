#include "io/formats.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>
#include <system_error>

#include "core/error.h"
#include "io/beside.h"
#include "io/dicom/dicom.h"
#include "io/foreign.h"
#include "io/metaimage/metaimage.h"
#include "io/nifti/nifti.h"
#include "io/nrrd/nrrd.h"
#include "io/png/png.h"
#include "io/rawdata/rawdata.h"
#include "io/tiff/tiff.h"

namespace penta::io {

namespace {

using Bytes = std::span<const std::byte>;

/// One format: how its first bytes are known, and how it is read from memory. `read_labels` is null where it has none.
struct Format {
  std::string_view name;
  std::string_view extensions;
  bool (*sniff)(Bytes) noexcept;
  Content (*read)(Bytes, const std::string&, const ReadBeside&);
  LabelMap (*read_labels)(Bytes, const std::string&, const ReadBeside&);
};

// A format of one file has no use for what lies beside it.
template <Image (*Read)(Bytes, const std::string&)>
Content alone(Bytes bytes, const std::string& name, const ReadBeside& /*beside*/) {
  return Read(bytes, name);
}
template <Image (*Read)(Bytes, const std::string&, const ReadBeside&)>
Content with_beside(Bytes bytes, const std::string& name, const ReadBeside& beside) {
  return Read(bytes, name, beside);
}
template <LabelMap (*Read)(Bytes, const std::string&)>
LabelMap labels_alone(Bytes bytes, const std::string& name, const ReadBeside& /*beside*/) {
  return Read(bytes, name);
}

constexpr std::array formats{
    Format{"NIfTI", ".nii .nii.gz .hdr .hdr.gz", nifti::sniff, with_beside<nifti::read>, nifti::read_labels},
    Format{"NRRD", ".nrrd .nhdr", nrrd::sniff, with_beside<nrrd::read>, nrrd::read_labels},
    Format{"MetaImage", ".mha .mhd", metaimage::sniff, with_beside<metaimage::read>, metaimage::read_labels},
    Format{"PNG", ".png", png::sniff_png, alone<png::read>, labels_alone<png::read_labels>},
    Format{"JPEG", ".jpg .jpeg", png::sniff_jpeg, alone<png::read>, labels_alone<png::read_labels>},
    Format{"TIFF", ".tif .tiff", tiff::sniff, alone<tiff::read>, labels_alone<tiff::read_labels>},
    Format{"Interfile", ".hs .hv .h33 .hdr", rawdata::sniff_interfile, rawdata::read_interfile,
           rawdata::read_interfile_labels},
    Format{"HDF5", ".h5 .hdf5", rawdata::sniff_hdf5, rawdata::read_hdf5, nullptr},
    Format{"NumPy", ".npy", rawdata::sniff_npy, rawdata::read_npy, rawdata::read_npy_labels},
    Format{"NumPy archive", ".npz", rawdata::sniff_npz, rawdata::read_npz, rawdata::read_npz_labels},
};

// Enough for the unpacked header of a gzipped NIfTI-2 and for the preamble of DICOM.
constexpr std::size_t head_bytes = 4096;

std::string system_text(int code) { return std::system_category().message(code); }

std::vector<std::byte> read_up_to(const std::filesystem::path& path, std::uint64_t count) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::bad_input, "reading '" + path.string() + "': " + system_text(errno));
  std::vector<std::byte> bytes(count);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (in.bad()) throw Error(Code::bad_input, "reading '" + path.string() + "' failed");
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

const Format* find_format(Bytes bytes) noexcept {
  const auto it = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return f.sniff(bytes); });
  return it == formats.end() ? nullptr : &*it;
}

const Format& need_format(Bytes bytes, const std::filesystem::path& path) {
  if (const std::string_view foreign = foreign_format(bytes); !foreign.empty())
    throw Error(Code::bad_input, "reading '" + path.string() + "': this is " + std::string(foreign) +
                                     ", which is not read; convert it to NIfTI with its own tools");
  if (const Format* format = find_format(bytes)) return *format;
  std::string known;
  for (const Format& f : formats) known += std::string(known.empty() ? "" : ", ") + std::string(f.name);
  const std::string what = bytes.empty()         ? "the file is empty"
                           : dicom::sniff(bytes) ? "this is DICOM, which is read by series"
                                                 : "not an image of a known format (" + known + ", DICOM)";
  throw Error(Code::bad_input, "reading '" + path.string() + "': " + what);
}

ReadBeside beside_of(const std::filesystem::path& path) {
  return [folder = path.parent_path(), first = path.filename().string()](const std::string& file_name) {
    // A header may come from anywhere: it must not name a file elsewhere on this machine.
    if (file_name.empty() || file_name == "." || file_name == ".." || file_name.find_first_of("/\\") != std::string::npos ||
        file_name.find('\0') != std::string::npos)
      throw Error(Code::bad_input, "reading '" + first + "': its data file '" + file_name + "' is not in the same folder");
    try {
      return read_file(folder / file_name);
    } catch (const Error& error) {
      rethrow_with(error, "reading the data of '" + first + "'");
    }
  };
}

/// A file beside its final name; taken away again unless it was given that name.
class Beside {
 public:
  explicit Beside(const std::filesystem::path& path) : path_(path) {
    std::random_device device;
    for (int attempt = 0; attempt < 16 && file_ < 0; ++attempt) {
      temporary_ = path;
      temporary_ += ".part" + std::to_string(device());
      file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file_ < 0 && errno != EEXIST) break;
    }
    if (file_ < 0) fail(errno);
  }
  ~Beside() {
    if (file_ >= 0) ::close(file_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  void write(Bytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t done = ::write(file_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail(errno);
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
  }
  void finish() {
    if (::fsync(file_) != 0) fail(errno);
    const int closed = ::close(file_);
    file_ = -1;
    if (closed != 0) fail(errno);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
    temporary_.clear();
  }

 private:
  [[noreturn]] void fail(int code) const {
    // A constructor that throws runs no destructor, but then there is no file either.
    throw Error(Code::output_failed, "writing '" + path_.string() + "': " + system_text(code));
  }

  std::filesystem::path path_, temporary_;
  int file_ = -1;
};

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw Error(Code::bad_input, "reading '" + path.string() + "': it is a folder");
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) throw Error(Code::bad_input, "reading '" + path.string() + "': " + error.message());
  if (size > limit_bytes)
    throw Error(Code::bad_input, "reading '" + path.string() + "': " + std::to_string(size) +
                                     " bytes, more than the limit of " + std::to_string(limit_bytes));
  return read_up_to(path, size);
}

std::string format_of(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  const std::vector<std::byte> head = read_up_to(path, head_bytes);
  if (const Format* format = find_format(head)) return std::string(format->name);
  return dicom::sniff(head) ? "DICOM" : "";
}

Content read(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return need_format(bytes, path).read(bytes, path.string(), beside_of(path));
}

Image read_image(const std::filesystem::path& path) {
  Content content = read(path);
  if (auto* image = std::get_if<Image>(&content)) return std::move(*image);
  throw Error(Code::bad_input, "reading '" + path.string() + "': it holds no image");
}

LabelMap read_labels(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const Format& format = need_format(bytes, path);
  if (format.read_labels == nullptr)
    throw Error(Code::bad_input, "reading '" + path.string() + "': " + std::string(format.name) + " holds no labels");
  return format.read_labels(bytes, path.string(), beside_of(path));
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  Beside file(path);
  file.write(bytes);
  file.finish();
}

}  // namespace penta::io
