#pragma once

// Sums of elements as problems: what kappa/elements.h and kappa/solve.h make of each other.

#include "kappa/elements.h"
#include "kappa/solve.h"

namespace kappa {
namespace detail {

template <class... Terms>
class ElementLinearization final : public Linearization {
 public:
  ElementLinearization(ElementSum<Terms...> f, const double* x, const ElementOptions& options)
      : f_(std::move(f)),
        x_(x, x + f_.dimension()),
        gradient_(x_.size()),
        options_(options),
        value_(f_.gradient(x_, gradient_, options_)) {}
  [[nodiscard]] std::int64_t dimension() const override { return f_.dimension(); }
  [[nodiscard]] double value() const override { return value_; }
  [[nodiscard]] std::span<const double> gradient() const override { return gradient_; }
  void hessian_product(std::int64_t num_directions, const double* directions,
                       double* products) const override {
    const std::size_t n = x_.size();
    for (std::int64_t j = 0; j < num_directions; ++j) {
      const std::size_t offset = static_cast<std::size_t>(j) * n;
      f_.hvp(x_, {directions + offset, n}, {products + offset, n}, options_);
    }
  }
  void gauss_newton_product(std::int64_t, const double*, double*) const override {
    throw Error(ErrorKind::unsupported,
                "gauss_newton: a sum of elements has no Gauss-Newton matrix");
  }
  [[nodiscard]] bool has_gauss_newton() const override { return false; }

 private:
  ElementSum<Terms...> f_;
  std::vector<double> x_, gradient_;
  ElementOptions options_;
  double value_;
};

}  // namespace detail

/// A sum of elements as a Problem. Shares f.
template <class... Terms>
class ElementProblem final : public Problem {
 public:
  explicit ElementProblem(ElementSum<Terms...> f, const ElementOptions& options = {})
      : f_(std::move(f)), options_(options) {}
  [[nodiscard]] std::int64_t dimension() const override { return f_.dimension(); }
  [[nodiscard]] std::string parameter_name(std::int64_t index) const override {
    return "x[" + std::to_string(index) + "]";
  }
  [[nodiscard]] double value(const double* w, Samples = {}) const override {
    return f_.value({w, size()}, options_);
  }
  double gradient(const double* w, double* gradient, Samples = {}) const override {
    return f_.gradient({w, size()}, {gradient, size()}, options_);
  }
  [[nodiscard]] std::unique_ptr<Linearization> linearize(const double* w,
                                                         Samples = {}) const override {
    return std::make_unique<detail::ElementLinearization<Terms...>>(f_, w, options_);
  }

 private:
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(dimension()); }
  ElementSum<Terms...> f_;
  ElementOptions options_;
};

template <class... Terms>
Solution minimize(const ElementSum<Terms...>& f, const ConstVectorRef& start,
                  const MinimizeOptions& options = {}) {
  return detail::minimize_from(ElementProblem<Terms...>(f), detail::span_of(start), options);
}
template <class... Terms>
Analysis analyze(const ElementSum<Terms...>& f, const ConstVectorRef& x,
                 const AnalyzeOptions& options = {}) {
  return analyze(ElementProblem<Terms...>(f), detail::span_of(x), options);
}
template <class... Terms>
LanczosResult eigenvalues(const ElementSum<Terms...>& f, const ConstVectorRef& x, std::int64_t k,
                          LanczosOptions options = {}) {
  options.num_top = k;
  return lanczos(hvp_operator(f, x), options);
}

}  // namespace kappa
