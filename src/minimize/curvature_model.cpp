#include "minimize/curvature_model.h"

#include "minimize/dense_algebra.h"
#include "minimize/krylov.h"

namespace kappa {

CurvatureModel curvature_model(Evaluator& evaluator, const Iterate& iterate, std::int64_t max_dense,
                               std::int64_t max_products) {
  CurvatureModel model;
  const Eigen::Index n = evaluator.dimension();
  const Eigen::Map<const Eigen::VectorXd> gradient(iterate.gradient.data(), n);
  SymmetricEigen eigen;
  if (n <= max_dense) {
    Eigen::MatrixXd hessian(n, n);
    evaluator.hessian(iterate.w.data(), hessian.data());
    if (!hessian.allFinite()) return model;
    const Evaluator::Factorization timing(evaluator);
    eigen = symmetric_eigen(hessian);
    model.vectors = eigen.vectors;
    model.c = model.vectors.transpose() * gradient;
  } else {
    const auto curvature = evaluator.linearize(iterate.w.data());
    Krylov krylov([&](const double* v, double* hv) { curvature.hessian_product(v, hv); },
                  iterate.gradient);
    while (static_cast<std::int64_t>(krylov.size()) < max_products && krylov.extend()) {
      if (!std::isfinite(krylov.diagonal().back())) return model;
    }
    const auto k = static_cast<Eigen::Index>(krylov.size());
    eigen = tridiagonal_eigen(krylov.diagonal(), krylov.off_diagonal());
    model.vectors.resize(n, k);
    for (Eigen::Index j = 0; j < k; ++j) {
      const Eigen::VectorXd y = eigen.vectors.col(j);
      const Vector column = krylov.combine({y.data(), static_cast<std::size_t>(k)});
      model.vectors.col(j) = Eigen::Map<const Eigen::VectorXd>(column.data(), n);
    }
    model.c = krylov.start_norm() * eigen.vectors.row(0).transpose();
  }
  model.lambda = eigen.values;
  model.finite = eigen.converged;
  return model;
}

OptionInfo max_dense_option() {
  return {.name = "max-dense",
          .text = "parameters up to which the whole Hessian is used",
          .default_value = 500,
          .lower = 0,
          .upper = 5000};
}

OptionInfo max_products_option() {
  return {.name = "max-products",
          .text = "Hessian products an iteration beyond that",
          .default_value = 30,
          .lower = 1,
          .upper = 500};
}

}  // namespace kappa
