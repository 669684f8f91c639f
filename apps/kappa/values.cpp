#include "values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "data/npy.h"
#include "data/npz.h"
#include "frontend/formula.h"
#include "kappa/error.h"
#include "program/builder.h"

namespace kappa {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool read_double(std::string_view text, double& value) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size();
}

Tensor to_tensor(const StoredArray& array) {
  return Tensor::from_doubles(array.to_doubles(), array.shape, DType::f64);
}

// A formula of constants alone.
Tensor evaluate_text(const std::string& option, const std::string& text) {
  try {
    const BoundFormula bound = bind_formula(parse_formula(text), {});
    return evaluate(bound.program, {})[0];
  } catch (const Error&) {
    throw Error(ErrorKind::parse,
                fmt::format("{}: '{}' is no value; write a number, [1, 2], 0.5*1000 for 1000 "
                            "entries 0.5, or @FILE.npy",
                            option, text.substr(0, 60)));
  }
}

Tensor parse_value(const std::string& option, const std::string& text);

// "[a, b, ...]", each entry a value of one shape: a row for each, as NumPy reads nested lists.
Tensor parse_list(const std::string& option, const std::string& text) {
  std::vector<double> entries;
  Shape inner;
  std::int64_t count = 0;
  for (const std::string& part : split_list(text.substr(1, text.size() - 2))) {
    const Tensor row = parse_value(option, part);
    if (count++ == 0) inner = row.shape();
    if (row.shape() != inner) {
      throw Error(ErrorKind::shape, fmt::format("{}: the rows of '{}' are not of one length",
                                                option, text.substr(0, 60)));
    }
    for (std::int64_t i = 0; i < row.size(); ++i) entries.push_back(row.at(i));
  }
  Shape shape{count};
  shape.insert(shape.end(), inner.begin(), inner.end());
  return Tensor::from_doubles(entries, shape, DType::f64);
}

// Whether the text is one list in brackets, and not e.g. [1, 2] + [3, 4].
bool is_list(const std::string& text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    if (depth == 0) return i + 1 == text.size() && i > 0;
  }
  return false;
}

Tensor parse_value(const std::string& option, const std::string& text) {
  double number = 0;
  if (read_double(text, number)) return Tensor::scalar(number, DType::f64);
  if (!text.empty() && text[0] == '@') return to_tensor(read_npy(text.substr(1)));
  if (is_list(text)) return parse_list(option, text);
  // V*COUNT
  const std::size_t star = text.rfind('*');
  if (star != std::string::npos) {
    double count_given = 0;  // 1e15 is a count too, if one to be refused
    if (read_double(std::string_view(text).substr(star + 1), count_given) &&
        count_given == std::floor(count_given) && read_double(text.substr(0, star), number)) {
      if (count_given < 1 || count_given > static_cast<double>(max_formula_elements)) {
        throw Error(ErrorKind::value,
                    fmt::format("{}: {:g} entries{}; expected 1 to {}", option, count_given,
                                count_given > 1 ? fmt::format(" ({})", bytes_text(8 * count_given))
                                                : std::string(),
                                max_formula_elements));
      }
      const auto count = static_cast<std::int64_t>(count_given);
      Tensor tensor(Type{DType::f64, {count}});
      std::fill_n(tensor.as<double>(), count, number);
      return tensor;
    }
  }
  return evaluate_text(option, text);
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

bool is_name(const std::string& text) {
  return !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_') &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
}

void add(NamedValues& values, const std::string& option, const std::string& name, Tensor value) {
  for (const auto& [known, unused] : values) {
    if (known == name) {
      throw Error(ErrorKind::usage, fmt::format("{}: '{}' is given twice", option, name));
    }
  }
  for (std::int64_t i = 0; i < value.size(); ++i) {
    if (!std::isfinite(value.at(i))) {
      throw Error(
          ErrorKind::value,
          value.shape().empty()
              ? fmt::format("{}: {} is {}; a value must be finite", option, name, value.at(i))
              : fmt::format("{}: entry {} of {} is {}; values must be finite", option, i, name,
                            value.at(i)));
    }
  }
  if (value.size() == 0) {
    throw Error(ErrorKind::shape, fmt::format("{}: {} has no entries", option, name));
  }
  values.emplace_back(name, std::move(value));
}

NamedValues parse_pairs(const std::string& option, const std::vector<std::string>& texts,
                        bool bare_files) {
  NamedValues values;
  for (const std::string& text : texts) {
    for (const std::string& part : split_list(text)) {
      const std::size_t equals = part.find('=');
      if (equals == std::string::npos) {
        if (ends_with(part, ".npz") && !bare_files) {
          for (auto& [name, value] : read_named_arrays(part)) add(values, option, name, value);
          continue;
        }
        throw Error(ErrorKind::usage,
                    fmt::format("{}: '{}' is not NAME=VALUE{}", option, part.substr(0, 60),
                                bare_files ? "" : " and no .npz file"));
      }
      const std::string name = trimmed(part.substr(0, equals));
      const std::string value = trimmed(part.substr(equals + 1));
      if (!is_name(name)) {
        throw Error(ErrorKind::usage, fmt::format("{}: '{}' is no name; expected NAME=VALUE",
                                                  option, name.substr(0, 60)));
      }
      if (value.empty()) {
        throw Error(ErrorKind::usage, fmt::format("{}: {} has no value", option, name));
      }
      const std::string where = option + " " + name;
      add(values, option, name,
          bare_files && ends_with(value, ".npy") && value[0] != '@' ? to_tensor(read_npy(value))
                                                                    : parse_value(where, value));
    }
  }
  return values;
}

}  // namespace

std::int64_t parse_bytes(const std::string& option, const std::string& text) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  const std::string digits = text.substr(0, end);
  std::string unit = end == std::string::npos ? "" : text.substr(end);
  double value = 0;
  double factor = 0;
  if (unit.size() > 1 && (unit.back() == 'B' || unit.back() == 'b')) unit.pop_back();
  if (unit.empty() || unit == "B") factor = 1;
  static constexpr std::string_view prefixes = "KMGT";
  if (!unit.empty()) {
    const std::size_t index =
        prefixes.find(static_cast<char>(std::toupper(static_cast<unsigned char>(unit[0]))));
    if (index != std::string_view::npos) {
      const double power = static_cast<double>(index + 1);
      if (unit.size() == 1) factor = std::pow(1000.0, power);
      if (unit.size() == 2 && unit[1] == 'i') factor = std::pow(1024.0, power);
    }
  }
  if (!read_double(digits, value) || factor == 0 || !(value * factor >= 1) ||
      value * factor > 1e18) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: '{}' is no size; write 200M, 1.5G or a number of bytes", option,
                            text.substr(0, 40)));
  }
  return static_cast<std::int64_t>(value * factor);
}

double parse_number(const std::string& option, const std::string& text) {
  double value = 0;
  if (!read_double(trimmed(text), value)) {
    bool good = false;
    try {
      const Tensor tensor = evaluate_text(option, text);
      good = tensor.size() == 1;
      if (good) value = tensor.at(0);
    } catch (const Error&) {
      good = false;
    }
    if (!good) {
      throw Error(ErrorKind::usage,
                  fmt::format("{}: '{}' is no number", option, text.substr(0, 40)));
    }
  }
  if (!std::isfinite(value)) {
    throw Error(ErrorKind::value, fmt::format("{}: {} is not finite", option, text.substr(0, 40)));
  }
  return value;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '(') ++depth;
    if (c == ']' || c == ')') --depth;
    if (c == ',' && depth == 0) {
      parts.push_back(trimmed(part));
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(trimmed(part));
  return parts;
}

NamedValues parse_point(const std::vector<std::string>& texts, const std::string& option) {
  return parse_pairs(option, texts, false);
}

NamedValues parse_constants(const std::vector<std::string>& texts) {
  return parse_pairs("--const", texts, true);
}

NamedValues read_named_arrays(const std::string& path) {
  NamedValues values;
  for (const NamedArray& array : read_npz(path)) {
    values.emplace_back(array.name, to_tensor(array.array));
  }
  return values;
}

}  // namespace kappa
