#include "kappa/curvature.h"

namespace kappa {

const char* to_string(CurvatureStatus status) {
  switch (status) {
    case CurvatureStatus::converged: return "converged";
    case CurvatureStatus::max_products: return "max_products";
    case CurvatureStatus::stagnated: return "stagnated";
    case CurvatureStatus::stopped: return "stopped";
    case CurvatureStatus::non_finite: return "non_finite";
  }
  return "unknown";
}

const char* to_string(SolveStatus status) {
  switch (status) {
    case SolveStatus::converged: return "converged";
    case SolveStatus::negative_curvature: return "negative_curvature";
    case SolveStatus::max_iterations: return "max_iterations";
    case SolveStatus::stagnated: return "stagnated";
    case SolveStatus::stopped: return "stopped";
    case SolveStatus::non_finite: return "non_finite";
  }
  return "unknown";
}

const char* to_string(CriticalKind kind) {
  switch (kind) {
    case CriticalKind::minimum: return "minimum";
    case CriticalKind::maximum: return "maximum";
    case CriticalKind::saddle: return "saddle";
    case CriticalKind::degenerate: return "degenerate";
    case CriticalKind::undecided: return "undecided";
    case CriticalKind::not_critical: return "not_critical";
  }
  return "unknown";
}

const char* to_string(SurfaceShape shape) {
  switch (shape) {
    case SurfaceShape::bowl: return "bowl";
    case SurfaceShape::dome: return "dome";
    case SurfaceShape::trough: return "trough";
    case SurfaceShape::ridge: return "ridge";
    case SurfaceShape::saddle: return "saddle";
    case SurfaceShape::flat: return "flat";
  }
  return "unknown";
}

}  // namespace kappa
