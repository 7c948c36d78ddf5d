#include "nn/nnunet/pickle.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.h"

namespace penta::nn::nnunet {

namespace {

using Kind = PickleNode::Kind;

// A network of a thousand layers with its optimizer makes some 100 000 values.
constexpr std::size_t nodes_max = 4U << 20U, stack_max = 1U << 20U;

std::string hex_of(unsigned value) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[value >> 4U & 15U], digits[value & 15U]};
}

}  // namespace

/// The stack machine. Every value is a node; a value on the stack or in the memo is its number.
class PickleReader {
 public:
  PickleReader(std::span<const std::byte> bytes, const std::string& name, Pickle& out)
      : bytes_(bytes), name_(name), out_(out) {}

  void read() {
    while (true) {
      start_ = at_;
      code_ = number<std::uint8_t>();
      if (code_ == '.') break;
      if (!constant(code_) && !text(code_) && !container(code_) && !memory(code_) && !object(code_)) refuse("is not known here");
      if (stack_.size() > stack_max) refuse("makes the stack too large");
    }
    out_.root_ = pop();
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Code::bad_input, "reading the pickle '" + name_ + "': the opcode " + hex_of(code_) + " at byte " +
                                     std::to_string(start_) + " " + why);
  }
  std::span<const std::byte> take(std::uint64_t size) {
    if (size > bytes_.size() - at_) refuse("is cut");
    const auto part = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += part.size();
    return part;
  }
  template <class T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string line() {
    const auto rest = bytes_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
    if (end == rest.end()) refuse("is cut");
    const auto part = take(static_cast<std::uint64_t>(end - rest.begin()));
    ++at_;
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  PickleNode& push(Kind kind) {
    if (out_.nodes_.size() >= nodes_max) refuse("makes too many values");
    stack_.push_back(static_cast<std::uint32_t>(out_.nodes_.size()));
    PickleNode& node = out_.nodes_.emplace_back();
    node.kind = kind;
    return node;
  }
  std::uint32_t pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("wants a value that is not there");
    const std::uint32_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  PickleNode& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("wants a value that is not there");
    return out_.nodes_[stack_.back()];
  }
  /// The values since the last mark.
  std::vector<std::uint32_t> since_mark() {
    if (marks_.empty()) refuse("wants a mark that is not there");
    std::vector<std::uint32_t> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void push_list(std::vector<std::uint32_t> items) { push(Kind::list).items = std::move(items); }
  void push_bytes(Kind kind, std::uint64_t size) {
    const auto part = take(size);
    push(kind).text.assign(reinterpret_cast<const char*>(part.data()), part.size());
  }

  bool constant(std::uint8_t code) {
    switch (code) {
      case 'N': push(Kind::none); return true;
      case 0x88: push(Kind::boolean).integer = 1; return true;
      case 0x89: push(Kind::boolean); return true;
      case 'J': { const auto v = number<std::int32_t>(); push(Kind::integer).integer = v; return true; }
      case 'K': { const auto v = number<std::uint8_t>(); push(Kind::integer).integer = v; return true; }
      case 'M': { const auto v = number<std::uint16_t>(); push(Kind::integer).integer = v; return true; }
      case 0x8a: long_integer(number<std::uint8_t>()); return true;
      case 0x8b: long_integer(number<std::uint32_t>()); return true;
      case 'G': real(); return true;
      default: return false;
    }
  }
  void long_integer(std::uint64_t size) {
    const auto part = take(size);
    if (size > 8) { push(Kind::big_integer); return; }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < part.size(); ++i) value |= static_cast<std::uint64_t>(part[i]) << (8 * i);
    if (size > 0 && size < 8 && (static_cast<unsigned>(part.back()) & 0x80U) != 0) value |= ~std::uint64_t{0} << (8 * size);
    push(Kind::integer).integer = static_cast<std::int64_t>(value);
  }
  void real() {
    const auto part = take(8);
    std::uint64_t bits = 0;
    for (const std::byte b : part) bits = bits << 8U | static_cast<std::uint64_t>(b);
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    push(Kind::real).real = value;
  }

  bool text(std::uint8_t code) {
    switch (code) {
      case 'X': push_bytes(Kind::text, number<std::uint32_t>()); return true;
      case 0x8c: push_bytes(Kind::text, number<std::uint8_t>()); return true;
      case 0x8d: push_bytes(Kind::text, number<std::uint64_t>()); return true;
      case 'B': push_bytes(Kind::bytes, number<std::uint32_t>()); return true;
      case 'C': push_bytes(Kind::bytes, number<std::uint8_t>()); return true;
      case 0x8e: case 0x96: push_bytes(Kind::bytes, number<std::uint64_t>()); return true;
      default: return false;
    }
  }

  bool container(std::uint8_t code) {
    switch (code) {
      case '(': marks_.push_back(stack_.size()); return true;
      case ']': case ')': case 0x8f: push_list({}); return true;
      case '}': push(Kind::dict); return true;
      case 't': case 'l': case 0x91: push_list(since_mark()); return true;
      case 'd': { auto items = since_mark(); even(items); push(Kind::dict).items = std::move(items); return true; }
      case 0x85: case 0x86: case 0x87: tuple(code - 0x84U); return true;
      case 'a': { const std::uint32_t item = pop(); append({item}); return true; }
      case 'e': case 0x90: append(since_mark()); return true;
      case 's': { const std::uint32_t value = pop(), key = pop(); set({key, value}); return true; }
      case 'u': set(since_mark()); return true;
      default: return false;
    }
  }
  void even(const std::vector<std::uint32_t>& items) const {
    if (items.size() % 2 != 0) refuse("has a key without a value");
  }
  void tuple(std::size_t count) {
    std::vector<std::uint32_t> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push_list(std::move(items));
  }
  void append(const std::vector<std::uint32_t>& items) {
    PickleNode& to = top();
    if (to.kind != Kind::list && to.kind != Kind::call) refuse("adds to what is no list");
    to.items.insert(to.items.end(), items.begin(), items.end());
  }
  void set(const std::vector<std::uint32_t>& items) {
    even(items);
    PickleNode& to = top();
    if (to.kind != Kind::dict && to.kind != Kind::call) refuse("sets a member of what is no dictionary");
    auto& pairs = to.kind == Kind::dict ? to.items : to.pairs;
    pairs.insert(pairs.end(), items.begin(), items.end());
  }

  bool memory(std::uint8_t code) {
    switch (code) {
      case 'q': put(number<std::uint8_t>()); return true;
      case 'r': put(number<std::uint32_t>()); return true;
      case 0x94: put(static_cast<std::uint32_t>(memo_.size())); return true;
      case 'h': get(number<std::uint8_t>()); return true;
      case 'j': get(number<std::uint32_t>()); return true;
      case '0': (void)pop(); return true;
      case '1': (void)since_mark(); return true;
      case '2': { (void)top(); stack_.push_back(stack_.back()); return true; }
      default: return false;
    }
  }
  void put(std::uint32_t key) {
    (void)top();
    if (memo_.size() >= nodes_max) refuse("makes the memo too large");
    memo_[key] = stack_.back();
  }
  void get(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) refuse("asks for what was not kept, number " + std::to_string(key));
    stack_.push_back(found->second);
  }

  bool object(std::uint8_t code) {
    switch (code) {
      case 0x80: if (const auto v = number<std::uint8_t>(); v < 2 || v > 5) refuse("says protocol " + std::to_string(v)); return true;
      case 0x95: if (number<std::uint64_t>() > bytes_.size() - at_) refuse("is cut"); return true;
      case 'c': { std::string module = line(); module += '.' + line(); push(Kind::global).text = std::move(module); return true; }
      case 0x93: stack_global(); return true;
      case 'R': case 0x81: { const std::uint32_t args = pop(), callable = pop(); push(Kind::call).items = {callable, args}; return true; }
      case 0x92: { const std::uint32_t keywords = pop(), args = pop(), callable = pop();
                   push(Kind::call).items = {callable, args, keywords}; return true; }
      // The state that an object would be given is not wanted: OrderedDict's _metadata, an optimizer's rest.
      case 'b': (void)pop(); (void)top(); return true;
      case 'Q': { const std::uint32_t id = pop(); push(Kind::persistent).items = {id}; return true; }
      default: return false;
    }
  }
  void stack_global() {
    const PickleNode& name = out_.nodes_[pop()];
    const PickleNode& module = out_.nodes_[pop()];
    if (name.kind != Kind::text || module.kind != Kind::text) refuse("names a global by what is no text");
    std::string full = module.text + '.' + name.text;
    push(Kind::global).text = std::move(full);
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  Pickle& out_;
  std::size_t at_ = 0, start_ = 0;
  std::uint8_t code_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, std::uint32_t> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& name) { PickleReader(bytes, name, *this).read(); }

std::string_view Pickle::callee(const PickleNode& call) const noexcept {
  if (call.kind != Kind::call) return {};
  const PickleNode& callable = nodes_[call.items.front()];
  return callable.kind == Kind::global ? std::string_view(callable.text) : std::string_view();
}

std::span<const std::uint32_t> Pickle::pairs_of(const PickleNode& dict) const noexcept {
  if (dict.kind == Kind::dict) return dict.items;
  if (callee(dict) == "collections.OrderedDict") return dict.pairs;
  return {};
}

const PickleNode* Pickle::find(const PickleNode& dict, std::string_view key) const noexcept {
  const auto pairs = pairs_of(dict);
  const PickleNode* found = nullptr;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    if (const PickleNode& k = nodes_[pairs[i]]; k.kind == Kind::text && k.text == key) found = &nodes_[pairs[i + 1]];
  return found;
}

}  // namespace penta::nn::nnunet
