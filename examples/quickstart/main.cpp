// A function of three variables: its derivatives, its curvature, its minimum.
#include <kappa/kappa.h>

#include <iostream>

int main() {
  const auto f =
      kappa::trace([](kappa::Array x) { return sum(exp(x) - 2 * x) + 0.1 * prod(x); }, 3);
  const Eigen::VectorXd x = Eigen::VectorXd::Constant(3, 0.5);

  std::cout << "f(x)     " << kappa::value(f, x) << "\n"
            << "gradient " << kappa::gradient(f, x).transpose() << "\n"
            << "Hessian\n"
            << kappa::hessian(f, x) << "\n";

  const kappa::Analysis analysis = kappa::analyze(f, x);
  std::cout << "eigenvalues";
  for (const double value : analysis.eigenvalues->all) std::cout << " " << value;

  const kappa::Solution solution = kappa::minimize(f, x, {.method = "newton-cg"});
  std::cout << "\nminimum  " << solution.value << " at " << solution.x.transpose() << " ("
            << kappa::to_string(solution.status) << ")\n";
  return solution.status == kappa::MinimizeStatus::converged ? 0 : 1;
}
