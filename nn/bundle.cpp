#include "nn/bundle.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "nn/model_access.h"
#include "nn/store_folder.h"

namespace penta::nn {

namespace fs = std::filesystem;

namespace {

// A card of more than this is no card; a network may be large.
constexpr std::uintmax_t card_bytes_max = 4U << 20U;
constexpr std::uintmax_t network_bytes_max = std::uintmax_t{4} << 30U;

std::optional<std::string> bytes_of(const fs::path& file, std::uintmax_t limit) {
  std::error_code fault;
  const std::uintmax_t size = fs::file_size(file, fault);
  if (fault || size > limit) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(static_cast<std::size_t>(size), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.gcount() != static_cast<std::streamsize>(text.size())) return std::nullopt;
  return text;
}

std::span<const std::byte> bytes_view(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

Bundle read_bundle(const fs::path& folder) {
  Bundle bundle;
  try {
    const auto text = bytes_of(folder / "card.json", card_bytes_max);
    if (!text) throw Error(Code::bad_input, "it cannot be read, or is larger than 4 MiB");
    bundle = bundle_from(*text);
  } catch (const Error& fault) {
    bundle = Bundle{};
    bundle.id = folder.filename().string();
    bundle.fault = "reading " + (folder / "card.json").string() + ": " + fault.what();
  }
  bundle.folder = folder;
  return bundle;
}

std::vector<fs::path> bundle_folders(const fs::path& root) {
  std::error_code fault;
  if (fs::exists(root / "card.json", fault)) return {root};
  std::vector<fs::path> folders;
  for (fs::directory_iterator it(root, fault), end; !fault && it != end; it.increment(fault))
    if (fs::exists(it->path() / "card.json", fault)) folders.push_back(it->path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

bool is_set(const Json* flag) { return flag != nullptr && flag->is_bool() && flag->boolean(); }

}  // namespace

struct ModelStore::State {
  std::vector<Bundle> bundles;
  std::string looked_in;
  std::mutex mutex;
  std::map<std::string, Network> networks;
};

Bundle bundle_from(std::string_view card_json) {
  const Json json = Json::parse(card_json);
  Bundle bundle;
  bundle.card = card_from_json(json);
  bundle.network = network_spec_from(json);
  bundle.id = bundle.card.id;
  return bundle;
}

ModelStore::ModelStore(const std::vector<fs::path>& roots, bool open_licences_only) : state_(std::make_unique<State>()) {
  for (const fs::path& root : roots) {
    state_->looked_in += (state_->looked_in.empty() ? "" : ", ") + root.string();
    for (const fs::path& folder : bundle_folders(root)) {
      Bundle bundle = read_bundle(folder);
      if (find(bundle.id) != nullptr) continue;
      if (open_licences_only && is_set(bundle.card.whole.find("licence_switch"))) continue;
      state_->bundles.push_back(std::move(bundle));
    }
  }
  std::sort(state_->bundles.begin(), state_->bundles.end(), [](const Bundle& a, const Bundle& b) { return a.id < b.id; });
}

ModelStore::~ModelStore() = default;
ModelStore::ModelStore(ModelStore&&) noexcept = default;
ModelStore& ModelStore::operator=(ModelStore&&) noexcept = default;

const std::vector<Bundle>& ModelStore::bundles() const noexcept { return state_->bundles; }

const Bundle* ModelStore::find(std::string_view id) const noexcept {
  const auto it = std::find_if(state_->bundles.begin(), state_->bundles.end(), [&](const Bundle& b) { return b.id == id; });
  return it == state_->bundles.end() ? nullptr : &*it;
}

const Bundle& ModelStore::need(std::string_view id) const {
  const Bundle* bundle = find(id);
  if (bundle == nullptr)
    throw Error(Code::model_missing, "the model '" + std::string(id) + "' is not here (looked in: " +
                                         (state_->looked_in.empty() ? "nowhere" : state_->looked_in) + ")");
  if (!bundle->fault.empty()) throw Error(Code::model_missing, bundle->fault);
  return *bundle;
}

const Network& ModelStore::file(const Bundle& bundle, std::size_t index) const {
  if (!bundle.fault.empty()) throw Error(Code::model_missing, bundle.fault);
  const std::lock_guard lock(state_->mutex);
  const fs::path file = bundle.folder / bundle.network.files[index];
  if (const auto found = state_->networks.find(file.string()); found != state_->networks.end()) return found->second;
  auto bytes = bytes_of(file, network_bytes_max);
  if (!bytes) throw Error(Code::model_missing, "the model file " + file.string() + " cannot be read");
  // The graph of an IR is one file, its weights lie in another beside it.
  const bool is_ir = file.extension() == ".xml";
  const auto weights = is_ir ? bytes_of(fs::path(file).replace_extension(".bin"), network_bytes_max) : std::string();
  if (!weights) throw Error(Code::model_missing, "the weights beside the model file " + file.string() + " cannot be read");
  const std::string& wanted = bundle.network.sha256[index];
  const std::string hash = Sha256().add(bytes_view(*bytes)).add(bytes_view(*weights)).hex();
  if (hash != wanted)
    throw Error(Code::model_missing,
                "the model file " + file.string() + " has the SHA-256 " + hash + ", and its card says " + wanted);
  const Precision precision = bundle.network.precision;
  Network network = is_ir ? Network::load_ir(bytes_view(*bytes), bytes_view(*weights), bundle.id, precision)
                          : network_of_bytes(std::move(*bytes), bundle.id, precision, hash);
  return state_->networks.emplace(file.string(), std::move(network)).first->second;
}

const Network& ModelStore::network(const Bundle& bundle) const { return file(bundle, 0); }

std::vector<const Network*> ModelStore::networks(const Bundle& bundle) const {
  std::vector<const Network*> all;
  for (std::size_t i = 0; i < bundle.network.files.size(); ++i) all.push_back(&file(bundle, i));
  return all;
}

const Network* ModelStore::backbone(const Bundle& bundle) const {
  return bundle.network.backbone ? &network(need(bundle.network.backbone->id)) : nullptr;
}

std::vector<fs::path> model_roots(const std::vector<fs::path>& explicit_roots) {
  std::vector<fs::path> roots = explicit_roots;
  if (const char* variable = std::getenv("PENTA_MODELS")) {
    std::string_view rest = variable;
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) roots.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  std::error_code fault;
  const fs::path program = fs::read_symlink("/proc/self/exe", fault);
  if (!fault) {
    roots.push_back((program.parent_path() / "../../models").lexically_normal());
    roots.push_back(program.parent_path() / "models");
  }
  if (const fs::path own = user_models(); !own.empty()) roots.push_back(own);
  return roots;
}

ModelStore usual_models(const std::vector<fs::path>& explicit_roots) {
  const char* open_only = std::getenv("PENTA_OPEN_LICENCES_ONLY");
  return ModelStore(model_roots(explicit_roots), open_only != nullptr && std::string_view(open_only) == "1");
}

}  // namespace penta::nn
