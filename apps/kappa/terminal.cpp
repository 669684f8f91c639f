#include "terminal.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "kappa/error.h"

namespace kappa {
namespace {

std::atomic<bool> interrupt_seen = false;

bool no_color() {
  const char* value = std::getenv("NO_COLOR");
  return value != nullptr && value[0] != '\0';
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || value[0] == '\0') continue;
    return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr ||
           std::strstr(value, "UTF8") != nullptr || std::strstr(value, "utf-8") != nullptr;
  }
  return false;
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  if (seconds < 3600)
    return fmt::format("{:.0f} min {:02.0f} s", std::floor(seconds / 60), std::fmod(seconds, 60));
  return fmt::format("{:.0f} h {:02.0f} min", std::floor(seconds / 3600),
                     std::floor(std::fmod(seconds, 3600) / 60));
}

}  // namespace

ProgressLine::ProgressLine(bool quiet) : enabled_(!quiet && stderr_is_terminal() && !no_color()) {}

ProgressCallback ProgressLine::callback() {
  return [this](const Progress& progress) {
    if (enabled_) show(progress);
    return !interrupted();
  };
}

void ProgressLine::show(const Progress& progress) {
  const Clock::time_point now = Clock::now();
  if (progress.task != task_) {
    task_ = progress.task;
    task_start_ = now;
    task_first_ = progress.done;
    last_ = {};
  }
  const auto seconds = [&](Clock::time_point since) {
    return std::chrono::duration<double>(now - since).count();
  };
  if (seconds(start_) < 2 || seconds(last_) < 0.1) return;
  last_ = now;
  std::string line = progress.task;
  if (progress.total > 0) {
    line += fmt::format(
        " {:3.0f} % ({} of {})",
        100.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total),
        progress.done, progress.total);
  } else if (progress.done > 0) {
    line += fmt::format(" {}", progress.done);
  }
  if (!progress.detail.empty()) line += ", " + progress.detail;
  const std::int64_t done = progress.done - task_first_;
  if (progress.total > progress.done && done > 0) {
    const double left = seconds(task_start_) * static_cast<double>(progress.total - progress.done) /
                        static_cast<double>(done);
    line += ", " + duration(left) + " left";
  }
  if (line.size() > 79) line.resize(79);
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

void catch_interrupts() {
  // A thread of its own waits for the signal, and no other ever takes it: oneDNN's kernels for
  // matrix products move the stack pointer into small heap blocks, where a handler's frame would
  // overwrite its neighbours.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by threads started later
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    interrupt_seen = true;
    sigwait(&signals, &signal);
    std::signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    std::raise(SIGINT);
  }).detach();
}

bool interrupted() { return interrupt_seen; }

TextStyle stdout_style(bool quiet) {
  TextStyle style;
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  style.color = terminal && !quiet && !no_color();
  style.symbols = terminal && utf8_locale();
  return style;
}

bool stderr_is_terminal() { return isatty(STDERR_FILENO) != 0; }

void print_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error(ErrorKind::data,
                fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
}

}  // namespace kappa
