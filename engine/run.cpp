#include "engine/run.h"

#include <algorithm>

#include "core/error.h"
#include "engine/gate.h"
#include "io/dicom/read_seg.h"

namespace penta::engine {

namespace {

constexpr int chain_depth_max = 16;

bool is_regions(const InputRole& role) { return role.kind == "labels" || role.kind == "regions"; }

bool kind_fits(const InputRole& role, const io::Content& content) {
  if (role.kind == "image") return std::holds_alternative<Image>(content);
  if (role.kind == "raw") return std::holds_alternative<RawData>(content);
  if (role.kind == "table") return std::holds_alternative<Table>(content);
  if (role.kind == "contours") return std::holds_alternative<Contours>(content);
  if (role.kind == "labels") return std::holds_alternative<LabelMap>(content);
  if (role.kind == "regions") return std::holds_alternative<LabelMap>(content) || std::holds_alternative<Contours>(content);
  return false;
}

// `strict`: nothing unknown is taken (chains, report); else an unknown modality or unit is the caller's word.
bool fits(const Card& card, const InputRole& role, const io::Content& content, bool strict) {
  if (!kind_fits(role, content)) return false;
  if (is_regions(role) || role.kind == "contours" || role.kind == "table") return true;
  const Acquisition& acquisition = acquisition_of(content);
  if (!takes_modality(card, role, acquisition.modality) && (strict || !acquisition.modality.empty())) return false;
  const auto* image = std::get_if<Image>(&content);
  if (image == nullptr || role.unit.empty() || image->unit == role.unit) return true;
  return !strict && image->unit.empty();
}

InputRecord record_of(const std::string& role, const io::Content& content) {
  const Acquisition& a = acquisition_of(content);
  return {role, hash_of_content(content), a.modality, a.study_uid, a.series_uid};
}

bool artifact_fits(const InputRole& role, const Artifact& artifact) {
  if (role.kind == "image") {
    const auto* image = std::get_if<Image>(&artifact.value);
    return image != nullptr && (role.unit.empty() || image->unit == role.unit);
  }
  if (is_regions(role)) return std::holds_alternative<LabelMap>(artifact.value);
  if (role.kind == "raw") return std::holds_alternative<RawData>(artifact.value);
  if (role.kind == "contours") return std::holds_alternative<Contours>(artifact.value);
  if (role.kind == "table") return std::holds_alternative<Table>(artifact.value);
  if (role.kind == "transform") return std::holds_alternative<Transform>(artifact.value);
  return false;
}

// The artefact of the same role name first: a method may give two label maps.
const Artifact* artifact_for(const InputRole& role, const Answer& answer) {
  for (const Artifact& artifact : answer.artifacts)
    if (artifact.role == role.role && artifact_fits(role, artifact)) return &artifact;
  for (const Artifact& artifact : answer.artifacts)
    if (artifact_fits(role, artifact)) return &artifact;
  return nullptr;
}

template <class Value>
void point_at(const Artifact& artifact, Value& value) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, Image> || std::is_same_v<T, LabelMap> || std::is_same_v<T, RawData> ||
                      std::is_same_v<T, Contours> || std::is_same_v<T, Table> || std::is_same_v<T, Transform>)
          value = &v;
      },
      artifact.value);
}

// A SEG spans only the slices that it labels: methods want labels on the whole grid of the image that they lie on.
ContentPtr on_image(const ContentPtr& labels_content, const std::vector<Supply>& supplies) {
  const auto* labels = std::get_if<LabelMap>(labels_content.get());
  if (labels == nullptr || labels->planar) return labels_content;
  const Image* first = nullptr;
  for (const Supply& supply : supplies) {
    const auto* image = std::get_if<Image>(supply.content.get());
    if (image == nullptr || !image->is_volume()) continue;
    if (labels->grid().same_as(grid_of(image->volume()))) return labels_content;
    if (first == nullptr) first = image;
  }
  if (first == nullptr) return labels_content;
  try {
    return std::make_shared<const io::Content>(io::dicom::on_grid(*labels, grid_of(first->volume())));
  } catch (const Error&) {
    // Other voxels than the image's: the method decides, and says so, what it makes of them.
    return labels_content;
  }
}

}  // namespace

namespace {

// Somebody's drawing of a tumour that lies beside an image is no body, head or lung: such a role is made by its own step
// unless the caller names the file for it. What measures any region takes it.
bool made_of_others(const InputRole& role, const Supply& supply) {
  return supply.found_beside && role.kind == "labels" && !role.from.empty();
}

}  // namespace

void Runner::supply(Supply supply) { supplies_.push_back(std::move(supply)); }

void Runner::place_labels() {
  for (Supply& supply : supplies_) supply.content = on_image(supply.content, supplies_);
}

const Supply* Runner::supplied(const Card& card, const InputRole& role) const {
  for (const Supply& supply : supplies_)
    if (supply.role == role.role && kind_fits(role, *supply.content)) return &supply;
  const bool strict = !role.from.empty();
  for (const Supply& supply : supplies_)
    if (supply.role.empty() && fits(card, role, *supply.content, strict) && !made_of_others(role, supply)) return &supply;
  // A named supply feeds a step further back when that step's role is of another name but takes it.
  if (!running_.empty() && running_.front()->card().key() != card.key())
    for (const Supply& supply : supplies_)
      if (!supply.role.empty() && fits(card, role, *supply.content, strict)) return &supply;
  return nullptr;
}

const Method* Runner::supplier_of(const Card& card, const InputRole& role, int depth) const {
  if (depth > chain_depth_max)
    throw Error(Code::internal, "the chain of '" + card.id + "' runs in a circle at '" + role.role + "'");
  for (const std::string& from : role.from)
    for (const Method* method : methods_.suppliers(from))
      if (can_run(*method, depth + 1)) return method;
  return nullptr;
}

bool Runner::can_run(const Method& method) const { return can_run(method, 0); }

bool Runner::can_run(const Method& method, int depth) const {
  const Card& card = method.card();
  return std::all_of(card.inputs.begin(), card.inputs.end(), [&](const InputRole& role) {
    return !role.required || supplied(card, role) != nullptr || supplier_of(card, role, depth) != nullptr;
  });
}

Runner::Filled Runner::fill(const Card& card, const InputRole& role, bool& present) {
  present = true;
  Filled filled{{}, {}};
  if (const Supply* supply = supplied(card, role)) {
    check_only_one(card, role, *supply);
    used_.insert(supply->content.get());
    std::visit(
        [&](const auto& v) {
          using Kind = std::decay_t<decltype(v)>;
          // A report is no input of a method, so no role takes one.
          if constexpr (!std::is_same_v<Kind, StructuredReport>) filled.value = &v;
        },
        *supply->content);
    filled.record = record_of(role.role, *supply->content);
    return filled;
  }
  if (const Method* supplier = supplier_of(card, role, 0)) {
    const Produced& step = run(*supplier);
    const Artifact* artifact = artifact_for(role, step.answer);
    if (artifact == nullptr)
      throw Error(Code::internal, "'" + supplier->card().id + "' gave nothing for the input '" + role.role + "'");
    point_at(*artifact, filled.value);
    filled.record = step.inputs.empty() ? InputRecord{} : step.inputs.front();
    filled.record.role = role.role;
    return filled;
  }
  present = false;
  if (!role.required) return filled;
  std::string hint = "give it as " + role.role + "=PATH";
  if (!role.unit.empty()) hint += " (in " + role.unit + ")";
  for (const Supply& supply : supplies_)
    if (const std::string& modality = acquisition_of(*supply.content).modality; !takes_modality(card, role, modality))
      hint += methods_.would_fit(card.task, modality);
  throw Error(Code::bad_input, "'" + card.id + "' needs the input '" + role.role + "' (" + role.kind + "), and nothing given fits: " + hint);
}

void Runner::check_bare_inputs(const Card& card) const {
  for (const Supply& supply : supplies_) {
    std::string roles;
    int count = 0;
    for (const InputRole& role : card.inputs) {
      if (!role.required || !role.from.empty() || !supply.role.empty() || !fits(card, role, *supply.content, false)) continue;
      const bool named = std::any_of(supplies_.begin(), supplies_.end(), [&](const Supply& s) { return s.role == role.role; });
      if (named) continue;
      roles += (count++ > 0 ? ", " : "") + role.role;
    }
    if (count > 1)
      throw Error(Code::wrong_use, "an input fits several roles of '" + card.id + "' (" + roles + "): say which, as ROLE=PATH");
  }
}

void Runner::check_named_inputs(const Card& card) const {
  for (const Supply& supply : supplies_) {
    const InputRole* role = supply.role.empty() ? nullptr : card.input(supply.role);
    if (role == nullptr) continue;
    const std::string& modality = acquisition_of(*supply.content).modality;
    if (!kind_fits(*role, *supply.content))
      throw Error(Code::bad_input, "the input '" + role->role + "' of '" + card.id + "' must be " + role->kind + ", and what was given is not");
    if (!is_regions(*role) && role->kind != "table" && !modality.empty() && !takes_modality(card, *role, modality))
      throw Error(Code::bad_input, "the input '" + role->role + "' is " + modality + ", and '" + card.id + "' does not take that" +
                                       methods_.would_fit(card.task, modality));
  }
}

// Of two inputs that fit one role the caller has to choose.
void Runner::check_only_one(const Card& card, const InputRole& role, const Supply& chosen) const {
  if (!chosen.role.empty()) return;
  for (const Supply& supply : supplies_)
    if (&supply != &chosen && supply.role.empty() && supply.content != chosen.content &&
        fits(card, role, *supply.content, !role.from.empty()))
      throw Error(Code::wrong_use, "several inputs fit the role '" + role.role + "' of '" + card.id + "': give the one that is meant, as " + role.role + "=PATH");
}

const Supply* Runner::unused() const noexcept {
  for (const Supply& supply : supplies_)
    if (!supply.found_beside && used_.count(supply.content.get()) == 0) return &supply;
  return nullptr;
}

bool Runner::recognised(const Gate::Recognised& wanted) const {
  for (const Method* method : methods_.suppliers(wanted.method))
    for (const auto& step : steps_) {
      if (step->method != method) continue;
      for (const Artifact& artifact : step->answer.artifacts)
        if (const auto* scores = std::get_if<Scores>(&artifact.value))
          for (const Score& score : *scores)
            if (score.label == wanted.label) return score.probability.value_or(0.0) >= wanted.probability_min;
    }
  return false;
}

void Runner::check_meaningful(const Method& method) const {
  for (const Supply& supply : supplies_) engine::check_meaningful(method.card(), *supply.content);
}

std::vector<Remark> Runner::outside_gate(const Method& method) {
  const Card& card = method.card();
  std::vector<Remark> remarks;
  const auto say = [&](const std::string& why) {
    remarks.push_back({Severity::warning, "outside_gate", card.id + " was not made for this image: " + why, card.id});
  };
  for (const Supply& supply : supplies_)
    if (std::holds_alternative<Image>(*supply.content))
      if (const std::string why = why_unfit(card, *supply.content); !why.empty()) say(why);
  for (const Gate::Recognised& wanted : card.gate.recognised) {
    for (const Method* recogniser : methods_.suppliers(wanted.method))
      if (can_run(*recogniser)) (void)run(*recogniser);
    if (!recognised(wanted)) say("it was not recognised as " + wanted.label);
  }
  return remarks;
}

Params Runner::params_of(const Card& card) const {
  std::map<std::string, std::string> mine;
  for (const auto& [name, value] : settings_)
    if (card.parameter(name) != nullptr) mine.emplace(name, value);
  return {card, mine};
}

const Produced& Runner::run(const Method& method) {
  for (const auto& step : steps_)
    if (step->method == &method) return *step;
  if (std::find(running_.begin(), running_.end(), &method) != running_.end())
    throw Error(Code::internal, "the chain of '" + method.card().id + "' runs in a circle");
  const Card& card = method.card();
  if (running_.empty()) check_bare_inputs(card);
  check_named_inputs(card);
  running_.push_back(&method);
  const struct Pop {
    std::vector<const Method*>& list;
    ~Pop() { list.pop_back(); }
  } pop{running_};
  auto step = std::make_unique<Produced>();
  step->method = &method;
  std::vector<Input> inputs;
  for (const InputRole& role : card.inputs) {
    bool present = false;
    Filled filled = fill(card, role, present);
    if (!present) continue;
    inputs.push_back({role.role, filled.value});
    step->inputs.push_back(std::move(filled.record));
  }
  const Params params = params_of(card);
  step->parameters = params.json();
  control_.check_cancelled();
  step->answer = method.run({inputs, marks_, params, workspace_, control_});
  steps_.push_back(std::move(step));
  return *steps_.back();
}

}  // namespace penta::engine
