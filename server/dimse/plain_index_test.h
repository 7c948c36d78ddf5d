#pragma once

#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "engine/store/instance.h"
#include "io/formats.h"
#include "server/dimse/elements.h"
#include "server/dimse/sender.h"

/// For tests of the network part alone: an index of the flat texts of a data set, made in this process.
namespace penta::server::dimse {

inline std::string vr_for_test(const Element& element) {
  if (!element.vr.empty()) return std::string(element.vr);
  switch (element.tag) {
    case 0x00100010: return "PN";
    case 0x00080060: return "CS";
    case 0x00080020:
    case 0x00100030: return "DA";
    case 0x00200011:
    case 0x00200013: return "IS";
    case 0x0020000D:
    case 0x0020000E:
    case 0x00080016:
    case 0x00080018: return "UI";
    default: return "LO";
  }
}

inline Json attribute_for_test(const std::string& vr, const std::string& text) {
  Json values = Json::array();
  if (vr == "PN") values.push(Json::object().set("Alphabetic", text));
  else if (vr == "IS") values.push(std::int64_t{std::atoll(text.c_str())});
  else values.push(text);
  Json json = Json::object().set("vr", vr);
  return text.empty() ? json : json.set("Value", std::move(values));
}

inline engine::InstanceIndex index_for_test(const std::filesystem::path& path) {
  const Item item = item_of(path);
  const std::vector<std::byte> bytes = io::read_file(path);
  engine::InstanceIndex index;
  index.sop_class = item.sop_class;
  index.transfer_syntax = item.transfer_syntax;
  Json metadata = Json::object();
  walk(std::span(bytes).subspan(data_set_offset(bytes)), encoding_of(item.transfer_syntax), [&](const Element& e) {
    if (e.tag >= 0x7FE00010) return false;
    const std::string vr = vr_for_test(e);
    constexpr std::string_view texts = "AE AS CS DA DT IS LO PN SH TM UI";
    if (e.sequence || e.value.size() > 1024 || texts.find(vr) == std::string_view::npos) return true;
    std::string text(reinterpret_cast<const char*>(e.value.data()), e.value.size());
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
    if (e.tag == 0x0020000D) index.study_uid = text;
    if (e.tag == 0x0020000E) index.series_uid = text;
    if (e.tag == 0x00080018) index.sop_uid = text;
    std::string tag(8, '0');
    for (std::size_t i = 0; i < 8; ++i) tag[7 - i] = "0123456789ABCDEF"[e.tag >> (4 * i) & 15U];
    metadata.set(tag, attribute_for_test(vr, text));
    return true;
  });
  if (index.study_uid.empty() || index.series_uid.empty() || index.sop_uid.empty())
    throw Error(Code::bad_input, "reading " + path.filename().string() + ": a UID is missing");
  index.metadata = metadata.dump(0);
  return index;
}

}  // namespace penta::server::dimse
