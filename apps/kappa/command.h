#pragma once

#include <string>
#include <vector>

namespace kappa {

/// A subcommand: one file each, `kappa NAME ...`.
struct Command {
  const char* name;
  const char* text;  ///< one line for the list of commands
  /// Runs with what follows the name; returns the exit code. Throws Error.
  int (*run)(const std::vector<std::string>& arguments);
  std::string (*help)();
};

extern const Command analyze_command;
extern const Command minimize_command;
extern const Command derive_command;
extern const Command compare_command;
extern const Command landscape_command;
extern const Command report_command;
extern const Command info_command;

/// Exit codes.
inline constexpr int exit_done = 0;
inline constexpr int exit_unanswered = 1;
inline constexpr int exit_bad_input = 2;
inline constexpr int exit_interrupted = 130;

}  // namespace kappa
