#include "minimize/choose_method.h"

#include <fmt/format.h>

namespace kappa {

ChosenMethod choose_method(const Problem& problem, const MinimizeOptions& options) {
  // A dense Jacobian of 2^27 entries is 1 GiB; a dense Hessian of 500^2 factorises in milliseconds.
  constexpr std::int64_t kMaxJacobianEntries = std::int64_t{1} << 27;
  constexpr std::int64_t kMaxDenseDimension = 500;
  const std::int64_t n = problem.dimension(), m = problem.num_residuals();
  if (options.minibatch > 0 && problem.num_samples() > options.minibatch) {
    return {"adam", "mini-batches were asked for"};
  }
  if (m > 0 && n <= kMaxDenseDimension && m <= kMaxJacobianEntries / n) {
    return {"lm", fmt::format("a sum of {} square{} in {} parameter{}", m, m == 1 ? "" : "s", n,
                              n == 1 ? "" : "s")};
  }
  if (n <= kMaxDenseDimension && problem.num_samples() == 0) {
    return {"trust-region",
            fmt::format("{} parameter{}: the Hessian is cheap to factorise", n, n == 1 ? "" : "s")};
  }
  if (problem.num_samples() > 0) {
    return {"lbfgs", fmt::format("{} parameters on {} samples", n, problem.num_samples())};
  }
  return {"newton-cg", fmt::format("{} parameters: too many for a dense Hessian", n)};
}

}  // namespace kappa
