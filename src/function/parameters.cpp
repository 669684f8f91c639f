#include "function/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/error.h"

namespace kappa {

Parameters::Parameters(std::vector<Parameter> list) : list_(std::move(list)) {
  for (Parameter& parameter : list_) {
    parameter.offset = parameter.varies ? dimension_ : -1;
    if (parameter.varies) dimension_ += num_elements(parameter.shape);
  }
  if (dimension_ == 0) {
    throw Error(ErrorKind::usage, "the objective has no parameter that varies");
  }
}

std::vector<bool> Parameters::varying() const {
  std::vector<bool> flags;
  for (const Parameter& parameter : list_) flags.push_back(parameter.varies);
  return flags;
}

std::vector<double> Parameters::start() const {
  std::vector<double> w(static_cast<std::size_t>(dimension_));
  for (const Parameter& parameter : list_) {
    if (!parameter.varies) continue;
    for (std::int64_t i = 0; i < parameter.value.size(); ++i) {
      w[static_cast<std::size_t>(parameter.offset + i)] = parameter.value.at(i);
    }
  }
  return w;
}

std::string Parameters::entry_name(std::int64_t index) const {
  for (const Parameter& parameter : list_) {
    const std::int64_t count = num_elements(parameter.shape);
    if (!parameter.varies || index < parameter.offset || index >= parameter.offset + count) {
      continue;
    }
    if (parameter.shape.empty()) return parameter.name;
    std::int64_t rest = index - parameter.offset;
    std::vector<std::int64_t> position;
    for (const std::int64_t stride : contiguous_strides(parameter.shape)) {
      position.push_back(rest / stride);
      rest %= stride;
    }
    return fmt::format("{}[{}]", parameter.name, fmt::join(position, ","));
  }
  return "w[" + std::to_string(index) + "]";
}

bool matches_glob(const std::string& glob, const std::string& name) {
  // Greedy match with one point to fall back to: linear in practice, quadratic at worst.
  std::size_t g = 0, n = 0, star = std::string::npos, mark = 0;
  while (n < name.size()) {
    if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n]) && glob[g] != '*') {
      ++g, ++n;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      mark = n;
    } else if (star != std::string::npos) {
      g = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

void select_parameters(std::vector<Parameter>& parameters, const std::vector<std::string>& globs) {
  if (globs.empty()) return;
  for (Parameter& parameter : parameters) parameter.varies = false;
  for (const std::string& glob : globs) {
    bool any = false;
    for (Parameter& parameter : parameters) {
      if (!matches_glob(glob, parameter.name)) continue;
      parameter.varies = true;
      any = true;
    }
    if (!any) {
      std::vector<std::string> names;
      for (const Parameter& p : parameters) names.push_back(p.name);
      if (names.size() > 12) {
        names.resize(12);
        names.push_back("...");
      }
      throw Error(ErrorKind::name, fmt::format("--params: '{}' matches no parameter; there are {}",
                                               glob, fmt::join(names, ", ")));
    }
  }
}

}  // namespace kappa
