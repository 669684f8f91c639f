#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kappa/minimize.h"

namespace kappa {

/// The checked settings of one method, given or default.
class Settings {
 public:
  using Given = std::vector<std::pair<std::string, std::string>>;

  /// Reads what concerns `method`: KEY and METHOD.KEY. Throws Error(usage) for a word that is not a
  /// number or no choice, Error(value) outside of [lower, upper]. Marks in `taken` what it used.
  Settings(const MethodInfo& method, const Given& given, std::vector<bool>& taken);

  [[nodiscard]] double number(std::string_view name) const { return find(name).value; }
  /// Throws Error(value) for a number that is not whole.
  [[nodiscard]] std::int64_t count(std::string_view name) const;
  [[nodiscard]] const std::string& choice(std::string_view name) const;
  [[nodiscard]] bool given(std::string_view name) const { return find(name).given; }

  /// Every setting as text, METHOD.KEY and value.
  [[nodiscard]] Given used() const;

 private:
  struct Setting {
    const OptionInfo* info;
    double value;
    bool given;
  };
  [[nodiscard]] const Setting& find(std::string_view name) const;

  const MethodInfo* method_;
  std::vector<Setting> settings_;
};

}  // namespace kappa
