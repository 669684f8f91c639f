#include <Eigen/Core>
#include <utility>

#include "kappa/error.h"
#include "kappa/solve.h"

namespace kappa {
namespace {

std::span<const double> span_of(const ConstVectorRef& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}

class FunctionLinearization final : public Linearization {
 public:
  FunctionLinearization(const Function& f, std::span<const double> x) : hessian_(f, x) {}
  [[nodiscard]] std::int64_t dimension() const override { return hessian_.dimension(); }
  [[nodiscard]] double value() const override { return hessian_.value(); }
  [[nodiscard]] std::span<const double> gradient() const override { return hessian_.gradient(); }
  void hessian_product(std::int64_t num_directions, const double* directions,
                       double* products) const override {
    hessian_.apply(num_directions, directions, products);
  }
  void gauss_newton_product(std::int64_t, const double*, double*) const override {
    throw Error(ErrorKind::unsupported,
                "gauss_newton: a traced scalar function has no Gauss-Newton matrix");
  }
  [[nodiscard]] bool has_gauss_newton() const override { return false; }

 private:
  FunctionHessian hessian_;
};

}  // namespace

FunctionProblem::FunctionProblem(Function f) : f_(std::move(f)) {
  if (!f_.is_scalar()) {
    throw Error(ErrorKind::shape, "problem: the function returns a vector of " +
                                      std::to_string(f_.num_outputs()) +
                                      ", a scalar is needed; remedy: trace sum(square(y))");
  }
}

std::int64_t FunctionProblem::dimension() const { return f_.dimension(); }
std::string FunctionProblem::parameter_name(std::int64_t index) const {
  return "x[" + std::to_string(index) + "]";
}
double FunctionProblem::value(const double* w, Samples) const {
  return kappa::value(f_, std::span(w, static_cast<std::size_t>(dimension())));
}
double FunctionProblem::gradient(const double* w, double* gradient, Samples) const {
  const auto n = static_cast<std::size_t>(dimension());
  return value_and_gradient(f_, {w, n}, {gradient, n});
}
std::unique_ptr<Linearization> FunctionProblem::linearize(const double* w, Samples) const {
  return std::make_unique<FunctionLinearization>(
      f_, std::span(w, static_cast<std::size_t>(dimension())));
}
void FunctionProblem::hessian(const double* w, double* hessian) const {
  const auto n = static_cast<std::size_t>(dimension());
  kappa::hessian(f_, {w, n}, {hessian, n * n});
}

Solution detail::minimize_from(const Problem& problem, std::span<const double> start,
                               const MinimizeOptions& options) {
  Solution solution{minimize(problem, start, options), {}};
  solution.x = Eigen::Map<const Eigen::VectorXd>(solution.w.data(),
                                                 static_cast<Eigen::Index>(solution.w.size()));
  return solution;
}

Solution minimize(const Function& f, const ConstVectorRef& start, const MinimizeOptions& options) {
  return detail::minimize_from(FunctionProblem(f), span_of(start), options);
}

Analysis analyze(const Function& f, const ConstVectorRef& x, const AnalyzeOptions& options) {
  return analyze(FunctionProblem(f), span_of(x), options);
}

LanczosResult eigenvalues(const Function& f, const ConstVectorRef& x, std::int64_t k,
                          LanczosOptions options) {
  options.num_top = k;
  return lanczos(hvp_operator(f, x), options);
}

}  // namespace kappa
