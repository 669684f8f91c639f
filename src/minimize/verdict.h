#pragma once

#include <string>

#include "kappa/minimize.h"

namespace kappa {

/// How a run ends, and by which inequality.
struct Verdict {
  MinimizeStatus status;
  StopReason reason;
};

/// An empty text becomes "criterion: measured against threshold".
Verdict verdict(MinimizeStatus status, std::string criterion, double measured, double threshold,
                std::string text = {});

}  // namespace kappa
