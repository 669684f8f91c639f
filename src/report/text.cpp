#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kappa {
namespace {

constexpr std::size_t label_width = 17;

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(' ', at);
    if (end == std::string::npos) end = text.size();
    std::string word = text.substr(at, end - at);
    if (!line.empty() && columns(line) + 1 + columns(word) > width) {
      lines.push_back(line);
      line.clear();
    }
    while (columns(word) > width) {  // e.g. a formula without spaces
      lines.push_back(word.substr(0, width));
      word.erase(0, width);
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  if (!line.empty() || lines.empty()) lines.push_back(line);
  return lines;
}

void Text::put(const std::string& content, const char* escape) {
  if (gap_ && !out_.empty()) out_ += '\n';
  gap_ = false;
  std::string left = label_;
  left.resize(label_width, ' ');
  if (style_.color && !label_.empty()) left = "\033[1m" + left + "\033[0m";
  label_.clear();
  if (content.empty()) {
    while (!left.empty() && left.back() == ' ') left.pop_back();
  }
  out_ += left;
  out_ += style_.color && escape != nullptr ? escape + content + "\033[0m" : content;
  out_ += '\n';
}

void Text::title(const std::string& line) {
  for (const std::string& part : wrapped(line, label_width + content_width)) {
    out_ += style_.color ? "\033[1m" + part + "\033[0m\n" : part + "\n";
  }
}

void Text::label(const std::string& name) {
  gap_ = true;
  label_ = name;
}

void Text::words(const std::string& paragraph) {
  for (const std::string& part : wrapped(paragraph, content_width)) put(part, nullptr);
}

void Text::line(const std::string& content) { put(content, nullptr); }

void Text::meaning(const std::string& sentence) {
  std::string start = "-> ";
  for (const std::string& part : wrapped(sentence, content_width - 3)) {
    put(start + part, "\033[36m");
    start = "   ";
  }
}

std::string counted(long long count, std::string_view noun) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3 + (digits[0] == '-' ? 1U : 0U);) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return fmt::format("{} {}{}", digits, noun, count == 1 ? "" : "s");
}

std::string value_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.10g}", value);  // not "-nan"
}

std::string number(double value) {
  if (value == 0) return "0";
  if (std::isnan(value)) return "nan";
  return fmt::format("{:.6g}", value);
}

std::string number_within(double value, double error_bound) {
  if (value == 0 || !std::isfinite(value)) return number(value);
  double digits = 9;
  if (error_bound > 0) {
    if (std::fabs(value) <= error_bound) return fmt::format("{:.1g}", value);
    digits = std::floor(std::log10(std::fabs(value) / error_bound)) + 1;
  }
  return fmt::format("{:.{}g}", value, static_cast<int>(std::clamp(digits, 2.0, 9.0)));
}

std::string vector_text(const std::vector<double>& values) {
  std::string out = "(";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    out += number(values[i]);
  }
  return out + ")";
}

std::string direction_text(const std::vector<double>& v) {
  std::string out = "(";
  for (std::size_t i = 0; i < v.size(); ++i) {
    out += fmt::format("{}{:.3g}", i > 0 ? ", " : "", v[i] == 0 ? 0.0 : v[i]);
  }
  return out + ")";
}

std::string memory_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.0f} MB", bytes / 1e6);
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

std::string time_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.2g} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.3g} s", seconds);
  const double minutes = std::floor(seconds / 60);
  return fmt::format("{:.0f} min {:.0f} s", minutes, seconds - 60 * minutes);
}

std::vector<std::string> matrix_text(const std::vector<double>& entries, std::size_t num_columns) {
  std::vector<std::size_t> widths(num_columns, 0);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    texts.push_back(number(entries[i]));
    widths[i % num_columns] = std::max(widths[i % num_columns], texts.back().size());
  }
  std::vector<std::string> lines;
  for (std::size_t first = 0; first < texts.size(); first += num_columns) {
    std::string line = "[";
    for (std::size_t j = 0; j < num_columns; ++j) {
      line += fmt::format("  {:>{}}", texts[first + j], widths[j]);
    }
    lines.push_back(line + "  ]");
  }
  return lines;
}

}  // namespace kappa
