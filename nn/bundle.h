#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/card.h"
#include "nn/engine.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// A folder with card.json and a network. Where `fault` is not empty, the card could not be read: only `id` (the
/// folder's name), `folder` and `fault` then mean something.
struct Bundle {
  std::string id;
  Card card;
  NetworkSpec network;
  std::filesystem::path folder;
  std::string fault;
};

/// Reads a card with its network from the bytes of card.json. Throws Error{bad_input} that names what is wrong.
[[nodiscard]] Bundle bundle_from(std::string_view card_json);

/// Every bundle that can be found, and the networks read so far. Methods keep a reference: it must outlive them.
class ModelStore {
 public:
  /// Looks into each folder of `roots` (one folder a bundle, or a bundle itself); one that is not there is passed
  /// over. Of two bundles with the same id the first root wins. A bundle whose card says `licence_switch` is
  /// left out where `open_licences_only`.
  explicit ModelStore(const std::vector<std::filesystem::path>& roots, bool open_licences_only = false);
  ~ModelStore();
  ModelStore(ModelStore&&) noexcept;
  ModelStore& operator=(ModelStore&&) noexcept;

  /// Sorted by id.
  [[nodiscard]] const std::vector<Bundle>& bundles() const noexcept;
  [[nodiscard]] const Bundle* find(std::string_view id) const noexcept;
  /// Throws Error{model_missing} that says where was looked, or what is wrong with the bundle.
  [[nodiscard]] const Bundle& need(std::string_view id) const;
  /// The network, read once. Throws Error{model_missing} that names the file: missing, unreadable, or with both
  /// hashes where its SHA-256 is not the card's.
  [[nodiscard]] const Network& network(const Bundle& bundle) const;
  /// All networks of an ensemble, in the card's order (one for most cards).
  [[nodiscard]] std::vector<const Network*> networks(const Bundle& bundle) const;
  /// The network that looks before this bundle's own, or null. Throws Error{model_missing} where it is not here.
  [[nodiscard]] const Network* backbone(const Bundle& bundle) const;

 private:
  const Network& file(const Bundle& bundle, std::size_t index) const;
  struct State;
  std::unique_ptr<State> state_;
};

/// `explicit_roots`, $PENTA_MODELS (folders joined by colons), <executable's folder>/../../models (a build in
/// build/<preset>), <executable's folder>/models and user_models() (nn/store_folder.h).
[[nodiscard]] std::vector<std::filesystem::path> model_roots(const std::vector<std::filesystem::path>& explicit_roots = {});
/// A store over model_roots(), without unclear licences where $PENTA_OPEN_LICENCES_ONLY is 1.
[[nodiscard]] ModelStore usual_models(const std::vector<std::filesystem::path>& explicit_roots = {});

}  // namespace penta::nn
