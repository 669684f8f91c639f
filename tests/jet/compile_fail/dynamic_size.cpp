// expect: the point must have its size in its type
#include <Eigen/Core>

#include "kappa/jet.h"
int main() {
  const Eigen::VectorXd x = Eigen::VectorXd::Zero(2);
  const Eigen::MatrixXd h = kappa::hessian([](const auto& y) { return y[0] * y[1]; }, x);
  return static_cast<int>(h(0, 0));
}
