#include "evaluate/tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "core/error.h"
#include "evaluate/agreement.h"
#include "evaluate/classification.h"
#include "evaluate/detection.h"
#include "evaluate/order.h"

namespace penta::evaluate {

namespace {

using Drawn = std::span<const std::size_t>;

constexpr std::array<std::string_view, 5> of_each_class{"auroc", "ap", "brier", "ece", "sensitivity_at_90"};
constexpr std::array<std::string_view, 7> of_all_classes{"macro_auroc", "macro_f1", "balanced_accuracy", "accuracy",
                                                         "kappa", "mcc", "ece_top"};
constexpr std::array<std::string_view, 4> of_findings{"ap50", "ap10", "cpm", "sensitivity_at_1_fp"};
constexpr std::array<std::string_view, 4> of_numbers{"icc", "ccc", "bias", "mean_abs"};
constexpr auto all_metrics = [] {
  std::array<std::string_view, of_each_class.size() + of_all_classes.size() + of_findings.size() + of_numbers.size()> all;
  std::size_t n = 0;
  for (const auto name : of_each_class) all[n++] = name;
  for (const auto name : of_all_classes) all[n++] = name;
  for (const auto name : of_findings) all[n++] = name;
  for (const auto name : of_numbers) all[n++] = name;
  return all;
}();

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A table by the names of its columns.
class Named {
 public:
  Named(const Table& table, std::string what) : table_(table), what_(std::move(what)) {}

  std::size_t column(std::string_view name) const {
    const auto it = std::find(table_.columns.begin(), table_.columns.end(), name);
    if (it == table_.columns.end()) throw Error(Code::bad_input, what_ + " has no column '" + std::string(name) + "'");
    return static_cast<std::size_t>(it - table_.columns.begin());
  }
  bool has(std::string_view name) const {
    return std::find(table_.columns.begin(), table_.columns.end(), name) != table_.columns.end();
  }
  double number(std::size_t row, std::size_t column) const {
    const std::string& text = table_.rows[row][column];
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
      throw Error(Code::bad_input, what_ + ", case '" + table_.rows[row][this->column("case")] + "': '" + text +
                                       "' in column '" + table_.columns[column] + "' is no number");
    return value;
  }
  /// Row of each case; one that is there twice is an error.
  std::map<std::string, std::size_t> rows_by_case() const {
    std::map<std::string, std::size_t> rows;
    const std::size_t name = column("case");
    for (std::size_t i = 0; i < table_.rows.size(); ++i)
      if (!rows.emplace(table_.rows[i][name], i).second)
        throw Error(Code::bad_input, what_ + " has the case '" + table_.rows[i][name] + "' twice");
    return rows;
  }
  const Table& table() const noexcept { return table_; }

 private:
  const Table& table_;
  std::string what_;
};

/// Pairs of rows (a, reference) of the cases of the reference, in the order of their names.
std::vector<std::array<std::size_t, 2>> pairs(const Named& a, const Named& reference) {
  const auto mine = a.rows_by_case();
  std::vector<std::array<std::size_t, 2>> list;
  for (const auto& [name, row] : reference.rows_by_case()) {
    const auto it = mine.find(name);
    if (it == mine.end()) throw Error(Code::bad_input, "the first table has no row for the case '" + name + "'");
    list.push_back({it->second, row});
  }
  return list;
}

template <class T>
std::vector<T> picked(const std::vector<T>& values, Drawn drawn) {
  std::vector<T> out;
  for (const std::size_t i : drawn) out.push_back(values[i]);
  return out;
}

Figure figure(std::string metric, std::string label, std::size_t n, const std::function<double(Drawn)>& statistic) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  Figure out{std::move(metric), std::move(label), statistic(all), "1", {}, n};
  const Interval interval = bootstrap(n, statistic);
  out.interval = std::array{interval.lower, interval.upper};
  return out;
}

struct Classes {
  std::vector<std::string> names;
  std::vector<int> truth;
  std::vector<double> p;  ///< rows of one probability a class

  Classes(const Named& a, const Named& reference) {
    for (const std::string& column : a.table().columns)
      if (column != "case") names.push_back(column);
    const std::size_t label = reference.column("label");
    for (const auto& [mine, theirs] : pairs(a, reference)) {
      const std::string& name = reference.table().rows[theirs][label];
      const auto it = std::find(names.begin(), names.end(), name);
      if (it == names.end()) throw Error(Code::bad_input, "the first table has no column for the class '" + name + "'");
      truth.push_back(static_cast<int>(it - names.begin()));
      for (const std::string& column : names) p.push_back(a.number(mine, a.column(column)));
    }
  }

  std::size_t classes() const { return names.size(); }
  const double* of(std::size_t i) const { return p.data() + i * classes(); }
  int said(std::size_t i) const { return static_cast<int>(std::max_element(of(i), of(i) + classes()) - of(i)); }
};

double of_class(std::string_view metric, const Classes& data, std::size_t c, Drawn drawn) {
  std::vector<double> p;
  std::vector<std::uint8_t> positive;
  for (const std::size_t i : drawn) {
    p.push_back(data.of(i)[c]);
    positive.push_back(data.truth[i] == static_cast<int>(c) ? 1 : 0);
  }
  if (metric == "auroc") return auroc(p, positive);
  if (metric == "ap") return average_precision(p, positive);
  if (metric == "brier") return brier(p, positive);
  return metric == "ece" ? ece(p, positive) : sensitivity_at(0.9, p, positive);
}

double of_classes(std::string_view metric, const Classes& data, Drawn drawn) {
  std::vector<int> truth, said;
  std::vector<double> all, top;
  std::vector<std::uint8_t> right;
  for (const std::size_t i : drawn) {
    truth.push_back(data.truth[i]);
    said.push_back(data.said(i));
    all.insert(all.end(), data.of(i), data.of(i) + data.classes());
    top.push_back(data.of(i)[static_cast<std::size_t>(said.back())]);
    right.push_back(said.back() == truth.back() ? 1 : 0);
  }
  const auto classes = static_cast<int>(data.classes());
  if (metric == "macro_auroc") return macro_auroc(all, truth, classes);
  if (metric == "ece_top") return ece(top, right);
  const Confusion confusion(truth, said, classes);
  if (metric == "macro_f1") return macro_f1(confusion);
  if (metric == "balanced_accuracy") return balanced_accuracy(confusion);
  if (metric == "accuracy") return accuracy(confusion);
  return metric == "kappa" ? kappa(confusion) : mcc(confusion);
}

/// The boxes (and scores) of each case.
struct Boxes {
  std::vector<Box> boxes;
  std::vector<double> scores;
};
std::map<std::string, Boxes> boxes_by_case(const Named& table, bool with_score) {
  const bool in_space = table.has("z0");
  const std::array<std::string, 6> names{"x0", "y0", "z0", "x1", "y1", "z1"};
  std::map<std::string, Boxes> all;
  const std::size_t name = table.column("case"), first = table.column("x0");
  for (std::size_t row = 0; row < table.table().rows.size(); ++row) {
    Boxes& of_case = all[table.table().rows[row][name]];
    if (table.table().rows[row][first].empty()) continue;
    Box box;
    for (std::size_t k = 0; k < 6; ++k)
      if (k % 3 < 2 || in_space) (k < 3 ? box.low : box.high)[k % 3] = table.number(row, table.column(names[k]));
    of_case.boxes.push_back(box);
    if (with_score) of_case.scores.push_back(table.number(row, table.column("score")));
  }
  return all;
}

struct Cases {
  std::vector<Boxes> mine, theirs;

  Cases(const Named& a, const Named& reference) {
    auto of_a = boxes_by_case(a, true), of_b = boxes_by_case(reference, false);
    for (const auto& [name, boxes] : of_a) of_b.try_emplace(name);
    for (auto& [name, boxes] : of_b) {
      mine.push_back(of_a[name]);
      theirs.push_back(std::move(boxes));
    }
  }
};

double of_boxes(std::string_view metric, const Cases& cases, Drawn drawn) {
  Detections all;
  for (const std::size_t i : drawn)
    add_by_iou(all, cases.mine[i].boxes, cases.mine[i].scores, cases.theirs[i].boxes, metric == "ap50" ? 0.5 : 0.1);
  if (metric == "cpm") return cpm(all);
  return metric == "sensitivity_at_1_fp" ? sensitivity_at_false_positives(all, 1) : average_precision(all);
}

double of_values(std::string_view metric, const std::vector<double>& a, const std::vector<double>& b) {
  if (metric == "icc") return icc(a, b);
  if (metric == "ccc") return ccc(a, b);
  std::vector<double> gaps;
  for (std::size_t i = 0; i < a.size(); ++i) gaps.push_back(metric == "bias" ? a[i] - b[i] : std::abs(a[i] - b[i]));
  return mean(gaps);
}

void add_classes(const Named& a, const Named& b, const std::string& metric, std::vector<Figure>& figures) {
  const Classes data(a, b);
  if (!holds(of_each_class, metric)) {
    figures.push_back(figure(metric, "", data.truth.size(), [&](Drawn drawn) { return of_classes(metric, data, drawn); }));
    return;
  }
  for (std::size_t c = 0; c < data.classes(); ++c)
    figures.push_back(figure(metric, data.names[c], data.truth.size(),
                             [&](Drawn drawn) { return of_class(metric, data, c, drawn); }));
}

void add_findings(const Named& a, const Named& b, const std::string& metric, std::vector<Figure>& figures) {
  const Cases cases(a, b);
  figures.push_back(figure(metric, "", cases.mine.size(), [&](Drawn drawn) { return of_boxes(metric, cases, drawn); }));
}

void add_numbers(const Named& a, const Named& b, const std::string& metric, std::vector<Figure>& figures) {
  std::vector<double> mine, theirs;
  for (const auto& [row_a, row_b] : pairs(a, b)) {
    mine.push_back(a.number(row_a, a.column("value")));
    theirs.push_back(b.number(row_b, b.column("value")));
  }
  figures.push_back(figure(metric, "", mine.size(),
                           [&](Drawn drawn) { return of_values(metric, picked(mine, drawn), picked(theirs, drawn)); }));
}

}  // namespace

std::span<const std::string_view> table_metrics() noexcept { return all_metrics; }

std::vector<Figure> compare(const Table& a, const Table& reference, std::span<const std::string> metrics) {
  const Named mine(a, "the first table"), theirs(reference, "the reference");
  std::vector<Figure> figures;
  for (const std::string& metric : metrics) {
    check_known({&metric, 1}, all_metrics, "tables");
    if (holds(of_findings, metric)) add_findings(mine, theirs, metric, figures);
    else if (holds(of_numbers, metric)) add_numbers(mine, theirs, metric, figures);
    else add_classes(mine, theirs, metric, figures);
  }
  return figures;
}

}  // namespace penta::evaluate
