#pragma once

#include <Eigen/Core>

#include "minimize/method.h"

namespace kappa {

/// The second-order model at a point in eigenvectors: of the whole dense Hessian where that is
/// small, else of its Ritz pairs in the Krylov space of the gradient.
///
///   m(V y) = c'y + y' diag(lambda) y / 2,   c = V' g
struct CurvatureModel {
  Eigen::VectorXd lambda;
  Eigen::VectorXd c;
  Eigen::MatrixXd vectors;  ///< n x k, orthonormal
  bool finite = false;

  [[nodiscard]] Vector step(const Eigen::VectorXd& y) const {
    const Eigen::VectorXd s = vectors * y;
    return {s.data(), s.data() + s.size()};
  }
};

/// Dense up to `max_dense` parameters; else `max_products` Lanczos steps from the gradient, stopped
/// where the process breaks down. Memory: n k.
CurvatureModel curvature_model(Evaluator& evaluator, const Iterate& iterate, std::int64_t max_dense,
                               std::int64_t max_products);

/// The options that set the two.
OptionInfo max_dense_option();
OptionInfo max_products_option();

}  // namespace kappa
