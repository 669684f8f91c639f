#include "option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "frontend/nearest.h"
#include "kappa/error.h"
#include "report/text.h"
#include "values.h"

namespace kappa {
namespace {

constexpr std::size_t width = 80;
constexpr std::size_t help_column = 26;

std::int64_t parse_count(const std::string& name, const std::string& text, std::int64_t least) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < least) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: '{}' is not a whole number >= {}", name, text, least));
  }
  return value;
}

// "--name" or "--name=...": letters and dashes only, so that the formula "--x" with a space or an
// operator is none.
bool looks_like_option(const std::string& argument) {
  if (argument.size() < 3 || argument.compare(0, 2, "--") != 0) return false;
  const std::string name = argument.substr(2, argument.find('=') - 2);
  return std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

}  // namespace

void OptionTable::add(const std::string& name, const std::string& value, const std::string& help,
                      std::function<void(const std::string&)> set, bool repeatable) {
  options_.push_back({group_, name, value, help, std::move(set), repeatable});
}

void OptionTable::flag(const std::string& name, const std::string& help, bool& target) {
  add(name, "", help, [&target](const std::string&) { target = true; });
}
void OptionTable::text(const std::string& name, const std::string& value, const std::string& help,
                       std::string& target) {
  add(name, value, help, [&target](const std::string& text) { target = text; });
}
void OptionTable::text(const std::string& name, const std::string& value, const std::string& help,
                       std::optional<std::string>& target) {
  add(name, value, help, [&target](const std::string& text) { target = text; });
}
void OptionTable::repeated(const std::string& name, const std::string& value,
                           const std::string& help, std::vector<std::string>& target) {
  add(
      name, value, help, [&target](const std::string& text) { target.push_back(text); }, true);
}
void OptionTable::list(const std::string& name, const std::string& value, const std::string& help,
                       std::vector<std::string>& target) {
  add(
      name, value, help,
      [&target, name](const std::string& text) {
        for (const std::string& part : split_list(text)) {
          if (part.empty()) {
            throw Error(ErrorKind::usage, fmt::format("{}: '{}' has an empty entry", name, text));
          }
          target.push_back(part);
        }
      },
      true);
}
void OptionTable::choice(const std::string& name, const std::vector<std::string>& choices,
                         const std::string& help, std::string& target) {
  add(name, fmt::format("{}", fmt::join(choices, "|")), help,
      [&target, name, choices](const std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
          throw Error(ErrorKind::usage,
                      fmt::format("{}: '{}' is none of {}{}", name, text, fmt::join(choices, ", "),
                                  did_you_mean(text, choices)));
        }
        target = text;
      });
}
void OptionTable::count(const std::string& name, const std::string& help, std::int64_t least,
                        std::int64_t& target) {
  add(name, "N", help,
      [&target, name, least](const std::string& text) { target = parse_count(name, text, least); });
}
void OptionTable::count(const std::string& name, const std::string& help, std::int64_t least,
                        std::optional<std::int64_t>& target) {
  add(name, "N", help,
      [&target, name, least](const std::string& text) { target = parse_count(name, text, least); });
}
void OptionTable::number(const std::string& name, const std::string& value, const std::string& help,
                         double& target) {
  add(name, value, help,
      [&target, name](const std::string& text) { target = parse_number(name, text); });
}
void OptionTable::number(const std::string& name, const std::string& value, const std::string& help,
                         std::optional<double>& target) {
  add(name, value, help,
      [&target, name](const std::string& text) { target = parse_number(name, text); });
}

const OptionTable::Option* OptionTable::find(const std::string& name) const {
  const auto at = std::find_if(options_.begin(), options_.end(),
                               [&](const Option& o) { return o.name == name; });
  return at == options_.end() ? nullptr : &*at;
}

void OptionTable::unknown(const std::string& name) const {
  std::vector<std::string> names;
  for (const Option& option : options_) names.push_back(option.name);
  throw Error(ErrorKind::usage,
              fmt::format("unknown option '{}'{}", name, did_you_mean(name, names)));
}

std::vector<std::string> OptionTable::parse(const std::vector<std::string>& arguments) const {
  std::vector<std::string> positional;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!looks_like_option(argument)) {
      positional.push_back(argument);
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const Option* option = find(name);
    if (option == nullptr) unknown(name);
    if (!option->repeatable && !option->value.empty() && !seen.insert(name).second) {
      throw Error(ErrorKind::usage, fmt::format("{} is given twice", name));
    }
    if (option->value.empty()) {
      if (equals != std::string::npos) {
        throw Error(ErrorKind::usage, fmt::format("{} takes no value", name));
      }
      option->set("");
    } else if (equals != std::string::npos) {
      option->set(argument.substr(equals + 1));
    } else {
      const bool last = i + 1 == arguments.size();
      const std::string next = last ? "" : arguments[i + 1].substr(0, arguments[i + 1].find('='));
      if (last || find(next) != nullptr) {
        throw Error(ErrorKind::usage,
                    fmt::format("{} needs a value: {} {}", name, name, option->value));
      }
      option->set(arguments[++i]);
    }
  }
  return positional;
}

std::string OptionTable::help() const {
  std::string out, group;
  for (const Option& option : options_) {
    if (option.group != group) {
      group = option.group;
      out += fmt::format("\n{}:\n", group);
    }
    std::string left = "  " + option.name + (option.value.empty() ? "" : " " + option.value);
    if (left.size() + 2 > help_column) {
      out += left + "\n";
      left.clear();
    }
    for (const std::string& line : wrapped(option.help, width - help_column)) {
      out += fmt::format("{:<{}}{}\n", left, help_column, line);
      left.clear();
    }
  }
  return out;
}

}  // namespace kappa
