#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr std::size_t regions = 22, counts = 2 * regions, inputs = counts + 16;

std::vector<double> numbers_of(const Json& model, const char* member) {
  std::vector<double> values;
  for (const Json& item : model.at(member).items()) values.push_back(item.number());
  if (values.size() != inputs)
    throw Error(Code::internal, "spect.perfusion: the card's model." + std::string(member) + " is not 60 numbers");
  return values;
}

/// The coefficients of the card.
struct Model {
  std::vector<double> mean, scale, weights;
  double bias, slope, offset, strange_above;

  explicit Model(const Json& m)
      : mean(numbers_of(m, "mean")),
        scale(numbers_of(m, "scale")),
        weights(numbers_of(m, "weights")),
        bias(m.at("bias").number()),
        slope(m.at("slope").number()),
        offset(m.at("offset").number()),
        strange_above(m.at("strange_above").number()) {}

  /// The probability of abnormal, or nothing where the counts are unlike all that was taught.
  [[nodiscard]] std::optional<double> probability(const std::vector<double>& x) const {
    double logit = bias, square = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      const double z = (x[i] - mean[i]) / scale[i];
      logit += weights[i] * z;
      square += z * z / static_cast<double>(inputs);
    }
    if (!(square <= strange_above)) return {};
    return 1 / (1 + std::exp(-(slope * logit + offset)));
  }
};

/// Smallest, mean of the five smallest, first quartile (linear between order statistics), mean, standard deviation.
void add_summary(std::array<double, regions> v, std::vector<double>& out) {
  const double mean = std::accumulate(v.begin(), v.end(), 0.0) / regions;
  double square = 0;
  for (const double value : v) square += (value - mean) * (value - mean);
  std::sort(v.begin(), v.end());
  const double at = 0.25 * (regions - 1);
  const auto below = static_cast<std::size_t>(at);
  out.push_back(v[0]);
  out.push_back(std::accumulate(v.begin(), v.begin() + 5, 0.0) / 5);
  out.push_back(v[below] + (at - static_cast<double>(below)) * (v[below + 1] - v[below]));
  out.push_back(mean);
  out.push_back(std::sqrt(square / regions));
}

std::vector<double> features_of(const std::array<double, counts>& x) {
  std::vector<double> out(x.begin(), x.end());
  std::array<double, regions> rest{}, stress{}, change{};
  double apart = 0;
  for (std::size_t i = 0; i < regions; ++i) {
    rest[i] = x[2 * i];
    stress[i] = x[2 * i + 1];
    change[i] = rest[i] - stress[i];
    apart += std::abs(change[i]) / regions;
  }
  for (const auto& part : {rest, stress, change}) add_summary(part, out);
  out.push_back(apart);
  return out;
}

/// Where the 44 counts stand in a row: by their names, or by their order.
std::array<std::size_t, counts> places_of(const Table& table, std::vector<Remark>& remarks) {
  std::array<std::size_t, counts> places{};
  const auto& names = table.columns;
  const bool named = std::find(names.begin(), names.end(), "F1R") != names.end();
  if (!named && names.size() != counts && names.size() != counts + 1)
    throw Error(Code::bad_input, "spect.perfusion: the table has " + std::to_string(names.size()) +
                                     " columns; wanted are F1R, F1S ... F22R, F22S (44), or 45 with the class first");
  for (std::size_t i = 0; i < counts; ++i) {
    if (!named) {
      places[i] = i + names.size() - counts;
      continue;
    }
    const std::string name = "F" + std::to_string(i / 2 + 1) + (i % 2 == 0 ? "R" : "S");
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) throw Error(Code::bad_input, "spect.perfusion: the column " + name + " is missing");
    places[i] = static_cast<std::size_t>(at - names.begin());
  }
  if (!named)
    remarks.push_back({Severity::note, "columns_by_order",
                       std::string("the columns have no names of regions: taken as F1R, F1S ... F22R, F22S") +
                           (names.size() > counts ? " behind the class, which is not used" : "")});
  return places;
}

std::array<double, counts> counts_of(const Table& table, std::size_t row,
                                     const std::array<std::size_t, counts>& places) {
  std::array<double, counts> values{};
  for (std::size_t i = 0; i < counts; ++i) {
    const std::string& cell = table.rows[row].at(places[i]);
    const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), values[i]);
    if (fault != std::errc() || end != cell.data() + cell.size() || !std::isfinite(values[i]) || values[i] < 0)
      throw Error(Code::bad_input, "spect.perfusion: row " + std::to_string(row + 1) + ", column " +
                                       table.columns[places[i]] + ": '" + cell + "' is no count");
  }
  return values;
}

std::string text_of(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 4).ptr;
  return {text.data(), end};
}

class SpectPerfusion final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const Table& table = request.need<Table>("regions");
    if (table.rows.empty()) throw Error(Code::bad_input, "spect.perfusion: the table has no row");
    Answer answer;
    const auto places = places_of(table, answer.remarks);
    Table out{{"row", "abnormal"}, {}};
    Scores scores;
    std::size_t strange = 0;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      const auto p = model_.probability(features_of(counts_of(table, row, places)));
      strange += p ? 0 : 1;
      out.rows.push_back({std::to_string(row + 1), p ? text_of(*p) : std::string()});
      if (table.rows.size() > 1) continue;
      scores.push_back({"abnormal", p, {}});
      scores.push_back({"normal", p ? std::optional(1 - *p) : std::nullopt, {}});
    }
    if (strange > 0)
      answer.remarks.push_back({Severity::warning, "out_of_distribution",
                                std::to_string(strange) + " of " + std::to_string(table.rows.size()) +
                                    " rows hold counts unlike all that was taught: they get no probability"});
    if (!scores.empty()) answer.artifacts.push_back({"scores", std::move(scores)});
    answer.artifacts.push_back({"probabilities", std::move(out)});
    return answer;
  }

 private:
  Card card_ = built_in_card("classification/spect.perfusion");
  Model model_ = Model(card_.whole.at("model"));
};

}  // namespace

MethodPtr make_classification_spect_perfusion();
MethodPtr make_classification_spect_perfusion() { return std::make_unique<SpectPerfusion>(); }

}  // namespace penta
