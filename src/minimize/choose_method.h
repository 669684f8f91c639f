#pragma once

#include <string>

#include "kappa/minimize.h"

namespace kappa {

struct ChosenMethod {
  std::string name;
  std::string reason;
};

/// What `auto` stands for on this problem.
ChosenMethod choose_method(const Problem& problem, const MinimizeOptions& options);

}  // namespace kappa
