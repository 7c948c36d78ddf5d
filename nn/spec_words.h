#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "nn/network_spec.h"

/// Readers of single words of a card's `network`, for network_spec*.cpp. Each throws Error{bad_input} that names the key.
namespace penta::nn {

/// The member where it is there and not null.
[[nodiscard]] inline const Json* given(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

[[noreturn]] inline void refuse(const std::string& sentence) { throw Error(Code::bad_input, sentence); }

[[nodiscard]] inline double number_in(const Json& json, std::string_view key, double otherwise, double low, double high) {
  const Json* value = given(json, key);
  if (value == nullptr) return otherwise;
  const double number = value->number();
  if (!(number >= low && number <= high)) refuse("'" + std::string(key) + "' is out of range");
  return number;
}

[[nodiscard]] inline bool flag_in(const Json& json, std::string_view key) {
  const Json* value = given(json, key);
  return value != nullptr && value->boolean();
}

/// N numbers in a range; null stands for `absent` where that is given.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<double, N>> numbers(const Json& json, std::string_view key, double low, double high,
                                                           std::optional<double> absent = {}) {
  const Json* list = given(json, key);
  if (list == nullptr) return std::nullopt;
  if (list->items().size() != N) refuse("'" + std::string(key) + "' needs " + std::to_string(N) + " numbers");
  std::array<double, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    const Json& item = list->items()[i];
    if (item.is_null() && absent) {
      out[i] = *absent;
      continue;
    }
    out[i] = item.number();
    if (!(out[i] >= low && out[i] <= high)) refuse("'" + std::string(key) + "' is out of range");
  }
  return out;
}

template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::int64_t, N>> counts(const Json& json, std::string_view key) {
  const auto values = numbers<N>(json, key, 1, 4096);
  if (!values) return std::nullopt;
  std::array<std::int64_t, N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::int64_t>((*values)[i]);
  return out;
}

template <class Choice, std::size_t N>
[[nodiscard]] Choice choice(const Json& json, std::string_view key,
                            const std::array<std::pair<std::string_view, Choice>, N>& names, Choice otherwise) {
  const Json* value = given(json, key);
  if (value == nullptr) return otherwise;
  for (const auto& [name, meaning] : names)
    if (value->text() == name) return meaning;
  refuse("'" + std::string(key) + "' is '" + value->text() + "', which is not known here");
}

/// `network.input`.
[[nodiscard]] InputSpec input_spec_from(const Json& json);
/// `normalise` of an input or of one channel; without any: none.
[[nodiscard]] Normalise normalise_from(const Json* json);

}  // namespace penta::nn
