#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "core/hash.h"
#include "io/dicom/torture_test.h"

namespace penta::io::dicom {

namespace {

constexpr int columns = 16, rows = 12, slices = 10, per_slice = columns * rows;
constexpr double x_mm = 1.25, y_mm = 2.0, z_mm = 3.0;
const std::string enhanced_mr_class = "1.2.840.10008.5.1.4.1.1.4.1";

constexpr std::array<std::string_view, torture_kinds> names{
    "plain",    "tilt",             "negative",      "uneven",          "missing",       "duplicate",
    "localiser", "time",            "echo",          "pet",             "nuclear",       "enhanced",
    "enhanced_against", "enhanced_tilt", "enhanced_uneven", "enhanced_time", "split",   "split_time"};

struct Axes {
  Vector3 row{}, column{};
};

// Turned about `axis` (0, 1, 2) by `degrees`.
Vector3 turned(const Vector3& v, int axis, double degrees) {
  const double angle = degrees * 3.14159265358979323846 / 180, c = std::cos(angle), s = std::sin(angle);
  const auto a = static_cast<std::size_t>((axis + 1) % 3), b = static_cast<std::size_t>((axis + 2) % 3);
  Vector3 out = v;
  out[a] = c * v[a] - s * v[b];
  out[b] = s * v[a] + c * v[b];
  return out;
}

Axes axes_of(int orientation) {
  constexpr Vector3 x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1}, minus_x{-1, 0, 0}, minus_y{0, -1, 0}, minus_z{0, 0, -1};
  const auto both = [](const Axes& axes, int axis, double degrees) {
    return Axes{turned(axes.row, axis, degrees), turned(axes.column, axis, degrees)};
  };
  switch (orientation) {
    case 0: return {x, y};              // axial, seen from the feet
    case 1: return {minus_x, minus_y};  // prone
    case 2: return {minus_x, y};        // slices run towards the feet
    case 3: return {y, x};              // rows and columns swapped
    case 4: return {x, minus_z};        // coronal
    case 5: return {minus_x, z};        // coronal, upside down and mirrored
    case 6: return {y, minus_z};        // sagittal
    case 7: return {minus_y, minus_z};  // sagittal, seen from the other side
    case 8: return both({x, y}, 0, 20);
    case 9: return both(both({x, minus_z}, 2, -35), 0, 15);
    case 10: return both(both({y, minus_z}, 2, 12), 1, -28);
    default: return both(both({minus_x, minus_y}, 0, 44), 1, 31);  // nearly on the border between planes
  }
}

// Where the voxels of a set truly lie.
struct Lattice {
  Axes axes;
  PatientPoint origin{-31.5, 22.25, 118.75};
  std::array<double, slices> height_mm{};
  double shift_per_mm = 0;  // along the column direction

  [[nodiscard]] PatientPoint at(int x, int y, int z) const {
    const Vector3 normal = cross(axes.row, axes.column);
    const double h = height_mm[static_cast<std::size_t>(z)], down = y * y_mm + h * shift_per_mm, along = x * x_mm;
    return {origin.x + along * axes.row[0] + down * axes.column[0] + h * normal[0],
            origin.y + along * axes.row[1] + down * axes.column[1] + h * normal[1],
            origin.z + along * axes.row[2] + down * axes.column[2] + h * normal[2]};
  }
};

Lattice lattice_of(Torture kind, int orientation) {
  Lattice out{axes_of(orientation)};
  constexpr std::array<double, slices> uneven{0, 3, 5, 9.5, 12.5, 19.5, 22.5, 24, 27, 33};
  const bool is_uneven = kind == Torture::uneven || kind == Torture::enhanced_uneven;
  for (std::size_t z = 0; z < slices; ++z) out.height_mm[z] = is_uneven ? uneven[z] : z_mm * static_cast<double>(z);
  if (kind == Torture::tilt || kind == Torture::enhanced_tilt) out.shift_per_mm = std::tan(0.2617993877991494);
  return out;
}

std::string joined(std::initializer_list<double> values) {
  std::string out;
  for (const double value : values) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.10g", value == 0 ? 0 : value);  // no minus zero
    out += (out.empty() ? "" : "\\") + std::string(text.data());
  }
  return out;
}

std::string position_text(const Lattice& lattice, int z) {
  const PatientPoint p = lattice.at(0, 0, z);
  return joined({p.x, p.y, p.z});
}

std::string orientation_text(const Axes& axes) {
  const Vector3 &r = axes.row, &c = axes.column;
  return joined({r[0], r[1], r[2], c[0], c[1], c[2]});
}

// The value of a voxel: none twice, none zero.
long value_at(int x, int y, int z, int volume) { return 1 + x + columns * (y + rows * (z + slices * volume)); }

void add_stored(std::vector<std::uint16_t>& out, int z, int volume, long times, long plus) {
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x)
      out.push_back(static_cast<std::uint16_t>(value_at(x, y, z, volume) * times + plus));
}

void add_truth(TortureSet& set, const Lattice& lattice, int z, int volume) {
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x) set.truth[value_at(x, y, z, volume)] = {lattice.at(x, y, z), volume};
}

void put_common(Made& made, const TortureSet& set, const std::string& instance) {
  made.text(tag::study_uid, uid_from("torture study")).text(tag::series_uid, uid_from("torture " + set.name));
  made.text(tag::sop_instance, uid_from("torture " + set.name + instance));
  made.text(tag::frame_of_reference, uid_from("torture frame " + set.name));
  made.text(tag::series_number, "1").text(tag::series_description, set.name);
  made.text(tag::patient_name, "Torture^Set").text(tag::patient_id, "TORTURE").text(tag::patient_position, "HFS");
  made.text(tag::study_date, "20240102").text(tag::study_time, "101112").text(tag::manufacturer, "TORTURE");
  made.text(tag::series_date, "20240102").text(tag::series_time, "101112");
  made.text(tag::acquisition_date, "20240102").text(tag::acquisition_time, "101112");
}

// One file a slice.
Made one_slice(const TortureSet& set, const Lattice& lattice, int z, int volume, int number) {
  const bool ct = set.kind == Torture::plain || set.kind == Torture::tilt || set.kind == Torture::uneven ||
                  set.kind == Torture::missing;
  const bool pet = set.kind == Torture::pet;
  Made made(ct ? ct_class : pet ? pet_class : mr_class, ct ? "CT" : pet ? "PT" : "MR", columns, rows);
  put_common(made, set, std::to_string(number));
  made.text(tag::image_type, ct ? "ORIGINAL\\PRIMARY\\AXIAL" : "ORIGINAL\\PRIMARY\\M");
  made.text(tag::instance_number, std::to_string(number));
  made.text(tag::image_position, position_text(lattice, z)).text(tag::image_orientation, orientation_text(lattice.axes));
  made.text(tag::pixel_spacing, joined({y_mm, x_mm})).text(tag::slice_thickness, joined({z_mm}));
  std::vector<std::uint16_t> stored;
  if (ct) {
    made.text(tag::rescale_slope, "1").text(tag::rescale_intercept, "-1024").text(tag::rescale_type, "HU");
    if (set.kind == Torture::tilt) made.text(tag::gantry_tilt, "15");
    add_stored(stored, z, volume, 1, 1024);
  } else if (pet) {
    made.text(tag::units, "BQML").text(tag::rescale_intercept, "0");
    made.text(tag::rescale_slope, z % 3 == 0 ? "1" : z % 3 == 1 ? "0.5" : "0.25");
    add_stored(stored, z, volume, 1L << (z % 3), 0);
  } else {
    made.text(tag::echo_time, set.kind == Torture::echo && volume == 1 ? "30" : "10").text(tag::repetition_time, "500");
    made.text({0x0018, 0x0023}, "2D").text(tag::scanning_sequence, "SE").text(tag::sequence_variant, "NONE");
    if (set.kind == Torture::negative) made.text(tag::spacing_between_slices, joined({-z_mm}));
    if (set.kind == Torture::time) {
      made.text(tag::temporal_position, std::to_string(volume + 1)).text({0x0020, 0x0105}, "3");
      made.text(tag::acquisition_time, "10" + std::to_string(11 + volume) + "12");
    }
    add_stored(stored, z, volume, 1, 0);
  }
  made.pixels(stored);
  return made;
}

// A picture at right angles to the slices, through their middle.
Made localiser(const TortureSet& set, const Lattice& lattice, int number) {
  Made made(mr_class, "MR", columns, rows);
  put_common(made, set, std::to_string(number));
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\M").text(tag::instance_number, std::to_string(number));
  const PatientPoint p = lattice.at(0, number % 3 * 5, 0);
  const Axes axes{lattice.axes.row, cross(lattice.axes.row, lattice.axes.column)};
  made.text(tag::image_position, joined({p.x, p.y, p.z})).text(tag::image_orientation, orientation_text(axes));
  made.text(tag::pixel_spacing, joined({y_mm, x_mm})).text(tag::slice_thickness, "5").text(tag::echo_time, "10");
  made.pixels(std::vector<std::uint16_t>(per_slice, 30000));
  return made;
}

std::string file_name(int number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "IM%06d.dcm", number);
  return text.data();
}

// Seven and thirteen have no factor with 9, 10, 20 or 30 in common: all numbers come once, in another order.
int shuffled(int i, int count) { return (i * (count % 7 == 0 ? 13 : 7) + 3) % count; }

void make_slices(TortureSet& set, const Lattice& lattice) {
  const int volumes = static_cast<int>(set.volumes), count = slices * volumes;
  for (int volume = 0; volume < volumes; ++volume)
    for (int z = 0; z < slices; ++z) {
      if (set.kind == Torture::missing && z == 4) continue;
      // Echoes are numbered slice by slice, times volume by volume; all count against the normal.
      const int up = set.kind == Torture::echo ? z * volumes + volume : z + slices * volume, number = count - up;
      set.files.push_back({file_name(shuffled(up, count)), one_slice(set, lattice, z, volume, number).bytes()});
      add_truth(set, lattice, z, volume);
    }
  if (set.kind == Torture::duplicate) set.files.push_back({file_name(900), set.files[6].bytes});
  if (set.kind == Torture::localiser)
    for (int i = 0; i < 3; ++i) set.files.push_back({file_name(i * 4 + 100), localiser(set, lattice, count + 1 + i).bytes()});
}

void make_nuclear(TortureSet& set, const Lattice& lattice) {
  Made made(nm_class, "NM", columns, rows);
  put_common(made, set, "");
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\RECON TOMO\\EMISSION").text(tag::instance_number, "1");
  made.text(tag::number_of_frames, std::to_string(slices)).text(tag::pixel_spacing, joined({y_mm, x_mm}));
  made.text(tag::slice_thickness, joined({z_mm})).text(tag::spacing_between_slices, joined({-z_mm}));
  DcmItem& detector = new_item(made.data(), tag::detector_sequence);
  // The first frame lies farthest along the normal, and the others follow against it.
  set_text(detector, tag::image_position, position_text(lattice, slices - 1));
  set_text(detector, tag::image_orientation, orientation_text(lattice.axes));
  std::vector<std::uint16_t> order, stored;
  for (int frame = 0; frame < slices; ++frame) {
    order.push_back(static_cast<std::uint16_t>(frame + 1));
    add_stored(stored, slices - 1 - frame, 0, 1, 0);
    add_truth(set, lattice, slices - 1 - frame, 0);
  }
  made.words(tag::slice_vector, order).word({0x0054, 0x0081}, slices);
  made.data().putAndInsertTagKey(DCM_FrameIncrementPointer, DCM_SliceVector);
  made.pixels(stored);
  set.files.push_back({"nm.dcm", made.bytes()});
}

struct Frame {
  int z = 0, volume = 0;
};

void put_shared_groups(Made& made, const TortureSet& set, const Lattice& lattice, bool ct) {
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, {0x0020, 0x9116}), tag::image_orientation, orientation_text(lattice.axes));
  DcmItem& measures = new_item(shared, {0x0028, 0x9110});
  set_text(measures, tag::pixel_spacing, joined({y_mm, x_mm}));
  set_text(measures, tag::slice_thickness, joined({z_mm}));
  if (set.kind == Torture::enhanced_against) set_text(measures, tag::spacing_between_slices, joined({z_mm}));
  DcmItem& values = new_item(shared, {0x0028, 0x9145});
  set_text(values, tag::rescale_intercept, ct ? "-1024" : "0");
  set_text(values, tag::rescale_slope, "1");
  set_text(values, tag::rescale_type, ct ? "HU" : "US");
  DcmItem& type = new_item(shared, ct ? Tag{0x0018, 0x9329} : Tag{0x0018, 0x9226});
  set_text(type, {0x0008, 0x9007}, ct ? "ORIGINAL\\PRIMARY\\VOLUME\\NONE" : "ORIGINAL\\PRIMARY\\M\\NONE");
  if (ct) return;
  new_item(shared, {0x0018, 0x9114}).putAndInsertFloat64(DCM_EffectiveEchoTime, 10);
  set_text(new_item(shared, {0x0018, 0x9112}), tag::repetition_time, "500");
}

void put_dimensions(Made& made) {
  const std::string uid = uid_from("torture dimensions");
  set_text(new_item(made.data(), {0x0020, 0x9221}), {0x0020, 0x9164}, uid);
  for (const auto& key : {DCM_StackID, DCM_InStackPositionNumber, DCM_TemporalPositionIndex}) {
    DcmItem& row = new_item(made.data(), {0x0020, 0x9222});
    row.putAndInsertTagKey(DCM_DimensionIndexPointer, key);
    row.putAndInsertTagKey(DCM_FunctionalGroupPointer, DCM_FrameContentSequence);
    set_text(row, {0x0020, 0x9164}, uid);
  }
}

void put_frame(Made& made, const Lattice& lattice, const Frame& frame) {
  DcmItem& own = new_item(made.data(), tag::per_frame_groups);
  set_text(new_item(own, {0x0020, 0x9113}), tag::image_position, position_text(lattice, frame.z));
  DcmItem& content = new_item(own, {0x0020, 0x9111});
  set_text(content, {0x0020, 0x9056}, "1");
  const std::array<Uint32, 3> index{1, static_cast<Uint32>(frame.z + 1), static_cast<Uint32>(frame.volume + 1)};
  content.putAndInsertUint32(DCM_InStackPositionNumber, index[1]);
  content.putAndInsertUint32(DCM_TemporalPositionIndex, index[2]);
  content.putAndInsertUint32Array(DCM_DimensionIndexValues, index.data(), index.size());
  const std::string moment = "2024010210" + std::to_string(11 + frame.volume) + "12";
  set_text(content, {0x0018, 0x9074}, moment);
  set_text(content, {0x0018, 0x9151}, moment);
}

void make_enhanced(TortureSet& set, const Lattice& lattice, const std::vector<Frame>& frames, int part, int parts) {
  const bool ct = set.kind == Torture::enhanced_against || set.kind == Torture::enhanced_tilt;
  Made made(ct ? enhanced_ct_class : enhanced_mr_class, ct ? "CT" : "MR", columns, rows);
  put_common(made, set, std::to_string(part));
  made.text(tag::image_type, ct ? "ORIGINAL\\PRIMARY\\VOLUME\\NONE" : "ORIGINAL\\PRIMARY\\M\\NONE");
  made.text(tag::instance_number, set.kind == Torture::split ? "1" : std::to_string(part + 1));
  made.text(tag::number_of_frames, std::to_string(frames.size()));
  if (set.kind == Torture::split) {
    made.text({0x0020, 0x9161}, uid_from("torture concatenation " + set.name));
    made.text({0x0020, 0x0242}, uid_from("torture whole " + set.name));
    made.word({0x0020, 0x9162}, static_cast<std::uint16_t>(part + 1));
    made.word({0x0020, 0x9163}, static_cast<std::uint16_t>(parts));
    made.data().putAndInsertUint32(DCM_ConcatenationFrameOffsetNumber, static_cast<Uint32>(part == 0 ? 0 : 1 + 3 * part));
  }
  put_shared_groups(made, set, lattice, ct);
  put_dimensions(made);
  std::vector<std::uint16_t> stored;
  for (const Frame& frame : frames) {
    put_frame(made, lattice, frame);
    add_stored(stored, frame.z, frame.volume, 1, ct ? 1024 : 0);
    add_truth(set, lattice, frame.z, frame.volume);
  }
  made.pixels(stored);
  set.files.push_back({"enhanced_" + std::to_string((part * 2 + 1) % 3) + ".dcm", made.bytes()});
}

void make_enhanced(TortureSet& set, const Lattice& lattice) {
  std::vector<std::vector<Frame>> files(1);
  if (set.kind == Torture::split) {
    files.resize(3);
    for (int z = 0; z < slices; ++z) files[static_cast<std::size_t>(z % 3)].push_back({z, 0});
  } else if (set.kind == Torture::split_time) {
    files.resize(3);
    for (int i = 0; i < 3 * slices; ++i) files[static_cast<std::size_t>(i / slices)].push_back({shuffled(i % slices, slices), i / slices});
  } else if (set.kind == Torture::enhanced_time) {
    for (int i = 0; i < 3 * slices; ++i) files[0].push_back({i / 3, i % 3});
  } else {
    for (int i = 0; i < slices; ++i)
      files[0].push_back({set.kind == Torture::enhanced_against ? slices - 1 - i : shuffled(i, slices), 0});
  }
  for (std::size_t part = 0; part < files.size(); ++part)
    make_enhanced(set, lattice, files[part], static_cast<int>(part), static_cast<int>(files.size()));
}

}  // namespace

std::string_view torture_name(Torture kind) { return names[static_cast<std::size_t>(kind)]; }

TortureSet make_torture(Torture kind, int orientation) {
  TortureSet set;
  std::array<char, 8> number{};
  std::snprintf(number.data(), number.size(), "_%02d", orientation);
  set.name = std::string(torture_name(kind)) + number.data();
  set.kind = kind;
  const Lattice lattice = lattice_of(kind, orientation);
  switch (kind) {
    case Torture::tilt:
    case Torture::enhanced_tilt:
    case Torture::uneven:
    case Torture::enhanced_uneven:
    case Torture::missing: set.form = TortureForm::stack; break;
    case Torture::time:
    case Torture::enhanced_time:
    case Torture::split_time: set.volumes = 3; break;
    case Torture::echo: set.volumes = 2; break;
    case Torture::localiser: set.series = 2; break;
    default: break;
  }
  if (kind == Torture::nuclear) make_nuclear(set, lattice);
  else if (kind >= Torture::enhanced) make_enhanced(set, lattice);
  else make_slices(set, lattice);
  return set;
}

}  // namespace penta::io::dicom
