#pragma once

#include <memory>
#include <vector>

#include "bench/large_functions.h"
#include "kappa/problem.h"

namespace kappa::test {

/// A function of large_functions.h, as Kappa minimises it.
class LargeProblem final : public Problem {
 public:
  explicit LargeProblem(const large::Function& f) : f_(f) {}
  [[nodiscard]] std::int64_t dimension() const override {
    return static_cast<std::int64_t>(f_.size());
  }
  [[nodiscard]] double value(const double* w, Samples = {}) const override { return f_.value(w); }
  double gradient(const double* w, double* gradient, Samples = {}) const override {
    return f_.gradient(w, gradient);
  }
  [[nodiscard]] std::unique_ptr<Linearization> linearize(const double* w,
                                                         Samples = {}) const override {
    return std::make_unique<At>(f_, w);
  }

 private:
  class At final : public Linearization {
   public:
    At(const large::Function& f, const double* w)
        : f_(f), gradient_(f.size()), value_(f.gradient(w, gradient_.data())) {
      prepared_ = f.prepare(w);
    }
    [[nodiscard]] std::int64_t dimension() const override {
      return static_cast<std::int64_t>(f_.size());
    }
    [[nodiscard]] double value() const override { return value_; }
    [[nodiscard]] std::span<const double> gradient() const override { return gradient_; }
    void hessian_product(std::int64_t k, const double* d, double* p) const override {
      for (std::int64_t j = 0; j < k; ++j) {
        f_.product(prepared_.data(), d + j * dimension(), p + j * dimension());
      }
    }
    void gauss_newton_product(std::int64_t, const double*, double*) const override {}
    [[nodiscard]] bool has_gauss_newton() const override { return false; }

   private:
    const large::Function& f_;
    std::vector<double> gradient_, prepared_;
    double value_;
  };

  const large::Function& f_;
};

}  // namespace kappa::test
