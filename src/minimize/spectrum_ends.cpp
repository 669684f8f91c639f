#include "minimize/spectrum_ends.h"

#include "kappa/curvature.h"

namespace kappa {
namespace {

class CountedHessian final : public SymmetricOperator {
 public:
  CountedHessian(std::int64_t n, const Evaluator::Curvature& curvature)
      : n_(n), curvature_(curvature) {}
  [[nodiscard]] std::int64_t dimension() const override { return n_; }
  void apply(std::int64_t k, const double* directions, double* products) const override {
    curvature_.hessian_product(directions, products, k);
  }

 private:
  std::int64_t n_;
  const Evaluator::Curvature& curvature_;
};

}  // namespace

SpectrumEnds spectrum_ends(Evaluator& evaluator, const Evaluator::Curvature& curvature,
                           const SpectrumOptions& options) {
  LanczosOptions lanczos_options;
  lanczos_options.num_top = 1;
  lanczos_options.num_bottom = options.smallest ? 1 : 0;
  lanczos_options.tolerance = options.tolerance;
  lanczos_options.criterion = LanczosCriterion::error_bound;
  lanczos_options.max_products = options.max_products;
  lanczos_options.seed = evaluator.seed();
  lanczos_options.residual_check = ResidualCheck::none;
  lanczos_options.vectors = false;
  const LanczosResult found =
      lanczos(CountedHessian(evaluator.dimension(), curvature), lanczos_options);
  SpectrumEnds ends;
  if (!found.top.empty()) {
    ends.largest = found.top[0].value;
    ends.largest_error = found.top[0].error_bound;
  }
  if (!found.bottom.empty()) {
    ends.smallest = found.bottom[0].value;
    ends.smallest_error = found.bottom[0].error_bound;
  }
  return ends;
}

}  // namespace kappa
