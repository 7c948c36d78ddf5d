#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "core/hash.h"
#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr double pi = 3.14159265358979323846;

/// The value of a frame vector (PS3.3 C.8.4.8), counted from one; 1 where there is no such vector.
int place_in(const std::vector<std::uint16_t>& vector, std::size_t frame) noexcept {
  return frame < vector.size() ? vector[frame] : 1;
}

int largest(const std::vector<std::uint16_t>& vector) noexcept {
  return vector.empty() ? 1 : *std::max_element(vector.begin(), vector.end());
}

struct FrameVectors {
  std::vector<std::uint16_t> window, detector, rotation, rr, slot, view, phase, time;

  explicit FrameVectors(DcmItem& data)
      : window(words16(data, tag::energy_window_vector)),
        detector(words16(data, tag::detector_vector)),
        rotation(words16(data, tag::rotation_vector)),
        rr(words16(data, tag::rr_vector)),
        slot(words16(data, tag::time_slot_vector)),
        view(words16(data, tag::angular_view_vector)),
        phase(words16(data, Tag{0x0054, 0x0030})),
        time(words16(data, Tag{0x0054, 0x0100})) {}
};

/// One turn of one detector: where its views stand.
struct Turn {
  double start_deg = 0, step_deg = 0;  ///< as DICOM counts, the step signed
  bool start_known = false;
  std::vector<double> radius_mm;
};

// PS3.3 C.8.4.10: CW is a falling angle, CC a rising one.
Turn turn_of(DcmItem* rotation, DcmItem* detector, int views) {
  Turn turn;
  std::optional<double> start;
  if (detector != nullptr) start = number(*detector, tag::start_angle);
  if (rotation != nullptr) {
    if (!start) start = number(*rotation, tag::start_angle);
    const double arc = number(*rotation, tag::scan_arc).value_or(360);
    const double step = number(*rotation, tag::angular_step).value_or(views > 0 ? arc / views : 0);
    turn.step_deg = text(*rotation, tag::rotation_direction) == "CW" ? -std::abs(step) : std::abs(step);
    turn.radius_mm = numbers(*rotation, tag::radial_position);
  }
  turn.start_known = start.has_value();
  turn.start_deg = start.value_or(0);
  return turn;
}

// Angles stay as DICOM counts them: zero at the patient's back, rising counter-clockwise seen from the feet, towards
// the patient's left (PS3.3 C.8.4.12).
double within_turn(double angle_deg) noexcept {
  const double angle = std::fmod(angle_deg, 360.0);
  return angle < 0 ? angle + 360 : angle;
}

void read_axial(DcmItem& data, DcmItem* detector, const std::vector<double>& angles, Projections& out,
                const Acquisition& acquisition, std::vector<Remark>& remarks) {
  const auto plane = detector != nullptr ? plane_of(*detector, *detector) : plane_of(data, data);
  if (plane && std::abs(plane->column[2]) > 0.9) {
    out.axial_known = true;
    out.axial_start_mm = plane->origin.z;
    out.axial_step_mm = out.spacing_mm[1] * (plane->column[2] > 0 ? 1 : -1);
    // Seen from the detector the normal points into the patient; a mirrored picture would turn it round.
    const double angle = angles.empty() ? 0 : angles.front() * pi / 180;
    const Vector3 into_patient{-std::sin(angle), -std::cos(angle), 0};
    if (dot(plane->normal(), into_patient) < -0.1)
      remarks.push_back({Severity::warning, "mirrored_projections",
                         "the detector's orientation (0020,0037) contradicts its start angle: views may be mirrored"});
    return;
  }
  const bool feet_first = acquisition.patient_position.starts_with("FF");
  out.axial_step_mm = -out.spacing_mm[1];
  remarks.push_back({Severity::warning, "axial_assumed",
                     std::string("the header does not say how rows lie along the patient; rows from head to feet are "
                                 "assumed") + (feet_first ? " although the patient lies feet first" : "")});
}

void read_angles(DcmItem& data, const FrameVectors& vectors, int views, Projections& out,
                 std::vector<Remark>& remarks) {
  const auto rotations = items(data, tag::rotation_sequence), detectors = items(data, tag::detector_sequence);
  const int turns = largest(vectors.rotation), heads = largest(vectors.detector);
  bool known = true;
  for (int r = 0; r < turns; ++r) {
    for (int d = 0; d < heads; ++d) {
      const auto at = [](const std::vector<DcmItem*>& list, int i) {
        return static_cast<std::size_t>(i) < list.size() ? list[static_cast<std::size_t>(i)] : nullptr;
      };
      Turn turn = turn_of(at(rotations, r), at(detectors, d), views);
      known = known && turn.start_known;
      // Heads without an angle of their own are taken to stand evenly around the patient.
      const bool own = at(detectors, d) != nullptr && has(*at(detectors, d), tag::start_angle);
      if (heads > 1 && !own) turn.start_deg += 360.0 * d / heads;
      for (int v = 0; v < views; ++v) {
        out.angle_deg.push_back(within_turn(turn.start_deg + v * turn.step_deg));
        const auto& radius = turn.radius_mm;
        if (radius.empty()) continue;
        out.radius_mm.push_back(radius.size() == static_cast<std::size_t>(views) ? radius[static_cast<std::size_t>(v)]
                                                                                  : radius.front());
      }
      if (heads > 1 && !own && d == 1)
        remarks.push_back({Severity::warning, "detector_angles_assumed",
                           "detectors have no start angle of their own (0054,0200): they are taken to stand evenly "
                           "around the patient"});
    }
  }
  if (out.radius_mm.size() != out.angle_deg.size()) out.radius_mm.clear();
  if (!known)
    remarks.push_back({Severity::warning, "start_angle_assumed",
                       "Start Angle (0054,0200) is missing: the first view is assumed at the patient's back"});
}

}  // namespace

void read_nm_facts(DcmItem& data, Acquisition& acquisition) {
  SpectFacts facts;
  const auto type = words(data, tag::image_type);
  if (type.size() > 2) facts.kind = {type[2], "(0008,0008)"};
  for (DcmItem* item : items(data, tag::energy_window_sequence)) {
    EnergyWindow window{text(*item, tag::energy_window_name), 0, 0};
    if (DcmItem* range = first_item(*item, tag::energy_window_range)) {
      window.lower_kev = number(*range, tag::energy_lower).value_or(0);
      window.upper_kev = number(*range, tag::energy_upper).value_or(0);
    }
    facts.energy_windows.push_back(std::move(window));
  }
  if (DcmItem* item = first_item(data, tag::radiopharmaceutical_sequence)) {
    const auto meaning = [&](Tag sequence) {
      DcmItem* code = first_item(*item, sequence);
      return code == nullptr ? std::string() : text(*code, tag::code_meaning);
    };
    std::string tracer = text(*item, tag::radiopharmaceutical);
    if (tracer.empty()) tracer = meaning(tag::radiopharmaceutical_code);
    if (!tracer.empty()) facts.tracer = {tracer, "(0054,0016)"};
    if (std::string isotope = meaning(tag::radionuclide_code); !isotope.empty())
      facts.isotope = {isotope, "(0054,0300)"};
  }
  DcmItem* detector = first_item(data, tag::detector_sequence);
  if (detector != nullptr)
    if (std::string name = text(*detector, tag::collimator); !name.empty()) facts.collimator = {name, "(0018,1180)"};
  const FrameVectors vectors(data);
  facts.gates = {std::max(largest(vectors.slot), largest(vectors.rr)), "(0054,0070)"};
  facts.detectors = {integer(data, Tag{0x0054, 0x0021}), "(0054,0021)"};
  facts.rotations = {integer(data, Tag{0x0054, 0x0051}), "(0054,0051)"};
  DcmItem* rotation = first_item(data, tag::rotation_sequence);
  facts.frame_duration_ms = {number(rotation != nullptr ? *rotation : data, tag::frame_duration), "(0018,1242)"};
  if (acquisition.frame_of_reference_uid.empty() && detector != nullptr)
    acquisition.frame_of_reference_uid = text(*detector, tag::frame_of_reference);
  acquisition.facts = std::move(facts);
}

void read_nm_slices(DcmItem& data, Instance& instance) {
  DcmItem* detector = first_item(data, tag::detector_sequence);
  std::optional<Plane> plane;
  if (detector != nullptr) plane = plane_of(*detector, *detector);
  if (!plane) plane = plane_of(data, data);
  const auto spacing = spacing_of(data, instance.faults);
  const auto thickness = number(data, tag::slice_thickness);
  double between = number(data, tag::spacing_between_slices).value_or(0);
  if (between == 0 && thickness && *thickness > 0) {
    between = *thickness;
    instance.faults.push_back({Severity::note, "slice_distance_assumed",
                               "Spacing Between Slices (0018,0088) is missing: the slice thickness is taken"});
  }
  // PS3.3 C.8.4.15: the sign says on which side of the first slice the others lie.
  if (between < 0)
    instance.faults.push_back({Severity::note, "negative_spacing",
                               "Spacing Between Slices (0018,0088) is negative: slices are stored against the normal, "
                               "and were placed accordingly"});
  const auto order = words16(data, tag::slice_vector);
  for (std::int64_t frame = 0; frame < instance.layout.frames; ++frame) {
    const auto at = static_cast<std::size_t>(frame);
    Slice slice;
    slice.number = instance.instance_number * std::int64_t{1000000} + frame;
    slice.frame = static_cast<int>(frame);
    slice.spacing_mm = spacing;
    slice.thickness_mm = thickness;
    slice.between_mm = std::abs(between);
    slice.slope = number(data, tag::rescale_slope).value_or(1);
    slice.intercept = number(data, tag::rescale_intercept).value_or(0);
    // One frame lies where its header says, however far the next one is.
    if (plane && instance.layout.frames == 1) slice.plane = plane;
    else if (plane && between != 0) {
      const double steps = order.empty() ? static_cast<double>(frame) : place_in(order, at) - 1.0;
      const Vector3 normal = plane->normal();
      slice.plane = plane;
      const double along = steps * between;
      const PatientPoint& first = plane->origin;
      slice.plane->origin = {first.x + along * normal[0], first.y + along * normal[1], first.z + along * normal[2]};
    }
    instance.slices.push_back(slice);
  }
  read_nm_keys(data, instance);
}

void read_nm_keys(DcmItem& data, Instance& instance) {
  const FrameVectors vectors(data);
  for (Slice& slice : instance.slices) {
    const auto at = static_cast<std::size_t>(slice.frame);
    slice.keys[key_gate] = place_in(vectors.rr, at) * 1000.0 + place_in(vectors.slot, at);
    slice.keys[key_window] = place_in(vectors.window, at);
    slice.keys[key_temporal] = place_in(vectors.phase, at) * 100000.0 + place_in(vectors.time, at);
    slice.keys[key_view] = (place_in(vectors.detector, at) * 1000.0 + place_in(vectors.rotation, at)) * 1e5 +
                           place_in(vectors.view, at);
  }
}

SequenceAxis nm_axis_of(const std::vector<Slice>& slices) {
  constexpr std::array<std::pair<SliceKey, SequenceAxis>, 4> axes{{{key_view, SequenceAxis::view},
                                                                   {key_window, SequenceAxis::energy_window},
                                                                   {key_gate, SequenceAxis::gate},
                                                                   {key_temporal, SequenceAxis::time}}};
  SequenceAxis out = SequenceAxis::frame;
  int varying = 0;
  for (const auto& [key, axis] : axes) {
    std::set<double> values;
    for (const Slice& slice : slices) values.insert(slice.keys[key]);
    if (values.size() == slices.size()) out = axis;
    if (values.size() > 1) ++varying;
  }
  if (slices.size() < 2) return SequenceAxis::none;
  return varying == 1 ? out : SequenceAxis::frame;
}

bool nm_files_belong_together(const std::vector<Instance>& group) {
  std::set<std::array<double, 3>> seen;
  for (const Instance& instance : group) {
    std::set<std::array<double, 3>> mine;
    if (instance.acquisition.image_type != group.front().acquisition.image_type ||
        instance.acquisition.frame_of_reference_uid != group.front().acquisition.frame_of_reference_uid ||
        instance.unit != group.front().unit || instance.slices.size() != group.front().slices.size())
      return false;
    for (const Slice& slice : instance.slices)
      mine.insert({slice.keys[key_gate], slice.keys[key_window], slice.keys[key_temporal]});
    for (const auto& volume : mine)
      if (!seen.insert(volume).second) return false;
  }
  const Instance &a = group.front(), &b = group.back();
  return std::all_of(group.begin(), group.end(), [&](const Instance& instance) {
    return instance.slices.front().plane && instance.slices.front().plane->origin == a.slices.front().plane->origin &&
           instance.slices.back().plane->origin == b.slices.back().plane->origin;
  });
}

RawData read_projections(const Object& object, Instance instance) {
  DcmItem& data = object.data();
  const Frames frames(object);
  const Layout& layout = frames.layout();
  if (layout.is_colour()) throw Error(Code::bad_input, "reading " + object.name + ": projections in colour");
  const FrameVectors vectors(data);
  const auto count = static_cast<std::size_t>(layout.frames);
  const int heads = largest(vectors.detector), turns = largest(vectors.rotation);
  const int slots = largest(vectors.slot), rrs = largest(vectors.rr), windows = largest(vectors.window);
  const std::int64_t cells = static_cast<std::int64_t>(heads) * turns * slots * rrs * windows;
  const int views = vectors.view.empty() ? static_cast<int>(layout.frames / std::max<std::int64_t>(cells, 1))
                                         : largest(vectors.view);
  if (views < 1 || cells * views != layout.frames)
    throw Error(Code::bad_input, "reading " + object.name + ": " + std::to_string(layout.frames) +
                                     " frames are not energy windows x detectors x rotations x gates x views");
  const auto spacing = spacing_of(data, instance.faults);
  if (!spacing) throw Error(Code::bad_input, "reading " + object.name + ": Pixel Spacing (0028,0030) is missing");
  Projections out;
  out.columns = layout.columns;
  out.rows = layout.rows;
  out.spacing_mm = *spacing;
  out.gates = slots * rrs;
  out.windows = windows;
  read_angles(data, vectors, views, out, instance.faults);
  read_axial(data, first_item(data, tag::detector_sequence), out.angle_deg, out, instance.acquisition, instance.faults);
  const auto pixels = static_cast<std::size_t>(layout.pixels()), all_views = out.angle_deg.size();
  out.layers.assign(static_cast<std::size_t>(out.gates * windows), std::vector<float>(pixels * all_views));
  std::vector<char> filled(count, 0);
  for (std::size_t frame = 0; frame < count; ++frame) {
    const int gate = (place_in(vectors.rr, frame) - 1) * slots + place_in(vectors.slot, frame) - 1;
    const int view = vectors.view.empty() ? static_cast<int>(frame % static_cast<std::size_t>(views))
                                          : place_in(vectors.view, frame) - 1;
    const int turn = (place_in(vectors.rotation, frame) - 1) * heads + place_in(vectors.detector, frame) - 1;
    const int window = place_in(vectors.window, frame) - 1;
    if (gate < 0 || view < 0 || turn < 0 || window < 0 || gate >= out.gates)
      throw Error(Code::bad_input, "reading " + object.name + ": a frame vector (0054,00xx) counts from zero");
    const auto layer = static_cast<std::size_t>(gate + out.gates * window);
    const auto place = static_cast<std::size_t>(turn * views + view);
    const std::size_t cell = layer * all_views + place;
    if (cell >= count || filled[cell] != 0)
      throw Error(Code::bad_input, "reading " + object.name + ": the frame vectors (0054,00xx) name one view twice");
    filled[cell] = 1;
    frames.real(static_cast<std::int64_t>(frame), std::span(out.layers[layer]).subspan(place * pixels, pixels));
  }
  RawData raw;
  Sha256 hash;
  for (const auto& layer : out.layers) hash.add(std::as_bytes(std::span(layer)));
  hash.add(std::as_bytes(std::span(out.angle_deg)));
  raw.sha256 = hash.hex();
  raw.value = std::move(out);
  raw.acquisition = std::move(instance.acquisition);
  raw.acquisition.instances = {instance.id};
  raw.remarks = std::move(instance.faults);
  return raw;
}

}  // namespace penta::io::dicom
