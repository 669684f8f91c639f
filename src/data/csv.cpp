#include "data/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <unordered_set>

#include "data/stored_array.h"
#include "kappa/error.h"

namespace kappa {
namespace {

constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 26;

/// Splits a stream into records (lines, except that quotes protect line ends) and fields.
class Records {
 public:
  explicit Records(ByteSource& source) : source_(source) {
    if (!fill(3)) return;
    if (buffer_.starts_with("\xef\xbb\xbf")) begin_ = 3;
    if (buffer_.starts_with("\xff\xfe") || buffer_.starts_with("\xfe\xff")) {
      throw Error(ErrorKind::data, source_.name() + ": is UTF-16 text; save it as UTF-8");
    }
  }

  /// Reads the next record that is not blank into `fields`; false at the end.
  bool next(std::vector<std::string>& fields) {
    for (;;) {
      line_ = next_line_;
      const std::size_t end = find_end();
      if (end == begin_ && at_end_) return false;
      std::string_view record(buffer_.data() + begin_, end - begin_);
      begin_ = end;
      while (!record.empty() && (record.back() == '\n' || record.back() == '\r')) {
        record.remove_suffix(1);
      }
      if (record.find_first_not_of(" \t") == std::string_view::npos) continue;
      if (delimiter_ == '\0') delimiter_ = detect_delimiter(record);
      split(record, fields);
      return true;
    }
  }

  /// The line the latest record began on, from 1.
  [[nodiscard]] std::int64_t line() const { return line_; }

 private:
  /// Makes at least `count` bytes available from begin_ on, if the stream has them.
  bool fill(std::size_t count) {
    while (buffer_.size() - begin_ < count && !at_end_) {
      buffer_.erase(0, begin_);
      begin_ = 0;
      const std::size_t old = buffer_.size();
      const std::size_t more = std::max<std::size_t>(std::size_t{1} << 18, old);
      buffer_.resize(old + more);
      const std::size_t got = source_.read(buffer_.data() + old, more);
      buffer_.resize(old + got);
      at_end_ = got < more;
    }
    return buffer_.size() - begin_ >= count;
  }

  /// One past the record that starts at begin_, its line end included.
  std::size_t find_end() {
    const std::string_view ahead = std::string_view(buffer_).substr(begin_);
    const std::string_view plain = ahead.substr(0, ahead.find('\n'));
    if (plain.size() < ahead.size() && plain.find('"') == plain.npos &&
        plain.find('\0') == plain.npos) {  // nearly every line, found at the speed of memchr
      ++next_line_;
      return begin_ + plain.size() + 1;
    }
    bool in_quotes = false;
    for (std::size_t length = 0;; ++length) {
      if (begin_ + length == buffer_.size() && !fill(length + 1)) {
        if (in_quotes) {
          throw Error(ErrorKind::data,
                      fmt::format("{}: line {}: a quote opens and never closes; expected a second "
                                  "\"",
                                  source_.name(), line_));
        }
        return begin_ + length;
      }
      const char c = buffer_[begin_ + length];
      if (c == '"') in_quotes = !in_quotes;
      if (c == '\0') {
        throw Error(ErrorKind::data,
                    fmt::format("{}: line {}: holds a zero byte; expected text with separated "
                                "values",
                                source_.name(), next_line_));
      }
      if (c == '\n') {
        ++next_line_;
        if (!in_quotes) return begin_ + length + 1;
      }
      if (length > kMaxRecordBytes) {
        throw Error(ErrorKind::data,
                    fmt::format("{}: line {}: is longer than {}; expected text with separated "
                                "values",
                                source_.name(), line_, bytes_text(kMaxRecordBytes)));
      }
    }
  }

  static char detect_delimiter(std::string_view record) {
    char best = ',';
    std::int64_t most = 0;
    for (const char candidate : {',', ';', '\t'}) {
      std::int64_t count = 0;
      bool in_quotes = false;
      for (const char c : record) {
        if (c == '"') in_quotes = !in_quotes;
        count += c == candidate && !in_quotes;
      }
      if (count > most) {
        most = count;
        best = candidate;
      }
    }
    return best;
  }

  static std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
  }

  void split(std::string_view record, std::vector<std::string>& fields) const {
    std::size_t count = 0;
    for (std::size_t at = 0;; ++at) {
      if (count == fields.size()) fields.emplace_back();
      std::string& field = fields[count++];
      const std::string_view rest = record.substr(at);
      const std::string_view plain = rest.substr(0, rest.find(delimiter_));
      if (plain.find('"') == plain.npos) {
        field = trimmed(plain);
        at += plain.size();
      } else {
        at = unquote(record, at, field);
      }
      if (at == record.size()) break;
    }
    fields.resize(count);
  }

  /// Writes the field that starts at `at` without its quotes; returns where it ends.
  std::size_t unquote(std::string_view record, std::size_t at, std::string& field) const {
    field.clear();
    bool in_quotes = false;
    for (; at < record.size(); ++at) {
      const char c = record[at];
      if (c == '"') {
        if (in_quotes && at + 1 < record.size() && record[at + 1] == '"') {
          field += '"';
          ++at;
        } else {
          in_quotes = !in_quotes;
        }
      } else if (c == delimiter_ && !in_quotes) {
        break;
      } else {
        field += c;
      }
    }
    field = std::string(trimmed(field));
    return at;
  }

  ByteSource& source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool at_end_ = false;
  char delimiter_ = '\0';
  std::int64_t line_ = 1;
  std::int64_t next_line_ = 1;
};

enum class FieldKind { number, missing, text, infinite };

bool is_missing(std::string_view field) {
  static constexpr std::string_view kMissing[] = {"",    "?",    "NA",   "N/A",
                                                  "n/a", "null", "NULL", "None"};
  return std::find(std::begin(kMissing), std::end(kMissing), field) != std::end(kMissing);
}

FieldKind parse_field(const std::string& field, double& value) {
  value = std::numeric_limits<double>::quiet_NaN();
  // from_chars takes no leading plus.
  const char* first = field.data() + (field.size() > 1 && field[0] == '+' && field[1] != '-');
  const char* last = field.data() + field.size();
  double parsed = 0;
  const auto [end, status] = std::from_chars(first, last, parsed);
  if (status == std::errc::invalid_argument || end != last) {
    return is_missing(field) ? FieldKind::missing : FieldKind::text;
  }
  // Out of range covers both ends: what underflows is a number, what overflows is none.
  if (status == std::errc::result_out_of_range) parsed = std::strtod(first, nullptr);
  if (std::isnan(parsed)) return FieldKind::missing;
  if (std::isinf(parsed)) return FieldKind::infinite;
  value = parsed;
  return FieldKind::number;
}

bool is_header(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  bool any_text = false, any_number = false;
  double value = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const FieldKind kind = parse_field(first[i], value);
    any_number |= kind == FieldKind::number || kind == FieldKind::infinite;
    if (kind != FieldKind::text) continue;
    any_text = true;
    if (i < second.size() && parse_field(second[i], value) == FieldKind::number) return true;
  }
  return any_text && !any_number;
}

/// What was found wrong in a column, until the number of bad rows is known.
struct FirstFault {
  FieldKind kind = FieldKind::number;
  std::string text;
  std::int64_t row = 0, line = 0, count = 0;
};

void describe(const Table& table, const FirstFault& first, Column& column) {
  std::string found, remedy;
  switch (first.kind) {
    case FieldKind::number: return;
    case FieldKind::missing:
      found = first.text.empty() ? "value missing" : "value missing: " + quote(first.text);
      remedy = "fill it in, or remove the row or the column";
      column.fault_kind = ErrorKind::value;
      break;
    case FieldKind::infinite:
      found = "not finite: " + quote(first.text);
      remedy = "correct it, or remove the row or the column";
      column.fault_kind = ErrorKind::value;
      break;
    case FieldKind::text:
      found = "not a number: " + quote(first.text);
      remedy = "replace categories by numbers (one 0/1 column each), or remove the column";
      column.fault_kind = ErrorKind::data;
      break;
  }
  column.fault = fmt::format("{}: row {} (line {}), column {}: {}; {} of {} rows are so: {}",
                             table.source, first.row, first.line, quote(column.name), found,
                             first.count, table.num_rows, remedy);
}

}  // namespace

Table read_csv(ByteSource& source, const ReadLimits& limits) {
  Table table;
  table.source = source.name();
  Records records(source);
  std::vector<std::string> fields, second;
  if (!records.next(fields)) {
    throw Error(ErrorKind::data,
                source.name() + ": is empty; expected a table with one row a line");
  }
  const std::size_t num_columns = fields.size();
  check_budget(source.name(), "one row", static_cast<double>(num_columns) * sizeof(Column), limits);
  const std::int64_t first_line = records.line();
  bool pending = records.next(second);  // a second record was read ahead
  table.columns.resize(num_columns);
  const bool header = is_header(fields, pending ? second : std::vector<std::string>());
  std::unordered_set<std::string> names;
  for (std::size_t i = 0; i < num_columns; ++i) {
    Column& column = table.columns[i];
    column.name = header && !fields[i].empty() ? fields[i] : fmt::format("c{}", i);
    if (!names.insert(column.name).second) {
      throw Error(ErrorKind::data, fmt::format("{}: line {}: two columns are named {}; rename one",
                                               source.name(), first_line, quote(column.name)));
    }
  }

  std::vector<FirstFault> faults(num_columns);
  std::int64_t line = first_line;
  const auto add_row = [&] {
    if (fields.size() != num_columns) {
      throw Error(ErrorKind::data,
                  fmt::format("{}: row {} (line {}) has {} fields, expected {} as in the first "
                              "line; correct the line or quote fields that hold a separator",
                              source.name(), table.num_rows + 1, line, fields.size(), num_columns));
    }
    ++table.num_rows;
    for (std::size_t i = 0; i < num_columns; ++i) {
      double value = 0;
      const FieldKind kind = parse_field(fields[i], value);
      table.columns[i].values.push_back(value);
      if (kind == FieldKind::number) continue;
      FirstFault& fault = faults[i];
      // Text decides over missing values: a category column stays one however it is filled.
      if (fault.count == 0 || (kind == FieldKind::text && fault.kind != kind)) {
        fault = {kind, fields[i], table.num_rows, line, fault.count};
      }
      ++fault.count;
    }
    const double bytes = static_cast<double>(table.num_rows) * static_cast<double>(num_columns) * 8;
    if (bytes > static_cast<double>(limits.max_bytes)) {
      check_budget(source.name(), fmt::format("the table, up to row {} of it,", table.num_rows),
                   bytes, limits);
    }
  };
  const auto full = [&] { return limits.max_rows > 0 && table.num_rows >= limits.max_rows; };

  if (!header) add_row();
  while (pending && !full()) {
    std::swap(fields, second);
    line = records.line();
    add_row();
    pending = !full() && records.next(second);
  }
  for (std::size_t i = 0; i < num_columns; ++i) describe(table, faults[i], table.columns[i]);
  return table;
}

Table read_csv(const std::string& path, const ReadLimits& limits) {
  const ByteSourcePtr source = content_source(open_file(path, limits.max_bytes));
  return read_csv(*source, limits);
}

}  // namespace kappa
