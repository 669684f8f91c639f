#pragma once
#define KAPPA_SOLVE

// Everything Kappa does with a function, on functions of C++: traced ones, and sums of elements
// where kappa/elements.h is included too, before or after.

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kappa/analysis.h"
#include "kappa/curvature.h"
#include "kappa/eigen_names.h"
#include "kappa/function.h"
#include "kappa/minimize.h"
#include "kappa/problem.h"

namespace kappa {

/// A traced scalar function as a Problem, for the calls that take one. Throws Error(shape) where f
/// is not scalar.
class KAPPA_EXPORT FunctionProblem final : public Problem {
 public:
  /// Shares f.
  explicit FunctionProblem(Function f);
  [[nodiscard]] std::int64_t dimension() const override;
  [[nodiscard]] std::string parameter_name(std::int64_t index) const override;
  [[nodiscard]] double value(const double* w, Samples samples = {}) const override;
  double gradient(const double* w, double* gradient, Samples samples = {}) const override;
  [[nodiscard]] std::unique_ptr<Linearization> linearize(const double* w,
                                                         Samples samples = {}) const override;
  void hessian(const double* w, double* hessian) const override;

 private:
  Function f_;
};

/// What kappa::minimize gives for a function of C++: the record of the run, with the point as
/// Eigen's vector; a template, so that Eigen is only needed where one is used.
template <class Vector>
struct BasicSolution : MinimizeResult {
  Vector x;  ///< equals w
};
/// The one that kappa::minimize gives.
using Solution = BasicSolution<VectorXd>;

KAPPA_EXPORT Solution minimize(const Function& f, const ConstVectorRef& start,
                               const MinimizeOptions& options = {});
KAPPA_EXPORT Analysis analyze(const Function& f, const ConstVectorRef& x,
                              const AnalyzeOptions& options = {});
/// The k largest eigenvalues of H(x), descending, with their vectors (in `top`, `top_vectors`), by
/// lanczos() with `options`, whose num_top is k.
KAPPA_EXPORT LanczosResult eigenvalues(const Function& f, const ConstVectorRef& x, std::int64_t k,
                                       LanczosOptions options = {});

namespace detail {

/// The problem-independent halves, so that they are compiled once.
KAPPA_EXPORT Solution minimize_from(const Problem& problem, std::span<const double> start,
                                    const MinimizeOptions& options);

}  // namespace detail

}  // namespace kappa

#ifdef KAPPA_ELEMENTS
#include "kappa/detail/solve_elements.h"
#endif
