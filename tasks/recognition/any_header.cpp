#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "modality/contrast.h"
#include "modality/mr/sequence.h"
#include "modality/nuclides.h"
#include "modality/pet/suv.h"
#include "modality/us/screen.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

/// What the header says, as labels, and what in it cannot be true together.
struct Reading {
  std::vector<std::string> labels;
  std::vector<Remark> remarks;

  void label(std::string text) {
    if (!text.empty() && std::find(labels.begin(), labels.end(), text) == labels.end()) labels.push_back(std::move(text));
  }
  void conflict(const char* code, std::string text) { remarks.push_back({Severity::warning, code, std::move(text)}); }
  void note(const char* code, std::string text) { remarks.push_back({Severity::note, code, std::move(text)}); }
};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool has_word(const std::string& list, std::string_view word) {
  const std::string all = "\\" + upper(list) + "\\";
  return all.find("\\" + std::string(word) + "\\") != std::string::npos;
}

// Siemens: a number of 50 and more is sharp (B70f, Br59, Hr64); GE: by name; Philips and others: not known.
std::string kernel_class(const std::string& kernel) {
  const std::string text = upper(kernel);
  for (const char* sharp : {"BONE", "EDGE", "LUNG", "DETAIL", "ULTRA"})
    if (text.find(sharp) != std::string::npos) return "sharp kernel";
  for (const char* soft : {"STANDARD", "SOFT"})
    if (text.find(soft) != std::string::npos) return "smooth kernel";
  const std::size_t digit = text.find_first_of("0123456789");
  if (digit == std::string::npos || digit == 0 || digit > 2 || text.find_first_of("BHQIUTD") != 0) return {};
  int number = 0;
  std::from_chars(text.data() + digit, text.data() + text.size(), number);
  return number >= 50 && number < 100 ? "sharp kernel" : number >= 10 && number < 50 ? "smooth kernel" : "";
}

void read_ct(const CtFacts& facts, const Image* image, Reading& reading) {
  if (facts.kernel) reading.label(kernel_class(*facts.kernel));
  if (contrast_given(facts.contrast_agent)) reading.label("contrast agent");
  if (facts.gantry_tilt_deg && std::abs(*facts.gantry_tilt_deg) > 0.5) reading.label("tilted gantry");
  if (image != nullptr && !image->unit.empty() && image->unit != "[hnsf'U]")
    reading.conflict("unit_conflict", "a CT image whose values are in '" + image->unit + "'");
  if (image == nullptr || !image->is_volume()) return;
  const Volume<float> hu = to_float(image->volume());
  const auto [low, high] = std::minmax_element(hu.voxels().begin(), hu.voxels().end());
  if (*low >= 0 && *high > 500)
    reading.conflict("values_not_hu", "no value below 0: air would be -1000 HU, so the rescaling (0028,1052) may be missing");
}

void read_mr(const MrFacts& facts, const std::string& image_type, Reading& reading) {
  const mr::Sequence sequence = mr::classify(facts, image_type);
  reading.label(sequence.name);
  if (!sequence.name.empty()) reading.note("sequence_rule", sequence.name + ": " + sequence.why);
  if (contrast_given(facts.contrast_agent)) reading.label("contrast agent");
  if (facts.field_strength_t && (*facts.field_strength_t < 0.01 || *facts.field_strength_t > 25))
    reading.conflict("field_strength", "magnetic field strength (0018,0087) is not in tesla");
  if (facts.echo_time_ms && facts.repetition_time_ms && *facts.repetition_time_ms > 0 && *facts.echo_time_ms > *facts.repetition_time_ms)
    reading.conflict("timing", "echo time (0018,0081) is longer than the repetition time (0018,0080)");
}

void read_us(const Image* image, Reading& reading) {
  if (image == nullptr || !image->is_frames()) return;
  for (std::string& mode : us::modes_of_regions(image->frames())) reading.label(std::move(mode));
  if (image->frames().size() > 1) reading.label("cine");
  if (image->frames().front().regions.empty() && !image->frames().front().spacing_mm)
    reading.note("no_calibration", "no region calibration (0018,6011): the header does not say how large a pixel is");
}

void read_pet(const PetFacts& facts, const Acquisition& acquisition, Reading& reading) {
  const Nuclide* by_time = facts.half_life_s ? nuclide_by_half_life(*facts.half_life_s) : nullptr;
  const Nuclide* by_name = facts.tracer ? nuclide_by_text(*facts.tracer) : nullptr;
  if (by_time != nullptr) reading.label(std::string(by_time->name));
  if (facts.half_life_s && by_time == nullptr) reading.conflict("half_life", "half-life (0018,1075) is that of no nuclide used in PET");
  if (by_time != nullptr && by_name != nullptr && by_time != by_name)
    reading.conflict("nuclide_conflict", "the tracer names " + std::string(by_name->name) + ", and the half-life (0018,1075) is that of " +
                                             std::string(by_time->name));
  if (facts.tracer && upper(*facts.tracer).find("FDG") != std::string::npos) reading.label("FDG");
  if (facts.corrections) {
    reading.label(has_word(*facts.corrections, "ATTN") ? "attenuation corrected" : "not attenuation corrected");
    if (!has_word(*facts.corrections, "DECY") && facts.decay_correction && *facts.decay_correction != "NONE")
      reading.conflict("decay_conflict", "decay correction (0054,1102) is " + *facts.decay_correction + ", but corrected image (0028,0051) lacks DECY");
  }
  try {
    for (const Remark& remark : pet::suv_scale(facts, acquisition.patient, pet::SuvType::bw).remarks) reading.remarks.push_back(remark);
  } catch (const Error& fault) {
    reading.note("no_suv", fault.what());
  }
}

void read_spect(const SpectFacts& facts, const Acquisition& acquisition, Reading& reading) {
  const std::string kind = upper(facts.kind ? *facts.kind : acquisition.image_type);
  const bool tomographic = kind.find("TOMO") != std::string::npos;
  if (kind.find("RECON") != std::string::npos)
    reading.label("reconstructed");
  else if (tomographic)
    reading.label("tomographic projections");
  else if (kind.find("WHOLE BODY") != std::string::npos)
    reading.label("whole body");
  else if (!kind.empty())
    reading.label(kind.find("DYNAMIC") != std::string::npos ? "dynamic planar" : "planar");
  if (kind.find("GATED") != std::string::npos || (facts.gates && *facts.gates > 1)) reading.label("gated");
  const Nuclide* nuclide = facts.isotope ? nuclide_by_text(*facts.isotope) : nullptr;
  if (nuclide == nullptr && facts.tracer) nuclide = nuclide_by_text(*facts.tracer);
  if (nuclide == nullptr) return;
  reading.label(std::string(nuclide->name));
  if (!energies_fit(*nuclide, facts.energy_windows))
    reading.conflict("energy_conflict", "no energy window holds a photon of " + std::string(nuclide->name));
}

// The field of view against the body part that the header names.
void read_extent(const Image& image, const Acquisition& acquisition, Reading& reading) {
  if (!image.is_volume()) return;
  const Grid& grid = grid_of(image.volume());
  std::array<double, 3> extent{};
  for (std::size_t k = 0; k < 3; ++k) extent[k] = static_cast<double>(grid.size()[k]) * grid.spacing_mm()[k];
  const auto order = axis_order(grid);
  const double across = extent[static_cast<std::size_t>(order.index_axis[0])], along = extent[static_cast<std::size_t>(order.index_axis[2])];
  const std::string part = upper(acquisition.body_part);
  if ((part == "HEAD" || part == "BRAIN") && along > 500)
    reading.conflict("body_part_conflict", "body part (0018,0015) is " + part + ", and the image is " +
                                               std::to_string(static_cast<int>(along)) + " mm long");
  if (along > 1000) reading.label("whole body");
  const bool many = grid.size()[static_cast<std::size_t>(order.index_axis[0])] > 1;
  if (across > 900 || (many && across < 5))
    reading.conflict("field_of_view", "a field of view of " + std::to_string(static_cast<int>(across)) + " mm across is no patient's");
}

Reading read(const Acquisition& acquisition, const Image* image) {
  Reading reading;
  reading.label(acquisition.modality);
  if (acquisition.synthetic) reading.label("synthetic");
  if (const auto* ct = facts_of<CtFacts>(acquisition)) read_ct(*ct, image, reading);
  if (const auto* mr = facts_of<MrFacts>(acquisition)) read_mr(*mr, acquisition.image_type, reading);
  if (const auto* pet = facts_of<PetFacts>(acquisition)) read_pet(*pet, acquisition, reading);
  if (const auto* spect = facts_of<SpectFacts>(acquisition)) read_spect(*spect, acquisition, reading);
  if (acquisition.modality == "US") read_us(image, reading);
  if (image == nullptr) return reading;
  if (acquisition.modality != "CT" && image->unit == "[hnsf'U]")
    reading.conflict("unit_conflict", "values in Hounsfield units, and the modality (0008,0060) is " + acquisition.dicom_modality);
  read_extent(*image, acquisition, reading);
  return reading;
}

class AnyHeader final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const auto* image = request.find<Image>("image");
    const auto* raw = request.find<RawData>("raw");
    if (image == nullptr && raw == nullptr) throw Error(Code::bad_input, "reading a header: neither an image nor projections were given");
    Reading reading = read(image != nullptr ? image->acquisition : raw->acquisition, image);
    Scores scores;
    for (std::string& label : reading.labels) scores.push_back({std::move(label), std::nullopt, {}});
    Answer answer;
    answer.artifacts.push_back({"labels", std::move(scores)});
    answer.remarks = std::move(reading.remarks);
    return answer;
  }

 private:
  Card card_ = built_in_card("recognition/any.header");
};

}  // namespace

MethodPtr make_recognition_any_header() { return std::make_unique<AnyHeader>(); }

}  // namespace penta
