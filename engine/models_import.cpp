#include "engine/models_import.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "engine/methods.h"
#include "engine/models_parity.h"
#include "io/formats.h"
#include "nn/bundle.h"
#include "nn/nnunet/card.h"
#include "nn/nnunet/checkpoint.h"
#include "nn/nnunet/graph.h"
#include "nn/store_folder.h"

namespace penta::engine {

namespace fs = std::filesystem;
namespace nnunet = nn::nnunet;

namespace {

/// File name to content of a bundle.
using Files = std::map<std::string, std::string>;

std::span<const std::byte> view_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string text_of(const fs::path& path, std::uint64_t limit_bytes) {
  const std::vector<std::byte> bytes = io::read_file(path, limit_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Runs `read` and puts the file's name before what it says.
template <class Read>
auto reading(const fs::path& path, Read read) {
  try {
    return read();
  } catch (const Error& fault) {
    throw Error(Code::bad_input, "reading '" + path.string() + "': " + fault.what());
  }
}

/// Takes a folder away again unless it was kept.
class Scratch {
 public:
  explicit Scratch(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }
  ~Scratch() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& folder() const { return folder_; }
  void rename_to(const fs::path& to) {
    fs::rename(folder_, to);
    folder_.clear();
  }

 private:
  fs::path folder_;
};

void check_id(const std::string& id) {
  const bool right = std::count(id.begin(), id.end(), '.') == 1 && id.front() != '.' && id.back() != '.' &&
                     std::all_of(id.begin(), id.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
                     });
  if (!right) throw Error(Code::wrong_use, "the id '" + id + "' is not like mr.hippocampus (small letters, digits and _)");
}

void check_free(const std::string& id, Task task) {
  const Methods methods = load_methods();
  bool taken = methods.models().find(id) != nullptr;
  for (const MethodPtr& method : methods.all()) taken = taken || (method->card().task == task && method->card().id == id);
  if (taken)
    throw Error(Code::wrong_use, "there is a model or method '" + id + "' already (penta model show " + id +
                                     "); give another --id, or remove its folder");
}

Imported write_bundle(const ImportRequest& request, const std::string& id, const Files& files) {
  const fs::path into = request.into.empty() ? nn::import_folder() : request.into;
  if (into.empty()) throw Error(Code::wrong_use, "importing a model: neither --into, $PENTA_MODELS, $XDG_DATA_HOME nor $HOME says where to");
  const fs::path to = into / id;
  try {
    if (fs::exists(to)) throw Error(Code::wrong_use, "importing a model: '" + to.string() + "' is there already");
    Scratch beside(into / ("." + id + ".part" + std::to_string(std::random_device{}())));
    for (const auto& [name, content] : files) io::write_file(beside.folder() / name, view_of(content));
    beside.rename_to(to);
  } catch (const fs::filesystem_error& fault) {
    throw Error(Code::output_failed, "writing '" + to.string() + "': " + fault.code().message());
  }
  return {id, to};
}

struct Fold {
  std::string name;
  fs::path file;
};

/// fold_0, fold_1 ...; fold_all only where there is no other (as nnU-Net takes them).
std::vector<Fold> folds_of(const fs::path& folder) {
  std::vector<Fold> folds, all;
  std::error_code fault;
  for (fs::directory_iterator it(folder, fault), end; !fault && it != end; it.increment(fault)) {
    const std::string name = it->path().filename().string();
    const fs::path file = it->path() / "checkpoint_final.pth";
    if (name.rfind("fold_", 0) != 0 || !fs::exists(file)) continue;
    (name == "fold_all" ? all : folds).push_back({name, file});
  }
  std::sort(folds.begin(), folds.end(), [](const Fold& a, const Fold& b) { return a.name < b.name; });
  if (folds.empty()) folds = all;
  if (folds.empty())
    throw Error(Code::bad_input, "importing '" + folder.string() + "': it has no fold_*/checkpoint_final.pth (a folder such as "
                                 "nnUNetTrainer__nnUNetPlans__3d_fullres is wanted)");
  return folds;
}

/// A small input that the strides divide: two voxels at the coarsest level, within the patch.
std::vector<std::int64_t> parity_shape(const nnunet::Plan& plan) {
  std::vector<std::int64_t> shape{1, static_cast<std::int64_t>(plan.channels.size())};
  for (std::size_t k = 0; k < plan.patch.size(); ++k) {
    std::int64_t stride = 1;
    for (const nnunet::Axes& one : plan.architecture.strides) stride *= one[k];
    if (plan.patch[k] % stride != 0)
      throw Error(Code::bad_input, "'patch_size' of plans.json is no multiple of the strides of its network");
    shape.push_back(std::min(plan.patch[k], 2 * stride));
  }
  return shape;
}

struct Trained {
  nnunet::Plan plan;
  nnunet::CardFacts facts;
  Files files;
};

void check_trainer(const std::string& trainer) {
  for (const std::string_view other : {"BN", "Primus", "UMamba", "SwinUNETR", "MedNeXt", "SAM", "Mamba", "UNETR"})
    if (trainer.find(other) != std::string::npos)
      throw Error(Code::bad_input, "the trainer '" + trainer + "' makes another network than its plans say, which is not known here");
}

/// One checkpoint: its network, and its values on the parity sample.
void read_fold(const Fold& fold, const nnunet::Checkpoint& checkpoint, std::size_t index, Trained& out, Json& parity) {
  const nnunet::NetworkFiles made = nnunet::build_network(out.plan, checkpoint);
  const std::string stem = fold.name;
  const nn::Network network = nn::Network::load_ir(view_of(made.xml), view_of(made.bin), stem);
  Json sample = parity_of(network, parity_shape(out.plan));
  if (sample.at("output_shape").items().at(1).integer() != static_cast<std::int64_t>(out.plan.labels.size()))
    throw Error(Code::internal, "the network that was built has not one output a label");
  if (index == 0) {
    parity = std::move(sample);
  } else {
    Json others = parity.find("folds") != nullptr ? parity.at("folds") : Json::array();
    parity.set("folds", others.push(std::move(sample)));
  }
  out.facts.files.push_back(stem + ".xml");
  out.facts.sha256.push_back(sha256_hex(view_of(made.xml + made.bin)));
  out.files[stem + ".xml"] = made.xml;
  out.files[stem + ".bin"] = made.bin;
}

Json hashed(const std::string& file, std::span<const std::byte> bytes) {
  Json row = Json::object();
  return row.set("file", file).set("sha256", sha256_hex(bytes));
}

Trained read_trained(const fs::path& folder) {
  constexpr std::uint64_t json_max = 64U << 20U;
  const std::vector<Fold> folds = folds_of(folder);
  const std::string plans_text = text_of(folder / "plans.json", json_max), dataset_text = text_of(folder / "dataset.json", json_max);
  const Json plans = reading(folder / "plans.json", [&] { return Json::parse(plans_text); });
  const Json dataset = reading(folder / "dataset.json", [&] { return Json::parse(dataset_text); });
  Trained out;
  Json sources = Json::array(), parity;
  sources.push(hashed("plans.json", view_of(plans_text))).push(hashed("dataset.json", view_of(dataset_text)));
  std::string configuration;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    const std::vector<std::byte> bytes = io::read_file(folds[i].file, std::uint64_t{16} << 30U);
    reading(folds[i].file, [&] {
      const nnunet::Checkpoint checkpoint(bytes, folds[i].name + "/checkpoint_final.pth");
      check_trainer(checkpoint.trainer());
      if (i == 0) {
        configuration = checkpoint.configuration();
        out.plan = nnunet::plan_from(plans, dataset, configuration);
        out.facts.trainer = checkpoint.trainer();
        out.facts.mirror_axes = checkpoint.mirror_axes();
      } else if (checkpoint.configuration() != configuration || checkpoint.trainer() != out.facts.trainer) {
        throw Error(Code::bad_input, "it is of another configuration or trainer than the first fold");
      }
      read_fold(folds[i], checkpoint, i, out, parity);
      return 0;
    });
    sources.push(hashed(folds[i].name + "/checkpoint_final.pth", bytes));
  }
  out.facts.origin = Json::object();
  out.facts.origin.set("kind", "nnU-Net v2 folder").set("dataset", out.plan.dataset).set("plans", out.plan.plans);
  out.facts.origin.set("configuration", configuration).set("trainer", out.facts.trainer).set("files", std::move(sources));
  out.files["parity.json"] = parity.dump() + "\n";
  return out;
}

Imported import_nnunet(const ImportRequest& request) {
  Trained trained = read_trained(request.path);
  trained.facts.modality = request.modality.empty() ? nnunet::modality_of(trained.plan) : request.modality;
  if (trained.facts.modality.empty())
    throw Error(Code::wrong_use, "importing '" + request.path.string() + "': its channels do not tell the modality; give --modality CT, MR, US, PET or SPECT");
  trained.facts.licence = request.licence;
  trained.facts.precision = request.precision;
  trained.facts.id = request.id.empty() ? nnunet::id_of(trained.plan, trained.facts.modality) : request.id;
  check_id(trained.facts.id);
  check_free(trained.facts.id, Task::segmentation);
  const Json card = reading(request.path, [&] { return nnunet::card_of(trained.plan, trained.facts); });
  trained.files["card.json"] = card.dump() + "\n";
  (void)nn::bundle_from(trained.files["card.json"]);
  return write_bundle(request, trained.facts.id, trained.files);
}

/// The input that a card's network is tried with: its patch or size, at most 64 a side.
std::vector<std::int64_t> trial_shape(const nn::NetworkSpec& spec) {
  std::vector<std::int64_t> shape{1, static_cast<std::int64_t>(spec.input.channel_count())};
  const std::int64_t side = std::max<std::int64_t>(spec.input.pad_multiple, 64 / spec.input.pad_multiple * spec.input.pad_multiple);
  for (int k = spec.input.network_dims() - 1; k >= 0; --k) {
    const auto axis = static_cast<std::size_t>(k);
    shape.push_back(spec.input.patch ? (*spec.input.patch)[axis] : spec.input.size && k < 2 ? (*spec.input.size)[axis] : side);
  }
  return shape;
}

void check_output(const nn::Bundle& bundle, const Json& parity) {
  const Json::Array& in = parity.at("shape").items();
  const Json::Array& out = parity.at("output_shape").items();
  bool right = out.size() > 1 && out[1].integer() == static_cast<std::int64_t>(bundle.network.classes.size());
  if (bundle.card.task == Task::segmentation) {
    right = right && in.size() == out.size();
    for (std::size_t k = 2; right && k < in.size(); ++k) right = in[k].integer() == out[k].integer();
  }
  if (!right)
    throw Error(Code::bad_input, "its output is not one value for each of the card's " +
                                     std::to_string(bundle.network.classes.size()) + " classes" +
                                     (bundle.card.task == Task::segmentation ? " and voxel" : ""));
}

Imported import_onnx(const ImportRequest& request) {
  if (request.card.empty())
    throw Error(Code::wrong_use, "importing '" + request.path.string() + "': an ONNX file needs its --card card.json");
  const std::string onnx = text_of(request.path, std::uint64_t{4} << 30U), text = text_of(request.card, 4U << 20U);
  Files files;
  const nn::Bundle bundle = reading(request.card, [&] {
    Json card = Json::parse(text);
    Json network = card.at("network");
    const std::string hash = sha256_hex(view_of(onnx));
    network.set("file", "model.onnx").set("sha256", hash);
    if (network.find("files") != nullptr) throw Error(Code::bad_input, "'files' of its network: one ONNX file is imported");
    card.set("network", std::move(network)).set("weights_licence", request.licence).set("weights_sha256", hash);
    if (!request.id.empty()) card.set("id", request.id);
    if (!request.modality.empty()) card.set("modalities", Json::Array{Json(request.modality)});
    files["card.json"] = card.dump() + "\n";
    return nn::bundle_from(files["card.json"]);
  });
  check_id(bundle.id);
  check_free(bundle.id, bundle.card.task);
  files["parity.json"] = reading(request.path, [&] {
    const nn::Network network = nn::Network::load(view_of(onnx), bundle.id);
    const Json parity = parity_of(network, trial_shape(bundle.network));
    check_output(bundle, parity);
    return parity.dump() + "\n";
  });
  files["model.onnx"] = onnx;
  return write_bundle(request, bundle.id, files);
}

}  // namespace

Imported import_model(const ImportRequest& request) {
  if (request.licence.empty())
    throw Error(Code::wrong_use, "importing a model: --licence says under what licence its weights may be used, such as CC-BY-4.0");
  if (request.precision != "f32" && request.precision != "bf16")
    throw Error(Code::wrong_use, "importing a model: --precision is f32 or bf16, not '" + request.precision + "'");
  std::error_code fault;
  if (!fs::exists(request.path, fault)) throw Error(Code::bad_input, "importing '" + request.path.string() + "': there is no such file or folder");
  return fs::is_directory(request.path, fault) ? import_nnunet(request) : import_onnx(request);
}

}  // namespace penta::engine
