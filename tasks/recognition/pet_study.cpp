#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "modality/pet/study.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr double whole_body_mm = 700, single_bed_mm = 300;

struct Part {
  const char *word, *region;
};
// Of (0018,0015); the order matters: "HEADNECK" is both, and is called by its first part's longer word.
constexpr std::array<Part, 16> parts{{{"HEADNECK", "head and neck"},
                                      {"WHOLEBODY", "whole body"},
                                      {"WHOLE BODY", "whole body"},
                                      {"SKULL", "head"},
                                      {"BRAIN", "head"},
                                      {"HEAD", "head"},
                                      {"NECK", "neck"},
                                      {"HEART", "chest"},
                                      {"CHEST", "chest"},
                                      {"THORAX", "chest"},
                                      {"LUNG", "chest"},
                                      {"ABDOMEN", "abdomen"},
                                      {"LIVER", "abdomen"},
                                      {"PELVIS", "pelvis"},
                                      {"PROSTATE", "pelvis"},
                                      {"EXTREMITY", "limb"}}};

std::string region_named(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Part& part : parts)
    if (text.find(part.word) != std::string::npos) return part.region;
  return {};
}

/// How far the image reaches along the patient's axis, by its length; and whether the named body part can be that long.
void read_region(const Image& image, std::vector<std::string>& labels, std::vector<Remark>& remarks) {
  const std::string named = region_named(image.acquisition.body_part);
  double along = 0;
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels); volumes != nullptr && !volumes->empty()) {
    const Grid& grid = grid_of(volumes->front());
    const auto axis = static_cast<std::size_t>(axis_order(grid).index_axis[2]);
    along = static_cast<double>(grid.size()[axis]) * grid.spacing_mm()[axis];
    if (volumes->size() > 1) labels.emplace_back(image.axis == SequenceAxis::gate ? "gated" : "dynamic");
  }
  const bool small = named == "head" || named == "neck" || named == "head and neck";
  const std::string says = "body part (0018,0015) is " + image.acquisition.body_part + ", and the image is " +
                           std::to_string(static_cast<int>(along)) + " mm long";
  if ((small && along > 500) || (named == "whole body" && along > 0 && along < single_bed_mm))
    remarks.push_back({Severity::warning, "body_part_conflict", says});
  if (along >= whole_body_mm) labels.emplace_back("whole body");
  if (along > 0 && along < single_bed_mm) labels.emplace_back("single bed position");
  if (!named.empty() && named != "whole body") labels.push_back(named);
}

class PetStudy final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const auto* image = request.find<Image>("image");
    const auto* raw = request.find<RawData>("raw");
    if (image == nullptr && raw == nullptr)
      throw Error(Code::bad_input, "pet.study: neither an image nor raw data were given");
    const Acquisition& acquisition = image != nullptr ? image->acquisition : raw->acquisition;
    if (!acquisition.modality.empty() && acquisition.modality != "PET")
      throw Error(Code::bad_input,
                  "pet.study reads PET, and this is " + acquisition.modality + "; recognition/any.header reads it");
    const auto* facts = facts_of<PetFacts>(acquisition);
    Answer answer;
    std::vector<std::string> labels;
    if (facts != nullptr) {
      pet::Study study =
          pet::study_of(*facts, acquisition.patient, image != nullptr ? pet::Stage::image : pet::Stage::raw);
      labels = std::move(study.labels);
      answer.remarks = std::move(study.remarks);
    } else {
      answer.remarks.push_back(
          {Severity::note, "no_header", "this file has no PET header: what was injected and corrected is not known"});
    }
    if (image != nullptr) {
      if (facts == nullptr && image->unit == "g/mL") labels.emplace_back("SUV");
      read_region(*image, labels, answer.remarks);
    } else {
      labels.emplace_back(std::holds_alternative<ListMode>(raw->value) ? "list mode" : "sinogram");
    }
    Scores scores;
    for (std::string& label : labels) scores.push_back({std::move(label), std::nullopt, {}});
    answer.artifacts.push_back({"labels", std::move(scores)});
    return answer;
  }

 private:
  Card card_ = built_in_card("recognition/pet.study");
};

}  // namespace

MethodPtr make_recognition_pet_study();
MethodPtr make_recognition_pet_study() { return std::make_unique<PetStudy>(); }

}  // namespace penta
