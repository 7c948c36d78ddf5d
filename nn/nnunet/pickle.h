#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penta::nn::nnunet {

/// One value of a pickle. What Python would import or call stays a name or a list of what would be handed over.
struct PickleNode {
  enum class Kind {
    none,
    boolean,     ///< `integer` 0 or 1
    integer,
    big_integer,  ///< beyond 64 bits; no value is kept
    real,
    text,
    bytes,       ///< `text` holds them
    list,        ///< `items`; tuples and sets too
    dict,        ///< `items`: key, value, key, value ...
    global,      ///< `text`: "module.name", never looked up
    call,        ///< items[0] would be called with items[1], never is; then what APPENDS gave
    persistent,  ///< items[0]: torch's ('storage', type, key, device, count)
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<std::uint32_t> items;
  std::vector<std::uint32_t> pairs;  ///< of a call: what SETITEMS gave (collections.OrderedDict is made so)
};

/// A pickle of protocols 2 to 5 (Python's pickletools.py) read as data: no opcode imports, calls or builds anything.
class Pickle {
 public:
  /// Throws Error{bad_input} that names `name`, the opcode and its place: unknown here, cut, or over the limits (nodes, 
  /// memo, stack).
  Pickle(std::span<const std::byte> bytes, const std::string& name);

  [[nodiscard]] const PickleNode& root() const noexcept { return nodes_[root_]; }
  [[nodiscard]] const PickleNode& node(std::uint32_t index) const noexcept { return nodes_[index]; }
  /// The value of a text key of a dict or OrderedDict; null where there is none.
  [[nodiscard]] const PickleNode* find(const PickleNode& dict, std::string_view key) const noexcept;
  /// Keys and values of a dict or OrderedDict; empty for another kind.
  [[nodiscard]] std::span<const std::uint32_t> pairs_of(const PickleNode& dict) const noexcept;
  /// "module.name" of what a call would have called; empty for another kind.
  [[nodiscard]] std::string_view callee(const PickleNode& call) const noexcept;

 private:
  friend class PickleReader;
  std::deque<PickleNode> nodes_;
  std::uint32_t root_ = 0;
};

}  // namespace penta::nn::nnunet
