#include <kappa/jet.h>

#include <Eigen/Core>

Eigen::Matrix4d run(const Eigen::Vector4d& x) {
  return kappa::hessian(
      [](const auto& x) {  // Wood's function
        auto a = x[1] - x[0] * x[0];
        auto b = x[3] - x[2] * x[2];
        auto c = x[1] + x[3] - 2;
        auto d = x[1] - x[3];
        return 100 * a * a + pow(1 - x[0], 2) + 90 * b * b + pow(1 - x[2], 2) + 10 * c * c +
               0.1 * d * d;
      },
      x);
}
