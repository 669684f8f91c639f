#include "minimize/verdict.h"

#include <fmt/format.h>

namespace kappa {

Verdict verdict(MinimizeStatus status, std::string criterion, double measured, double threshold,
                std::string text) {
  if (text.empty()) {
    text = fmt::format("{}: {:.6g} against {:.6g}", criterion, measured, threshold);
  }
  return {status, {std::move(criterion), measured, threshold, std::move(text)}};
}

const char* to_string(MinimizeStatus status) {
  switch (status) {
    case MinimizeStatus::converged: return "converged";
    case MinimizeStatus::max_iterations: return "max_iterations";
    case MinimizeStatus::max_seconds: return "max_seconds";
    case MinimizeStatus::stalled: return "stalled";
    case MinimizeStatus::diverged: return "diverged";
    case MinimizeStatus::interrupted: return "interrupted";
  }
  return "unknown";
}

}  // namespace kappa
