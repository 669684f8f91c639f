#include "minimize/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "kappa/error.h"

namespace kappa {
namespace {

double read_number(const MethodInfo& method, const OptionInfo& option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorKind::usage, fmt::format("minimize: option {}={} of method {} is not a number",
                                              option.name, text, method.name));
  }
  if (!(value >= option.lower && value <= option.upper)) {
    const std::string range = std::isinf(option.upper)
                                  ? fmt::format("be >= {:g}", option.lower)
                                  : fmt::format("lie in [{:g}, {:g}]", option.lower, option.upper);
    throw Error(ErrorKind::value, fmt::format("minimize: option {}={} of method {} must {}",
                                              option.name, text, method.name, range));
  }
  return value;
}

double read_choice(const MethodInfo& method, const OptionInfo& option, const std::string& text) {
  const auto found = std::find(option.choices.begin(), option.choices.end(), text);
  if (found == option.choices.end()) {
    throw Error(ErrorKind::usage,
                fmt::format("minimize: option {}={} of method {}: expected one of {}", option.name,
                            text, method.name, fmt::join(option.choices, ", ")));
  }
  return static_cast<double>(found - option.choices.begin());
}

}  // namespace

Settings::Settings(const MethodInfo& method, const Given& given, std::vector<bool>& taken)
    : method_(&method) {
  for (const OptionInfo& option : method.options) {
    settings_.push_back({&option, option.default_value, false});
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::string_view key = given[i].first;
    if (key.size() > method.name.size() && key.starts_with(method.name) &&
        key[method.name.size()] == '.') {
      key.remove_prefix(method.name.size() + 1);
    }
    for (Setting& setting : settings_) {
      if (setting.info->name != key) continue;
      setting.value = setting.info->choices.empty()
                          ? read_number(method, *setting.info, given[i].second)
                          : read_choice(method, *setting.info, given[i].second);
      setting.given = true;
      taken[i] = true;
    }
  }
}

const Settings::Setting& Settings::find(std::string_view name) const {
  for (const Setting& setting : settings_) {
    if (setting.info->name == name) return setting;
  }
  throw std::logic_error("no such setting: " + std::string(name));
}

std::int64_t Settings::count(std::string_view name) const {
  const double value = number(name);
  if (value != std::floor(value)) {
    throw Error(ErrorKind::value, fmt::format("minimize: option {}={} of method {} must be a whole "
                                              "number",
                                              name, value, method_->name));
  }
  return static_cast<std::int64_t>(value);
}

const std::string& Settings::choice(std::string_view name) const {
  const Setting& setting = find(name);
  return setting.info->choices[static_cast<std::size_t>(setting.value)];
}

Settings::Given Settings::used() const {
  Given all;
  for (const Setting& setting : settings_) {
    const auto& choices = setting.info->choices;
    all.emplace_back(method_->name + "." + setting.info->name,
                     choices.empty() ? fmt::format("{}", setting.value)
                                     : choices[static_cast<std::size_t>(setting.value)]);
  }
  return all;
}

}  // namespace kappa
