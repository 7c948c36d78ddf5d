#include "nn/nnunet/checkpoint.h"

#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "nn/nnunet/pickle.h"

namespace penta::nn::nnunet {

namespace {

using Kind = PickleNode::Kind;

struct Dtype {
  std::string_view storage, name;
  std::size_t bytes;
};
constexpr std::array<Dtype, 5> dtypes{{{"torch.FloatStorage", "f32", 4},
                                       {"torch.DoubleStorage", "f64", 8},
                                       {"torch.HalfStorage", "f16", 2},
                                       {"torch.BFloat16Storage", "bf16", 2},
                                       {"torch.LongStorage", "i64", 8}}};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(Code::bad_input, "reading the checkpoint '" + name + "': " + why);
}

std::optional<std::vector<std::int64_t>> integers(const Pickle& pickle, const PickleNode& list) {
  if (list.kind != Kind::list) return std::nullopt;
  std::vector<std::int64_t> out;
  for (const std::uint32_t item : list.items) {
    if (pickle.node(item).kind != Kind::integer) return std::nullopt;
    out.push_back(pickle.node(item).integer);
  }
  return out;
}

Weight faulty(std::string why) {
  Weight weight;
  weight.fault = std::move(why);
  return weight;
}

/// What an unknown value is called in an error.
std::string word_for(const Pickle& pickle, const PickleNode& node) {
  const std::string_view callee = pickle.callee(node);
  if (!callee.empty()) return "'" + std::string(callee) + "'";
  return node.kind == Kind::global ? "'" + node.text + "'" : "a value of another kind";
}

/// torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, ...) taken as data.
Weight weight_from(const Pickle& pickle, const PickleNode* node) {
  for (int i = 0; i < 2 && pickle.callee(*node) == "torch._utils._rebuild_parameter"; ++i) {
    const PickleNode& args = pickle.node(node->items[1]);
    if (args.kind != Kind::list || args.items.empty()) return faulty("its parameter has no tensor");
    node = &pickle.node(args.items[0]);
  }
  if (pickle.callee(*node) != "torch._utils._rebuild_tensor_v2") return faulty("it depends on " + word_for(pickle, *node));
  const PickleNode& args = pickle.node(node->items[1]);
  if (args.kind != Kind::list || args.items.size() < 4) return faulty("its tensor is not described");
  const auto arg = [&](std::size_t i) -> const PickleNode& { return pickle.node(args.items[i]); };
  if (arg(0).kind != Kind::persistent) return faulty("its storage depends on " + word_for(pickle, arg(0)));
  const PickleNode& id = pickle.node(arg(0).items[0]);
  if (id.kind != Kind::list || id.items.size() < 5 || pickle.node(id.items[1]).kind != Kind::global ||
      pickle.node(id.items[2]).kind != Kind::text)
    return faulty("its storage is not described");
  Weight weight;
  for (const Dtype& type : dtypes)
    if (pickle.node(id.items[1]).text == type.storage) weight.dtype = type.name;
  if (weight.dtype.empty()) return faulty("its type '" + pickle.node(id.items[1]).text + "' is not known here");
  weight.storage = pickle.node(id.items[2]).text;
  const auto shape = integers(pickle, arg(2)), strides = integers(pickle, arg(3));
  if (arg(1).kind != Kind::integer || !shape || !strides || shape->size() != strides->size())
    return faulty("its shape is not described");
  weight.offset = arg(1).integer;
  weight.shape = *shape;
  weight.strides = *strides;
  return weight;
}

std::string without_prefix(std::string_view key) {
  for (const std::string_view prefix : {"module.", "_orig_mod."})
    if (key.substr(0, prefix.size()) == prefix) key.remove_prefix(prefix.size());
  return std::string(key);
}

/// One past the last element, in elements; nothing for a negative place or one beyond all files.
std::optional<std::uint64_t> end_of(const Weight& weight) {
  constexpr std::int64_t most = std::int64_t{1} << 40U;
  const auto fits = [](std::int64_t v) { return v >= 0 && v <= most; };
  if (!fits(weight.offset) || weight.shape.size() > 8) return std::nullopt;
  std::uint64_t last = static_cast<std::uint64_t>(weight.offset), count = 1;
  for (std::size_t k = 0; k < weight.shape.size(); ++k) {
    if (!fits(weight.shape[k]) || weight.shape[k] < 1 || !fits(weight.strides[k])) return std::nullopt;
    const auto n = static_cast<std::uint64_t>(weight.shape[k]), s = static_cast<std::uint64_t>(weight.strides[k]);
    if (n > (std::uint64_t{1} << 40U) / count || (s > 0 && n - 1 > (std::uint64_t{1} << 40U) / s)) return std::nullopt;
    count *= n;
    last += (n - 1) * s;
  }
  return last + 1;
}

float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000U) << 16U, mantissa = h & 0x3FFU;
  const std::uint32_t exponent = h >> 10U & 31U;
  float value = static_cast<float>(mantissa) * 0x1p-24F;  // subnormal
  if (exponent > 0) {
    const std::uint32_t bits = exponent == 31 ? 0x7F800000U | mantissa << 13U : (exponent + 112) << 23U | mantissa << 13U;
    std::memcpy(&value, &bits, 4);
  }
  return sign != 0 ? -value : value;
}

float value_at(const std::byte* data, std::string_view dtype, std::uint64_t index) {
  if (dtype == "f32") {
    float v = 0;
    std::memcpy(&v, data + index * 4, 4);
    return v;
  }
  if (dtype == "f64") {
    double v = 0;
    std::memcpy(&v, data + index * 8, 8);
    return static_cast<float>(v);
  }
  std::uint16_t v = 0;
  std::memcpy(&v, data + index * 2, 2);
  if (dtype == "f16") return half_to_float(v);
  const std::uint32_t bits = static_cast<std::uint32_t>(v) << 16U;
  float value = 0;
  std::memcpy(&value, &bits, 4);
  return value;
}

std::string text_at(const PickleNode* node) {
  return node != nullptr && node->kind == Kind::text ? node->text : std::string();
}

}  // namespace

Checkpoint::Checkpoint(std::span<const std::byte> bytes, const std::string& name) : name_(name), zip_(bytes, name) {
  constexpr std::string_view suffix = "data.pkl";
  const ZipEntry* data = nullptr;
  for (const ZipEntry& entry : zip_.entries())
    if (const auto cut = entry.name.rfind('/') + 1; entry.name.substr(cut) == suffix) {
      data = &entry;
      prefix_ = entry.name.substr(0, cut);
    }
  if (data == nullptr) refuse(name_, "it holds no data.pkl, so torch.save did not write it");
  std::vector<std::byte> room;
  if (const ZipEntry* order = zip_.find(prefix_ + "byteorder")) {
    const auto text = zip_.unpack(*order, room);
    if (std::string_view(reinterpret_cast<const char*>(text.data()), text.size()) != "little")
      refuse(name_, "its numbers are not little-endian");
  }
  const Pickle pickle(zip_.unpack(*data, room), name + "/data.pkl");
  const PickleNode& root = pickle.root();
  const PickleNode* weights = pickle.find(root, "network_weights");
  if (weights == nullptr) refuse(name_, "it has no 'network_weights', so nnU-Net v2 did not write it");
  const auto pairs = pickle.pairs_of(*weights);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    if (pickle.node(pairs[i]).kind == Kind::text)
      weights_[without_prefix(pickle.node(pairs[i]).text)] = weight_from(pickle, &pickle.node(pairs[i + 1]));
  if (weights_.empty()) refuse(name_, "its 'network_weights' hold no tensor, but " + word_for(pickle, *weights));
  trainer_ = text_at(pickle.find(root, "trainer_name"));
  if (const PickleNode* init = pickle.find(root, "init_args"))
    configuration_ = text_at(pickle.find(*init, "configuration"));
  if (const PickleNode* axes = pickle.find(root, "inference_allowed_mirroring_axes"); axes != nullptr && axes->kind != Kind::none) {
    const auto list = integers(pickle, *axes);
    if (!list) refuse(name_, "its 'inference_allowed_mirroring_axes' are no list of numbers");
    for (const std::int64_t axis : *list) {
      if (axis < 0 || axis > 2) refuse(name_, "its 'inference_allowed_mirroring_axes' name the axis " + std::to_string(axis));
      mirror_axes_.push_back(static_cast<int>(axis));
    }
  }
}

std::vector<float> Checkpoint::values(const std::string& key, const std::vector<std::int64_t>& shape) const {
  const auto found = weights_.find(key);
  if (found == weights_.end()) refuse(name_, "the weight '" + key + "' is not there");
  const Weight& weight = found->second;
  const std::string which = "the weight '" + key + "' ";
  if (!weight.fault.empty()) refuse(name_, which + "cannot be taken: " + weight.fault);
  if (weight.dtype == "i64") refuse(name_, which + "holds whole numbers");
  if (weight.shape != shape) {
    const auto said = [](const std::vector<std::int64_t>& s) {
      std::string text;
      for (const std::int64_t n : s) text += (text.empty() ? "" : " x ") + std::to_string(n);
      return text;
    };
    refuse(name_, which + "is " + said(weight.shape) + ", and the plans say " + said(shape));
  }
  const ZipEntry* entry = zip_.find(prefix_ + "data/" + weight.storage);
  if (entry == nullptr) refuse(name_, which + "lies in the storage '" + weight.storage + "', which is not there");
  std::size_t bytes = 4;
  for (const Dtype& type : dtypes)
    if (type.name == weight.dtype) bytes = type.bytes;
  const auto end = end_of(weight);
  if (!end || *end > entry->size / bytes)
    refuse(name_, which + "reaches outside its storage '" + weight.storage + "' of " + std::to_string(entry->size) + " bytes");
  std::vector<std::byte> room;
  const auto data = zip_.unpack(*entry, room);
  std::size_t count = 1;
  for (const std::int64_t n : shape) count *= static_cast<std::size_t>(n);
  // Overlapping strides could name more values than any storage holds.
  if (count > 4 * (entry->size / bytes)) refuse(name_, which + "repeats its values");
  std::vector<float> out(count);
  std::vector<std::int64_t> index(shape.size(), 0);
  for (float& v : out) {
    std::uint64_t at = static_cast<std::uint64_t>(weight.offset);
    for (std::size_t k = 0; k < index.size(); ++k) at += static_cast<std::uint64_t>(index[k] * weight.strides[k]);
    v = value_at(data.data(), weight.dtype, at);
    for (std::size_t k = index.size(); k-- > 0;) {
      if (++index[k] < shape[k]) break;
      index[k] = 0;
    }
  }
  return out;
}

}  // namespace penta::nn::nnunet
