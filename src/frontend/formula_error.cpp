#include <fmt/format.h>

#include <algorithm>

#include "frontend/formula.h"

namespace kappa {
namespace {

constexpr std::size_t max_quoted = 72;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t num_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

// At most max_quoted bytes of `line` around `offset`, "..." where cut, control characters blanked;
// `column` becomes the place of the offset in what is returned.
std::string excerpt(std::string_view line, std::size_t offset, std::size_t& column) {
  std::size_t begin = 0, end = line.size();
  if (line.size() > max_quoted) {
    begin = offset > max_quoted / 2 ? offset - max_quoted / 2 : 0;
    end = std::min(line.size(), begin + max_quoted);
    begin = end > max_quoted ? end - max_quoted : 0;
    while (begin > 0 && continues_character(line[begin])) --begin;
    while (end < line.size() && continues_character(line[end])) ++end;
  }
  std::string shown(line.substr(begin, end - begin));
  column = num_characters(line.substr(begin, offset - begin)) + (begin > 0 ? 3 : 0);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return (begin > 0 ? "..." : "") + shown + (end < line.size() ? "..." : "");
}

std::string message(std::string_view text, std::size_t offset, const std::string& problem,
                    const std::string& remedy) {
  offset = std::min(offset, text.size());
  std::size_t column = 0;
  std::string quoted = excerpt(text, offset, column);
  // A caret before the place, within the line: where there is no terminal the message is all that
  // arrives.
  std::size_t place = 0;
  for (std::size_t seen = 0; place < quoted.size(); ++place) {
    if (!continues_character(quoted[place]) && seen++ == column) break;
  }
  quoted.insert(place, "^");
  std::string line = fmt::format("formula: {} at position {}: \"{}\"", problem,
                                 num_characters(text.substr(0, offset)) + 1, quoted);
  if (!remedy.empty()) line += remedy[0] == ' ' ? remedy : "; " + remedy;
  return line;
}

}  // namespace

FormulaError::FormulaError(ErrorKind kind, std::string_view text, std::size_t offset,
                           const std::string& problem, const std::string& remedy)
    : Error(kind, message(text, offset, problem, remedy)),
      text_(text),
      offset_(std::min(offset, text.size())) {}

std::string caret_excerpt(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  std::size_t column = 0;
  const std::string shown = excerpt(text.substr(begin, end - begin), offset - begin, column);
  return shown + "\n" + std::string(column, ' ') + "^";
}

}  // namespace kappa
