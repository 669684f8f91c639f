#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kappa {

/// The options of one command: one record each, from which parsing, messages and help follow.
///
/// `--name VALUE` and `--name=VALUE` are the same; a value may begin with a minus sign. What is no
/// option is positional, a formula such as "-x + y^2" included.
class OptionTable {
 public:
  /// Options that follow stand under this heading in the help.
  void group(std::string heading) { group_ = std::move(heading); }
  void flag(const std::string& name, const std::string& help, bool& target);
  void text(const std::string& name, const std::string& value, const std::string& help,
            std::string& target);
  void text(const std::string& name, const std::string& value, const std::string& help,
            std::optional<std::string>& target);
  /// May be given several times.
  void repeated(const std::string& name, const std::string& value, const std::string& help,
                std::vector<std::string>& target);
  /// Comma-separated.
  void list(const std::string& name, const std::string& value, const std::string& help,
            std::vector<std::string>& target);
  void choice(const std::string& name, const std::vector<std::string>& choices,
              const std::string& help, std::string& target);
  void count(const std::string& name, const std::string& help, std::int64_t least,
             std::int64_t& target);
  void count(const std::string& name, const std::string& help, std::int64_t least,
             std::optional<std::int64_t>& target);
  /// A number, or an expression of numbers such as 1/255.
  void number(const std::string& name, const std::string& value, const std::string& help,
              double& target);
  void number(const std::string& name, const std::string& value, const std::string& help,
              std::optional<double>& target);

  /// Sets the targets and returns the positional arguments. Throws Error(usage) in one line.
  std::vector<std::string> parse(const std::vector<std::string>& arguments) const;
  /// The options by group, 80 columns wide.
  [[nodiscard]] std::string help() const;

 private:
  struct Option {
    std::string group, name, value, help;  // `value` is empty for a flag
    std::function<void(const std::string&)> set;
    bool repeatable = false;
  };
  void add(const std::string& name, const std::string& value, const std::string& help,
           std::function<void(const std::string&)> set, bool repeatable = false);
  [[nodiscard]] const Option* find(const std::string& name) const;
  [[noreturn]] void unknown(const std::string& name) const;

  std::string group_ = "Options";
  std::vector<Option> options_;
};

}  // namespace kappa
