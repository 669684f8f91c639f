#pragma once

#include <chrono>
#include <string>

#include "kappa/progress.h"
#include "report/text.h"

namespace kappa {

/// Progress of long work on standard error: one line that is rewritten, only on a terminal, only
/// beyond two seconds of work, never with --quiet or NO_COLOR. The callback says stop after
/// Ctrl-C; a second Ctrl-C ends the program at once.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  [[nodiscard]] ProgressCallback callback();
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const Progress& progress);

  bool enabled_;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now(), task_start_ = start_, last_ = start_;
  std::string task_;
  std::int64_t task_first_ = 0;
};

/// From now on the first Ctrl-C only sets a flag.
void catch_interrupts();
bool interrupted();

/// How text for standard output should look: colour and symbols only on a terminal.
TextStyle stdout_style(bool quiet);
bool stderr_is_terminal();

/// Prints to standard output; throws Error(data) if that fails (disk full).
void print_out(const std::string& text);

}  // namespace kappa
