// The SQL of searches: conditions that an index can answer as SQL, all others by our own matching as SQL functions.
#include <algorithm>
#include <array>
#include <deque>

#include "engine/store/attributes.h"
#include "engine/store/matching.h"
#include "engine/store/sqlite_catalogue.h"

namespace penta::engine {

namespace {

constexpr std::size_t list_most = 200;  // UIDs of a list that go into the SQL one by one

std::string_view text_argument(sqlite3_value* value) {
  const auto* first = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return first == nullptr ? std::string_view() : std::string_view(first, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

// penta_match(kind, query, value): whether a value matches.
void match_value(sqlite3_context* context, int, sqlite3_value** arguments) {
  auto* pattern = static_cast<Pattern*>(sqlite3_get_auxdata(context, 1));
  if (pattern == nullptr) {
    auto made = std::make_unique<Pattern>(static_cast<MatchKind>(sqlite3_value_int(arguments[0])), text_argument(arguments[1]));
    sqlite3_result_int(context, made->matches(text_argument(arguments[2])) ? 1 : 0);
    sqlite3_set_auxdata(context, 1, made.release(), [](void* it) { std::default_delete<Pattern>()(static_cast<Pattern*>(it)); });
    return;
  }
  sqlite3_result_int(context, pattern->matches(text_argument(arguments[2])) ? 1 : 0);
}

// penta_match_in(fuzzy, query, tag, attributes): the same for a member of a DICOM JSON object.
void match_member(sqlite3_context* context, int, sqlite3_value** arguments) {
  try {
    std::string vr;
    const std::string value = value_text(member_of(text_argument(arguments[3]), text_argument(arguments[2])), &vr);
    const Pattern pattern(match_kind(vr, sqlite3_value_int(arguments[0]) != 0), text_argument(arguments[1]));
    sqlite3_result_int(context, !value.empty() && pattern.matches(value) ? 1 : 0);
  } catch (const std::exception& error) {
    sqlite3_result_error(context, error.what(), -1);
  }
}

struct Column {
  std::string_view tag, name;
  MatchKind kind;
  bool indexed;  ///< equality of texts is asked of SQL
};
constexpr std::array<Column, 11> columns{{
    {"0020000D", "st.uid", MatchKind::uid, true},         {"00100020", "st.patient_id", MatchKind::text, true},
    {"00100010", "st.patient_name", MatchKind::name, false}, {"00080050", "st.accession", MatchKind::text, true},
    {"00080020", "st.study_date", MatchKind::date, true}, {"0020000E", "se.uid", MatchKind::uid, true},
    {"00080060", "se.modality", MatchKind::text, true},   {"00200011", "se.number", MatchKind::text, false},
    {"00080018", "i.uid", MatchKind::uid, true},          {"00080016", "i.sop_class", MatchKind::uid, true},
    {"00200013", "i.number", MatchKind::text, false},
}};

constexpr std::array<std::string_view, 3> attributes_of{
    "(SELECT a.attributes FROM study_attributes a WHERE a.study = st.id)", "se.attributes",
    "(SELECT c.attributes FROM contents c WHERE c.instance = i.id)"};

bool is_wild(std::string_view text) noexcept { return text.find_first_of("*?") != std::string_view::npos; }

std::vector<std::string> list_of(std::string_view query) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= query.size();) {
    const std::size_t end = std::min(query.find_first_of("\\,", at), query.size());
    if (end > at) out.emplace_back(query.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// Conditions with what is bound to them, and the tables that they need.
class Conditions {
 public:
  explicit Conditions(const Search& search) : level_(search.level), fuzzy_(search.fuzzy) {
    if (!search.study_uid.empty()) equal("st.uid", search.study_uid);
    if (!search.series_uid.empty()) equal("se.uid", search.series_uid);
    for (const auto& [tag, query] : search.match)
      if (!query.empty() && query != "*" && searchable(level_, tag)) add(tag, query);
    if (!search.text.empty()) anywhere(search.text);
  }

  [[nodiscard]] const std::string& sql() const noexcept { return sql_; }
  [[nodiscard]] bool uses(char table) const { return sql_.find(table == 'i' ? " i." : table == 'e' ? "se." : "st.") != std::string::npos; }
  [[nodiscard]] bool narrowed(std::string_view column) const { return sql_.find(std::string(column) + " IN (") != std::string::npos; }
  void bind(Statement& ask) const { for (const std::string& value : bound_) ask.bind(value); }

 private:
  void equal(std::string_view column, const std::string& value) {
    sql_.append(" AND ").append(column).append(" IN (?)");
    bound_.push_back(value);
  }

  void matches(MatchKind kind, std::string_view column, const std::string& query) {
    sql_.append(" AND penta_match(").append(std::to_string(static_cast<int>(kind))).append(", ?, ").append(column).append(")");
    bound_.push_back(query);
  }

  void anywhere(const std::string& text) {
    const std::string of_text = "penta_match(" + std::to_string(static_cast<int>(MatchKind::text)) + ", ?, ";
    sql_.append(" AND (penta_match(").append(std::to_string(static_cast<int>(MatchKind::fuzzy_name))).append(", ?, st.patient_name) OR ");
    sql_.append(of_text).append("st.patient_id) OR ").append(of_text).append("st.accession) OR penta_match_in(0, ?, '00081030', ");
    sql_.append(attributes_of[0]).append("))");
    bound_.push_back(text);
    for (int i = 0; i < 3; ++i) bound_.push_back("*" + text + "*");
  }

  void add(const std::string& tag, const std::string& query) {
    const bool modality = tag == "00080061" || (tag == "00080060" && level_ == Level::study);
    const bool sop_class = tag == "00080062" || (tag == "00080016" && level_ != Level::instance);
    if (modality || sop_class) return exists(modality, query);
    const auto* column = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.tag == tag; });
    if (column != columns.end()) return add(*column, query);
    sql_.append(fuzzy_ ? " AND penta_match_in(1, ?, '" : " AND penta_match_in(0, ?, '").append(tag).append("', ");
    sql_.append(attributes_of[static_cast<std::size_t>(*level_of(tag))]).append(")");
    bound_.push_back(query);
  }

  void exists(bool modality, const std::string& query) {
    const std::string inside = modality ? "SELECT 1 FROM series x WHERE x.study = st.id" :
        "SELECT 1 FROM series x JOIN instances y ON y.series = x.id WHERE x.study = st.id";
    sql_.append(" AND EXISTS(").append(inside);
    // Several modalities may be asked for, as UIDs are.
    matches(MatchKind::uid, modality ? "x.modality" : "y.sop_class", query);
    if (modality && is_wild(query)) sql_.replace(sql_.rfind("penta_match(2"), 13, "penta_match(0");
    sql_.append(")");
  }

  void add(const Column& column, const std::string& query) {
    if (column.kind == MatchKind::uid) return one_of(column, query);
    if (column.kind == MatchKind::name) return matches(fuzzy_ ? MatchKind::fuzzy_name : MatchKind::name, column.name, query);
    if (column.kind == MatchKind::date) return date(column, query);
    if (column.indexed && !is_wild(query) && query.front() != ' ' && query.back() != ' ') return equal(column.name, query);
    matches(column.kind, column.name, query);
  }

  void one_of(const Column& column, const std::string& query) {
    const std::vector<std::string> uids = list_of(query);
    if (uids.empty() || uids.size() > list_most) return matches(MatchKind::uid, column.name, query);
    sql_.append(" AND ").append(column.name).append(" IN (");
    for (std::size_t i = 0; i < uids.size(); ++i) sql_.append(i == 0 ? "?" : ",?");
    sql_.append(")");
    bound_.insert(bound_.end(), uids.begin(), uids.end());
  }

  // The index narrows down, our matching decides.
  void date(const Column& column, const std::string& query) {
    std::string plain = query;
    std::erase_if(plain, [](char c) { return c == '.' || c == ' '; });
    const auto dash = plain.find('-');
    if (const std::string from = plain.substr(0, dash); !from.empty()) {
      sql_.append(" AND ").append(column.name).append(" >= ?");
      bound_.push_back(from);
    }
    if (const std::string to = dash == std::string::npos ? plain : plain.substr(dash + 1); !to.empty()) {
      sql_.append(" AND ").append(column.name).append(" <= ?");
      bound_.push_back(to + "~");
    }
    matches(MatchKind::date, column.name, query);
  }

  Level level_;
  bool fuzzy_;
  std::string sql_;
  std::vector<std::string> bound_;
};

/// The tables in the order in which they are walked.
std::string tables_of(Level level, const Conditions& where) {
  if (level == Level::study) return " FROM studies st";
  if (level == Level::series && where.narrowed("se.uid") && !where.narrowed("st.uid"))
    return " FROM series se CROSS JOIN studies st ON st.id = se.study";
  const std::string down = " FROM studies st CROSS JOIN series se ON se.study = st.id";
  if (level == Level::series) return down;
  if (where.narrowed("i.uid")) return " FROM instances i CROSS JOIN series se ON se.id = i.series CROSS JOIN studies st ON st.id = i.study";
  if (where.narrowed("se.uid") && !where.narrowed("st.uid"))
    return " FROM series se CROSS JOIN studies st ON st.id = se.study CROSS JOIN instances i ON i.series = se.id";
  return down + " CROSS JOIN instances i ON i.series = se.id";
}

/// Only the tables that the conditions need, since nothing else can change the number.
std::string tables_to_count(Level level, const Conditions& where) {
  if (level == Level::series && !where.uses('t')) return " FROM series se";
  if (level == Level::instance && !where.uses('t') && !where.uses('e')) return " FROM instances i";
  return tables_of(level, where);
}

constexpr std::string_view study_columns =
    "st.uid, st.received_ms, st.series_count, st.instance_count, (SELECT a.attributes FROM study_attributes a WHERE a.study = st.id), "
    "(SELECT group_concat(m.modality, '\\') FROM (SELECT DISTINCT x.modality FROM series x WHERE x.study = st.id AND x.modality <> '' "
    "ORDER BY x.modality) m)";

// The same places for rows of a study that the path names.
constexpr std::string_view plain_study_columns = "st.uid, st.received_ms, 0, 0, NULL, NULL";

/// The members of a row: tags and JSON texts that lie in the row's columns or in `made`, brought into order at the end.
class Members {
 public:
  /// `json` stays where it is until text() was called.
  void take(std::string_view json) {
    each_member(json, [&](std::string_view tag, std::string_view value) {
      all_.emplace_back(tag, value);
      return true;
    });
  }

  void make(std::string_view tag, std::string_view vr, const std::string& values) {
    made_.push_back(R"({"vr":")" + std::string(vr) + R"(","Value":[)" + values + "]}");
    all_.emplace_back(tag, made_.back());
  }

  /// `values` are separated by backslashes.
  void make_texts(std::string_view tag, std::string_view vr, std::string_view values) {
    std::string list;
    for (std::size_t at = 0; at <= values.size();) {
      const std::size_t end = std::min(values.find('\\', at), values.size());
      list.append(list.empty() ? "" : ",").append(Json(values.substr(at, end - at)).dump(-1));
      at = end + 1;
    }
    make(tag, vr, list);
  }

  /// Of members with one tag the last counts.
  [[nodiscard]] std::string text() {
    std::stable_sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string out = "{";
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (i + 1 < all_.size() && all_[i + 1].first == all_[i].first) continue;
      out.append(out.size() > 1 ? ",\"" : "\"").append(all_[i].first).append("\":").append(all_[i].second);
    }
    return out + '}';
  }

 private:
  std::deque<std::string> made_;
  std::vector<std::pair<std::string_view, std::string_view>> all_;
};

void add_study(Members& out, const Statement& row) {
  out.take(row.view(4));
  if (const std::string_view modalities = row.view(5); !modalities.empty()) out.make_texts("00080061", "CS", modalities);
  out.make("00201206", "IS", std::to_string(row.integer(2)));
  out.make("00201208", "IS", std::to_string(row.integer(3)));
}

Row row_of(const Search& search, const Statement& ask) {
  Row row;
  Members members;
  row.study_uid = ask.text(0);
  row.received_ms = ask.integer(1);
  if (search.level == Level::study || search.study_uid.empty()) add_study(members, ask);
  members.make_texts("0020000D", "UI", row.study_uid);
  members.make("00080056", "CS", "\"ONLINE\"");
  if (search.level != Level::study) {
    row.series_uid = ask.text(6);
    if (search.level == Level::series || search.series_uid.empty()) {
      members.take(ask.view(7));
      members.make("00201209", "IS", std::to_string(ask.integer(8)));
    }
    members.make_texts("0020000E", "UI", row.series_uid);
  }
  if (search.level == Level::instance) {
    row.sop_uid = ask.text(9);
    members.take(ask.view(10));
    members.make_texts("00083002", "UI", ask.view(11));
  }
  row.attributes = RowAttributes(members.text());
  return row;
}

}  // namespace

void add_functions(Connection& connection) {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  sqlite3_create_function_v2(connection.get(), "penta_match", 3, flags, nullptr, match_value, nullptr, nullptr, nullptr);
  sqlite3_create_function_v2(connection.get(), "penta_match_in", 4, flags, nullptr, match_member, nullptr, nullptr, nullptr);
}

bool searchable(Level level, std::string_view tag) noexcept {
  if (tag == "00080060") return true;
  if (tag == "00080016") return level != Level::series;
  const auto own = level_of(tag);
  return own && *own <= level;
}

std::vector<Row> SqliteCatalogue::search(const Search& search) const {
  const Conditions where(search);
  const bool study_too = search.level == Level::study || search.study_uid.empty();
  std::string sql = "SELECT " + std::string(study_too ? study_columns : plain_study_columns), order = " ORDER BY st.id DESC";
  if (search.level != Level::study) {
    sql += ", se.uid, se.attributes, se.instance_count";
    order += ", se.number, se.id";
  }
  if (search.level == Level::instance) {
    sql += ", i.uid, (SELECT c.attributes FROM contents c WHERE c.instance = i.id), i.transfer_syntax";
    order += ", i.number, i.id";
  }
  const Lease base(*this);
  Statement ask = base->prepare_once(sql + tables_of(search.level, where) + " WHERE 1" + where.sql() + order + " LIMIT ? OFFSET ?");
  where.bind(ask);
  ask.bind(search.limit).bind(search.offset);
  std::vector<Row> out;
  while (ask.step()) out.push_back(row_of(search, ask));
  return out;
}

std::int64_t SqliteCatalogue::count(const Search& search) const {
  const Conditions where(search);
  const Lease base(*this);
  Statement ask = base->prepare_once("SELECT COUNT(*)" + tables_to_count(search.level, where) + " WHERE 1" + where.sql());
  where.bind(ask);
  return ask.step() ? ask.integer(0) : 0;
}

}  // namespace penta::engine
