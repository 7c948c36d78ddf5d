#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/image.h"
#include "core/raw_data.h"
#include "io/dicom/dicom.h"
#include "io/dicom/file.h"
#include "io/dicom/tags.h"

class DcmDataset;
class DcmItem;

namespace penta::io::dicom {

// --- dataset.cpp: bytes to a parsed header -------------------------------------------------------------------------

/// Where an instance comes from: a file, or bytes in memory when `path` is empty.
struct Source {
  std::string name;
  std::filesystem::path path{};
  std::span<const std::byte> bytes{};
};

/// One instance: its header parsed, its pixel data as a range of the file's bytes.
class Object {
 public:
  Object();
  Object(Object&&) noexcept;
  Object& operator=(Object&&) noexcept;
  ~Object();

  [[nodiscard]] DcmItem& data() const;  ///< without pixel data
  [[nodiscard]] bool has_pixels() const noexcept { return pixel_tag.group == 0x7FE0; }
  [[nodiscard]] bool encapsulated() const noexcept { return pixel_length == 0xFFFFFFFFU; }

  std::string name, transfer_syntax, media_class;  ///< media_class: (0002,0002)
  std::int64_t file_bytes = 0;
  FileStamp stamp;  ///< of the file, where there is one
  bool big_endian = false;
  bool words = false;     ///< pixel data of VR OW
  bool complete = false;  ///< the bytes reach to the end of the file
  Tag pixel_tag{};                            ///< (7FE0,0010), (7FE0,0008) float, (7FE0,0009) double, or none
  std::uint32_t pixel_length = 0;
  std::int64_t pixel_offset = 0;              ///< of the value in `bytes`
  std::span<const std::byte> bytes;
  std::vector<std::byte> storage;             ///< holds `bytes` unless they are the caller's
  std::unique_ptr<DcmDataset> dataset;
};

enum class Texts { utf8, as_they_are };

/// Parses the header. With `whole`, the bytes hold the pixel data too. Throws Error{bad_input} that names the file.
[[nodiscard]] Object load(const Source& source, bool whole, Texts texts = Texts::utf8);

/// Makes all texts UTF-8 (PS3.3 C.12.1.1.2). The Japanese sets are converted here: DCMTK needs names of them that the C
/// library's iconv does not have.
void texts_to_utf8(DcmItem& data);

/// The value as UTF-8, several values joined by backslashes, without padding; empty when absent.
[[nodiscard]] std::string text(DcmItem& item, Tag tag);
[[nodiscard]] std::vector<std::string> words(DcmItem& item, Tag tag);
[[nodiscard]] std::vector<double> numbers(DcmItem& item, Tag tag);  ///< empty when one is not a finite number
[[nodiscard]] std::optional<double> number(DcmItem& item, Tag tag);
[[nodiscard]] std::optional<int> integer(DcmItem& item, Tag tag);
[[nodiscard]] std::vector<DcmItem*> items(DcmItem& item, Tag sequence);
[[nodiscard]] DcmItem* first_item(DcmItem& item, Tag sequence);
[[nodiscard]] std::vector<std::uint16_t> words16(DcmItem& item, Tag tag);
[[nodiscard]] bool has(DcmItem& item, Tag tag);
/// The value's bytes as 64-bit numbers in little endian (OV, or whatever VR an unknown one was read as).
[[nodiscard]] std::vector<std::uint64_t> raw_numbers64(DcmItem& item, Tag tag);
/// "RTDoseStorage (1.2.840...)", as PS3.6 names the UID.
[[nodiscard]] std::string uid_name(const std::string& uid);

// --- pixels.cpp, fragments.cpp, codecs.cpp, jpeg*.cpp, deflated.cpp, colour.cpp: pixel data to values --------------

struct Layout {
  std::int64_t columns = 0, rows = 0, frames = 1;
  int samples = 1, bits_allocated = 0, bits_stored = 0, high_bit = 0, planar = 0;
  bool is_signed = false;
  std::string photometric;

  [[nodiscard]] std::int64_t pixels() const noexcept { return columns * rows; }
  [[nodiscard]] bool is_colour() const noexcept { return samples == 3 || photometric == "PALETTE COLOR"; }
  [[nodiscard]] bool is_real() const noexcept { return bits_allocated == 32 && bits_stored == 0; }  ///< float32
  [[nodiscard]] bool is_double() const noexcept { return bits_allocated == 64; }
  /// Whole numbers from 2^31 on, which an int32 holds with the other sign.
  [[nodiscard]] bool is_wide() const noexcept { return bits_stored == 32 && !is_signed; }
  /// Bytes of one uncompressed frame.
  [[nodiscard]] std::int64_t frame_bytes() const noexcept;
  /// Bytes of all uncompressed frames; single bits follow each other across frames (PS3.5 8.1.1).
  [[nodiscard]] std::int64_t native_bytes() const noexcept {
    return bits_allocated == 1 ? (pixels() * frames + 7) / 8 : frame_bytes() * frames;
  }
};

/// Throws Error{bad_input} where the pixel description is missing or makes no sense.
[[nodiscard]] Layout layout_of(const Object& object);
/// Throws Error{bad_input}: more than 8 GiB, or more than 200 times the file's bytes (above 64 MiB).
void check_limits(const Layout& layout, const Object& object);
[[nodiscard]] bool transfer_syntax_known(const std::string& uid) noexcept;
/// Why pixels of this transfer syntax are not read: "MPEG2 video (1.2.840.10008.1.2.4.100) is not read".
[[nodiscard]] std::string unread_syntax(const std::string& uid);

/// One frame's samples, host byte order, `bits` 8, 16 or 32 each, colour by pixel unless `planar`.
struct RawFrame {
  std::vector<std::uint8_t> bytes;
  std::string photometric;
  int bits = 8;
  bool planar = false;
};

/// A picture of tiles that holds all slices of one volume, row by row from the top left (Siemens, United Imaging).
struct Mosaic {
  int across = 0, down = 0, count = 0;  ///< tiles a row, rows of tiles, tiles used
  std::optional<Vector3> normal{};      ///< from one slice to the next, where the header says so
  std::vector<PatientPoint> origins{};  ///< of each tile, where the header says them
};

/// Bytes of a file, or in memory, by their place.
struct ByteReader {
  std::int64_t end = 0;
  std::function<void(std::int64_t offset, std::span<std::byte> out)> read;
};
struct PixelRange {
  std::int64_t offset = 0, length = 0;
};
/// Where the fragments of each encapsulated frame lie. Throws Error{bad_input} where they do not make up so many frames.
[[nodiscard]] std::vector<std::vector<PixelRange>> frame_ranges(const Object& object, std::int64_t frames, const ByteReader& read);
/// What is wrong with encapsulated pixel data that go on behind the end of the file; nothing where they do not.
[[nodiscard]] std::optional<std::string> cut_fragment(const Object& object, const ByteReader& read);

/// The fragments of each encapsulated frame, in order.
using FrameFragments = std::vector<std::vector<std::span<const std::byte>>>;
/// Throws Error{bad_input} where the fragments do not make up so many frames.
[[nodiscard]] FrameFragments fragments_by_frame(const Object& object, std::int64_t frames);

/// The encapsulated or native frames of one instance. Calls for different frames may run at the same time.
/// The tiles of a mosaic count as frames: `layout` is that of one tile.
class Frames {
 public:
  explicit Frames(const Object& object);
  /// Of an instance opened again by its PixelPlace: plain and grey, so that nothing but the layout is needed.
  Frames(const Object& object, const Layout& layout);
  [[nodiscard]] const Layout& layout() const noexcept { return tile_ ? *tile_ : layout_; }
  [[nodiscard]] bool has_tiles() const noexcept { return tile_.has_value(); }
  /// Stored values of a grey frame, sign-extended; `out` holds columns * rows. Throws Error{bad_input}.
  void stored(std::int64_t frame, std::span<std::int32_t> out) const;
  void real(std::int64_t frame, std::span<float> out) const;
  /// Whether words() gives the samples: a grey frame of 16 bits that is no tile.
  [[nodiscard]] bool has_words() const noexcept;
  /// The samples with all their bits, in host byte order. Throws Error{bad_input}.
  void words(std::int64_t frame, std::span<std::int16_t> out) const;
  [[nodiscard]] std::vector<Rgb8> colour(std::int64_t frame) const;
  /// The samples of a whole picture (of a mosaic: not of a tile) as its decoder gives them; single bits one a byte.
  [[nodiscard]] RawFrame raw(std::int64_t frame) const;

 private:
  [[nodiscard]] std::vector<std::uint8_t> native(std::int64_t frame) const;
  void stored_picture(std::int64_t frame, std::span<std::int32_t> out) const;
  void stored_tile(std::int64_t frame, std::span<std::int32_t> out) const;
  const Object& object_;
  Layout layout_;
  std::optional<Layout> tile_;  ///< of a mosaic
  Mosaic mosaic_;
  mutable std::mutex tiles_mutex_;
  mutable std::int64_t tiles_frame_ = -1;
  mutable std::vector<std::int32_t> tiles_;  ///< the picture that tiles_frame_ names, decoded once for all its tiles
  FrameFragments fragments_;
  std::vector<Rgb8> palette_;
  int palette_first_ = 0;
};

/// Decodes one J2K, JP2 or HTJ2K frame; the samples are those of `layout`. Throws Error{bad_input}.
[[nodiscard]] RawFrame decode_jpeg2000(std::span<const std::byte> stream, const Layout& layout,
                                       const std::string& name);
[[nodiscard]] RawFrame decode_rle(std::span<const std::byte> stream, const Layout& layout, const std::string& name);
/// Raw deflate of the bytes that the frame has when it is not compressed (PS3.5 A.4.13).
[[nodiscard]] RawFrame decode_deflated(std::span<const std::byte> stream, const Layout& layout,
                                       const std::string& name);
[[nodiscard]] RawFrame decode_jpegls(std::span<const std::byte> stream, const Layout& layout, const std::string& name);
/// The data set of Deflated Explicit VR Little Endian: everything after the meta header is one raw deflate stream
/// (PS3.5 A.5). Throws Error{bad_input} past 200 times the packed size (above 64 MiB) or 8 GiB.
[[nodiscard]] std::vector<std::byte> inflate_data_set(std::span<const std::byte> packed, const std::string& name);
/// JPEG (processes 1, 2, 4, 14) through DCMTK's codecs.
[[nodiscard]] RawFrame decode_jpeg(std::span<const std::byte> stream, const std::string& transfer_syntax,
                                   const Layout& layout, const std::string& name);

/// RGB of the samples of a frame (PS3.3 C.7.6.3.1.2).
[[nodiscard]] std::vector<Rgb8> to_rgb(const RawFrame& raw, const Layout& layout, const std::string& name);
/// The palette and the first value that it maps (PS3.3 C.7.6.3.1.5, C.7.9.2). Throws Error{bad_input}.
[[nodiscard]] std::pair<int, std::vector<Rgb8>> palette_of(DcmItem& data, const std::string& name);

// --- facts.cpp -----------------------------------------------------------------------------------------------------

/// All that the header says of how the image came to be, without `instances`.
[[nodiscard]] Acquisition acquisition_of(DcmItem& data, std::vector<Remark>& remarks);
/// Seconds since 1970-01-01 of a DA and a TM, or of a DT. Nothing when they are not valid.
[[nodiscard]] std::optional<double> seconds_of(std::string_view date, std::string_view time) noexcept;
[[nodiscard]] std::optional<double> seconds_of_datetime(std::string_view datetime) noexcept;

// --- instance.cpp, multiframe.cpp: what one instance holds ---------------------------------------------------------

struct Plane {
  PatientPoint origin;
  Vector3 row{}, column{};  ///< patient directions of increasing x and y
  [[nodiscard]] Vector3 normal() const noexcept { return cross(row, column); }
};

/// One frame of one instance, and where it lies.
struct Slice {
  std::size_t instance = 0;
  int frame = 0;
  std::optional<Plane> plane;
  std::optional<std::array<double, 2>> spacing_mm;  ///< x, y
  std::optional<double> thickness_mm, between_mm;
  double slope = 1, intercept = 0;
  /// What tells apart slices at one place: acquisition, temporal position, echo time, b-value, trigger time, gate ...
  std::array<double, 13> keys{};
  std::optional<Vector3> gradient{};  ///< of diffusion, in patient space, of length one
  std::int64_t number = 0;  ///< Instance Number, or for frames that times 1e6 plus the frame's
};
enum SliceKey : std::size_t {
  key_temporal, key_echo, key_b_value, key_trigger, key_gate, key_window, key_acquisition, key_time, key_type,
  key_direction,  ///< a hash of `gradient`
  key_dimension,  ///< rank by Dimension Index Values that are not of space
  key_stack,      ///< a hash of Stack ID (0020,9056)
  key_view        ///< detector, rotation and angular view of a planar NM frame
};

/// Where the pixel data lie in the file of a plain instance (one grey frame, no palette, table or mosaic), so that
/// reading them need not parse the header again.
struct PixelPlace {
  std::int64_t offset = 0;
  std::uint32_t length = 0;
  bool big_endian = false, words = false;
};

/// Stored values to others by a table (PS3.3 C.11.1.1); those outside it get its ends.
struct ModalityLut {
  std::int32_t first = 0;  ///< the stored value of the first entry
  std::vector<float> values;
  std::string type;  ///< (0028,3004): HU, US (unspecified) ...
  [[nodiscard]] float at(std::int32_t value) const noexcept;
};
/// Nothing where there is none; a remark where there is one that makes no sense.
[[nodiscard]] std::optional<ModalityLut> modality_lut_of(DcmItem& data, const Layout& layout,
                                                         std::vector<Remark>& faults);

struct Instance {
  Source source;
  FileStamp stamp;
  std::optional<PixelPlace> place;
  SeriesKind kind = SeriesKind::other;
  bool enhanced = false, has_pixels = false;
  Acquisition acquisition;
  SourceInstance id;
  std::string sop_class, transfer_syntax, unit, shape;
  CodedConcept quantity;  ///< what a parametric map says that it measures
  std::string concatenation;  ///< (0020,9161): the instances of one cut into several (PS3.3 C.7.6.16.2.2.4)
  int series_number = 0, instance_number = 0;
  Layout layout;
  std::optional<ModalityLut> lut;
  bool real_world = false;  ///< `unit` and the slopes are those of a Real World Value Mapping
  std::vector<Slice> slices;
  std::vector<Remark> faults;
};

/// Throws Error{bad_input} only where the file is not DICOM; other faults are in `faults`.
[[nodiscard]] Instance instance_of(const Object& object, const Source& source);
/// The same, with what reading the pixels later needs.
[[nodiscard]] Instance placed_instance_of(const Object& object, const Source& source);
/// The pixel data only, of an instance that has its place. Throws Error{bad_input}.
[[nodiscard]] Object reopen(const Instance& instance);
/// What scan keeps for read: the instances by file.
struct ParsedSeries {
  std::vector<Instance> instances;
};
/// Fills the slices of an enhanced multi-frame instance from its functional groups (PS3.3 C.7.6.16).
void read_functional_groups(DcmItem& data, Instance& instance);
/// Plane from (0020,0032) and (0020,0037), orthonormal within 1e-3. Nothing when absent or wrong.
[[nodiscard]] std::optional<Plane> plane_of(DcmItem& position, DcmItem& orientation);
/// The same from three and six numbers.
[[nodiscard]] std::optional<Plane> plane_from(const std::vector<double>& position, const std::vector<double>& orientation);
/// 32 bits of the text's hash: enough to tell image types or stacks of one series apart.
[[nodiscard]] double hash_key(const std::string& text);
/// (0028,0030) as x, y. Nothing when absent; a remark when not > 0.
[[nodiscard]] std::optional<std::array<double, 2>> spacing_of(DcmItem& item, std::vector<Remark>& faults);

// --- geometry.cpp: slices to volumes -------------------------------------------------------------------------------

/// Slices in order along the normal, and whether they make one volume.
struct Stack {
  std::vector<Slice> slices;
  double distance_mm = 0;  ///< between slices; 0 when unknown
  std::string why;         ///< empty: a volume
};

struct Arrangement {
  std::vector<Stack> stacks;  ///< one a time, echo, b-value or gate
  SequenceAxis axis = SequenceAxis::none;
  std::vector<double> values;  ///< by stack, on the axis, as Image::axis_values; empty where they are not known
  std::vector<Vector3> directions;  ///< by stack, as Image::axis_directions
  std::vector<Remark> faults;
  bool planar = false;  ///< slices without place: frames
};

[[nodiscard]] Arrangement arrange(std::vector<Slice> slices);
/// False where the stacks are several, and not volumes on one grid.
[[nodiscard]] bool is_one_image(const Arrangement& arrangement);
/// The arrangement, or all its slices as frames where they are not one image.
[[nodiscard]] Arrangement as_one_image(Arrangement arrangement);
/// Runs of slices at one place, of slices in order along the normal.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> places_of(const std::vector<Slice>& slices);
/// Slices in order along the normal as volumes: one a time, echo, b-value, gate ..., each with at most one slice at each
/// place. One part that holds all where nothing tells slices at one place apart. Fills the axis, its values and remarks.
[[nodiscard]] std::vector<std::vector<Slice>> volumes_of(const std::vector<Slice>& slices, Arrangement& out);
[[nodiscard]] bool same_orientation(const Plane& a, const Plane& b) noexcept;
/// True when two slices lie at one place.
[[nodiscard]] bool has_repeats(const std::vector<Slice>& slices);
[[nodiscard]] std::string shape_of(const Arrangement& arrangement, const Layout& layout);

// --- read.cpp, nm.cpp, us.cpp, rt_dose.cpp, rtstruct.cpp: contents -------------------------------------------------

/// What the pixels lose in the voxel types that there are: integers past 2^24 as float32, colours of more than 8 bits.
[[nodiscard]] std::optional<Remark> loss_of(const Instance& instance, bool as_float);
[[nodiscard]] Content read_instances(std::vector<Instance> instances);
[[nodiscard]] Image read_slices(std::vector<Instance> instances);
[[nodiscard]] Image read_frames(std::vector<Instance> instances);

/// Slices of a RECON TOMO, placed by Detector Information and Spacing Between Slices (PS3.3 C.8.4.15).
void read_nm_slices(DcmItem& data, Instance& instance);
[[nodiscard]] RawData read_projections(const Object& object, Instance instance);
void read_nm_facts(DcmItem& data, Acquisition& acquisition);
/// What tells the frames of a planar NM instance apart: energy window, detector and view, phase and time slice, gate.
void read_nm_keys(DcmItem& data, Instance& instance);
/// What planar NM frames count, where one thing alone tells them apart; else `frame`.
[[nodiscard]] SequenceAxis nm_axis_of(const std::vector<Slice>& slices);
/// True where files of one NM series say by their frame vectors that they are different volumes at the same places.
[[nodiscard]] bool nm_files_belong_together(const std::vector<Instance>& group);

/// Planes of an RT Dose, each as `first` but for its place; values become dose (PS3.3 C.8.8.3).
void read_dose_slices(DcmItem& data, Slice first, Instance& instance);

[[nodiscard]] std::vector<UsRegion> us_regions(DcmItem& data);
/// mm per pixel of a frame: its one 2D tissue region in cm, which lies inside the frame.
[[nodiscard]] std::optional<std::array<double, 2>> us_spacing(const std::vector<UsRegion>& regions,
                                                              const Layout& layout, std::vector<Remark>& faults);

[[nodiscard]] Contours read_contours(const Object& object, std::vector<Remark>& faults);

}  // namespace penta::io::dicom
