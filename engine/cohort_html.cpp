#include "engine/cohort.h"
#include "engine/texts.h"

namespace penta::engine {

std::string cohort_html(std::span<const CohortRow> rows, std::span<const Remark> faults, const std::string& language) {
  const Texts texts(language);
  const auto text = [&](std::string_view key) { return escape(texts(key)); };
  std::string html = "<!doctype html>\n<html lang=\"" + language + "\"><head><meta charset=\"utf-8\"><title>" + text("title") +
                     "</title>\n<style>\n" + report_style() + "</style></head><body>\n<div class=\"notice\">" +
                     text("notice") + "</div>\n<h1>" + text("title") + "</h1>\n<table><tr><th>" + text("study") +
                     "</th><th>" + text("state") + "</th><th>" + text("measurements") + "</th></tr>\n";
  for (const CohortRow& row : rows)
    html += "<tr><td><a href=\"" + escape(row.folder) + "/report.html\">" + escape(row.study_uid) + "</a></td><td>" +
            escape(row.state) + "</td><td>" + std::to_string(row.measurements) + "</td></tr>\n";
  html += "</table>\n";
  for (const Remark& fault : faults)
    html += "<div class=\"remark " + std::string(name_of(fault.severity)) + "\"><b>" + text(name_of(fault.severity)) +
            "</b> " + escape(fault.text) + "</div>\n";
  return html + "</body></html>\n";
}

}  // namespace penta::engine
