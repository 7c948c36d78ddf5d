#pragma once

#include <filesystem>
#include <string>

namespace penta::engine {

struct ImportRequest {
  std::filesystem::path path;  ///< a trained nnU-Net v2 folder (plans.json, dataset.json, fold_*), or a .onnx file
  std::filesystem::path into;  ///< empty: nn::import_folder()
  std::filesystem::path card;  ///< of a .onnx file
  std::string licence;         ///< of the weights; wanted
  std::string id, modality;    ///< empty: as the plans tell
  std::string precision = "f32";
};

struct Imported {
  std::string id;
  std::filesystem::path folder;
};

/// Reads a model, checks it, runs it once, and writes a bundle (card.json, networks, parity.json) that is a method at
/// once. Written beside and renamed: a folder of that name is whole. Throws Error{wrong_use} without a licence or where
/// the id is taken, Error{bad_input} that names the file and what is not known here, Error{output_failed}.
[[nodiscard]] Imported import_model(const ImportRequest& request);

}  // namespace penta::engine
