// IPOPT with exact derivatives from Kappa: problem 71 of Hock and Schittkowski, and a chain of ten
// thousand variables.
#include <IpIpoptApplication.hpp>
#include <IpSolveStatistics.hpp>
#include <array>
#include <cstdio>

#include "function_nlp.h"

namespace {

int solve(const char* name, const Ipopt::SmartPtr<FunctionNlp>& problem, double expected) {
  const Ipopt::SmartPtr<Ipopt::IpoptApplication> solver = IpoptApplicationFactory();
  solver->Options()->SetStringValue("sb", "yes");
  solver->Options()->SetIntegerValue("print_level", 0);
  solver->Options()->SetNumericValue("tol", 1e-9);
  solver->Initialize();
  const bool solved = solver->OptimizeTNLP(problem) == Ipopt::Solve_Succeeded;
  std::printf("%s: %s, f = %.9f after %d iterations\n", name, solved ? "solved" : "not solved",
              problem->value, static_cast<int>(solver->Statistics()->IterationCount()));
  return solved && std::abs(problem->value - expected) <= 1e-6 * (1 + std::abs(expected)) ? 0 : 1;
}

}  // namespace

int main() {
  using kappa::Array;
  // min x0 x3 (x0 + x1 + x2) + x2, product >= 25 (by a slack x4), squares = 40, 1 <= x <= 5.
  Ipopt::SmartPtr<FunctionNlp> hs71 =
      new FunctionNlp([](Array x) { return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]; },
                      [](Array x) {
                        const Array y = slice(x, {0}, {4});
                        const std::array<Array, 2> c{prod(y) - x[4] - 25, sum(square(y)) - 40};
                        return concat(c);
                      },
                      (Eigen::VectorXd(5) << 1, 5, 5, 1, 0).finished(), 2);
  hs71->lower << 1, 1, 1, 1, 0;
  hs71->upper << 5, 5, 5, 5, 1e20;
  // The chained Rosenbrock function with its ends held together: x0 = x[n-1].
  const std::int64_t n = 10000;
  Ipopt::SmartPtr<FunctionNlp> chain = new FunctionNlp(
      [n](Array x) {
        const Array a = slice(x, {0}, {n - 1}), b = slice(x, {1}, {n});
        return sum(100 * square(b - a * a) + square(1 - a));
      },
      [n](Array x) { return reshape(x[0] - x[n - 1], {1}); }, Eigen::VectorXd::Constant(n, 0.5), 1);
  return solve("HS71", hs71, 17.0140173) | solve("chain", chain, 0);
}
