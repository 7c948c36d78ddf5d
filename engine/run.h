#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/methods.h"
#include "engine/open.h"

namespace penta::engine {

/// One value that a caller gives: for the role named, or (empty role) for the first free role that fits.
struct Supply {
  std::string role;
  ContentPtr content;
  bool found_beside = false;  ///< lay in the folder of what was named: may stay unused
};

struct InputRecord {
  std::string role, sha256, modality, study_uid, series_uid;
};

/// One step that was run.
struct Produced {
  const Method* method = nullptr;
  Answer answer;
  std::vector<InputRecord> inputs;
  Json parameters;
};

/// Runs methods on one set of inputs. What a card asks for by `from` is run first, each step once
/// (a chain is acyclic: a cycle is Error{internal} that names it).
class Runner {
 public:
  using Settings = std::map<std::string, std::string>;

  Runner(const Methods& methods, Workspace& workspace, Control& control, Settings settings = {})
      : methods_(methods), workspace_(workspace), control_(control), settings_(std::move(settings)) {}

  /// A role that is named must be one of the method's or of a step before it; checked by run().
  void supply(Supply supply);
  /// Brings every label map that was supplied onto the grid of the image supplied with it, where its voxels are among
  /// the image's.
  void place_labels();
  void mark(Mark mark) { marks_.push_back(std::move(mark)); }

  /// The step's result. Throws Error{wrong_use} for a bare input that fits two roles or none, Error{bad_input} for
  /// one that is missing, and what the method throws.
  const Produced& run(const Method& method);
  /// True when a step that ran gave the label the probability that the gate asks for.
  [[nodiscard]] bool recognised(const Gate::Recognised& wanted) const;
  /// Throws Error{bad_input} where the voxels of an input are too coarse for any answer.
  void check_meaningful(const Method& method) const;
  /// For a method that a person called by name: runs what its gate recognises by, and says in what the gate is shut.
  [[nodiscard]] std::vector<Remark> outside_gate(const Method& method);
  /// The first supply that was named and that no step used, or null.
  [[nodiscard]] const Supply* unused() const noexcept;
  /// True when every required role has a supply or a method that can make it.
  [[nodiscard]] bool can_run(const Method& method) const;
  /// Every step so far, in the order in which they ran.
  [[nodiscard]] const std::vector<std::unique_ptr<Produced>>& steps() const noexcept { return steps_; }
  [[nodiscard]] const Methods& methods() const noexcept { return methods_; }
  [[nodiscard]] const std::vector<Supply>& supplies() const noexcept { return supplies_; }

 private:
  using Value = decltype(Input::value);
  struct Filled {
    Value value;
    InputRecord record;
  };

  [[nodiscard]] const Supply* supplied(const Card& card, const InputRole& role) const;
  [[nodiscard]] const Method* supplier_of(const Card& card, const InputRole& role, int depth) const;
  [[nodiscard]] bool can_run(const Method& method, int depth) const;
  [[nodiscard]] Filled fill(const Card& card, const InputRole& role, bool& present);
  void check_bare_inputs(const Card& card) const;
  void check_named_inputs(const Card& card) const;
  void check_only_one(const Card& card, const InputRole& role, const Supply& chosen) const;
  [[nodiscard]] Params params_of(const Card& card) const;

  const Methods& methods_;
  Workspace& workspace_;
  Control& control_;
  Settings settings_;
  std::vector<Supply> supplies_;
  std::vector<Mark> marks_;
  std::vector<std::unique_ptr<Produced>> steps_;
  std::vector<const Method*> running_;
  std::set<const io::Content*> used_;
};

}  // namespace penta::engine
