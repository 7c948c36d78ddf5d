#include "engine/compare.h"

#include <array>
#include <cmath>

#include "core/error.h"
#include "engine/open.h"
#include "evaluate/compare.h"
#include "evaluate/tables.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

ContentPtr image_at(const fs::path& path) {
  const std::array<fs::path, 1> paths{path};
  for (const Entry& entry : open(paths).entries)
    if (entry.kind == "volume" || entry.kind == "frames") return entry.load();
  throw Error(Code::bad_input, "'" + path.string() + "' holds no image to compare");
}

std::string known_metrics() {
  std::string list;
  for (const auto names : {evaluate::label_metrics(), evaluate::image_metrics(), evaluate::table_metrics()})
    for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

std::vector<evaluate::Figure> figures(const fs::path& a, const fs::path& b, const std::vector<std::string>& metrics) {
  if (a.extension() == ".csv" && b.extension() == ".csv")
    return evaluate::compare(std::get<Table>(*open_table(a)), std::get<Table>(*open_table(b)), metrics);
  std::vector<std::string> of_labels, of_images;
  for (const std::string& metric : metrics) {
    if (evaluate::is_label_metric(metric)) of_labels.push_back(metric);
    else if (evaluate::is_image_metric(metric)) of_images.push_back(metric);
    else throw Error(Code::wrong_use, "--metric " + metric + ": there are " + known_metrics());
  }
  std::vector<evaluate::Figure> all;
  if (!of_labels.empty()) {
    const ContentPtr labels_a = open_labels(a), labels_b = open_labels(b);
    all = evaluate::compare(std::get<LabelMap>(*labels_a), std::get<LabelMap>(*labels_b), of_labels);
  }
  if (!of_images.empty()) {
    const ContentPtr image_a = image_at(a), image_b = image_at(b);
    const auto more = evaluate::compare(std::get<Image>(*image_a), std::get<Image>(*image_b), of_images);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace

Json compare(const fs::path& a, const fs::path& b, const std::vector<std::string>& metrics) {
  Json rows = Json::array();
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  for (const evaluate::Figure& figure : figures(a, b, metrics)) {
    Json row = Json::object().set("metric", figure.metric).set("label", figure.label);
    row.set("value", number(figure.value)).set("unit", figure.unit);
    if (figure.interval) row.set("ci95", Json::array().push(number((*figure.interval)[0])).push(number((*figure.interval)[1])));
    if (figure.n > 0) row.set("n", figure.n);
    rows.push(std::move(row));
  }
  return Json::object().set("metrics", std::move(rows));
}

}  // namespace penta::engine
